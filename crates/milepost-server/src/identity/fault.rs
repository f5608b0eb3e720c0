//! Why a token is not believed: what its holder is told.
//!
//! Said to whoever holds it, who can read its claims anyway; of keys nothing is told but that one is not known.

/// What is wrong with a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the token has more than 8192 bytes")]
    TooLong,
    #[error("the token can't be read: {0}")]
    Malformed(&'static str),
    #[error("the token is not signed, and its alg says so")]
    Unsigned,
    #[error("the token is signed by an algorithm that is not taken from its issuer")]
    Algorithm,
    #[error(
        "the token is of another kind: its typ has to be at+jwt, where nothing else was agreed on"
    )]
    Kind,
    #[error("the token is of an issuer that is not known here")]
    Issuer,
    #[error("the token is signed by a key that its issuer does not have now")]
    Key,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token is for another service: its aud does not name this one")]
    Audience,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    Early,
    #[error("the token has no usable {0}")]
    Claim(&'static str),
    #[error("the token was revoked")]
    Revoked,
}
