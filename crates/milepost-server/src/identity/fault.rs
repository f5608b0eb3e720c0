//! Why a token is not believed: what its holder is told.
//!
//! Said to whoever holds it, who can read its claims anyway; of keys nothing is told but that one is not known.

use super::{grant::NARROWINGS_MAX, token::TOKEN_BYTES_MAX};

/// What is wrong with a token, or a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenFault {
    #[error("the token has more than {TOKEN_BYTES_MAX} bytes")]
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
    #[error("it is neither a token nor a grant of this service")]
    NoGrant,
    #[error(
        "the grant is signed by a key that this service has not, or no more: ask for a new one"
    )]
    GrantKey,
    #[error("the grant was narrowed more than {NARROWINGS_MAX} times")]
    NarrowedTooOften,
    #[error("the grant was narrowed by more than plain checks of path, query and an end")]
    NotClosed,
}
