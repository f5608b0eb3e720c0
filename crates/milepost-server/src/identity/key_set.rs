//! The keys of one issuer at one moment: a JWK Set (RFC 7517 §5), one JWK, or a shared secret.

use milepost_semantics::json;
use serde_json::Value;

use super::{
    algorithm::Algorithm,
    key::{KeyFault, VerifyingKey},
};

/// The largest set, in bytes: a hundred keys of RSA come to a third.
pub const KEY_SET_BYTES_MAX: usize = 256 * 1024;
/// The most keys of a set.
const KEYS_MAX: usize = 100;
/// How many keys one token is tried with: more have the same id, or none.
const TRIED_MAX: usize = 8;
const DEPTH_MAX: usize = 8;

/// The keys that an issuer's tokens are checked with.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: Vec<VerifyingKey>,
}

/// Why a text gives no keys.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// It is longer than any set.
    #[error("the keys have more than {KEY_SET_BYTES_MAX} bytes")]
    TooLong,
    /// It is neither a JWK Set nor a JWK.
    #[error("the keys are neither a JWK Set nor a JWK: {detail}")]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// There are more keys than any issuer has.
    #[error("there are more than {KEYS_MAX} keys")]
    TooMany,
    /// None of the keys is of use here.
    #[error(
        "none of the {count} keys is of use here, which are HS256, ES256, EdDSA (Ed25519) and RS256: {fault}"
    )]
    NoneUsable {
        /// How many there are.
        count: usize,
        /// What is wrong with the first.
        fault: KeyFault,
    },
    /// It has no key at all.
    #[error("the set has no keys")]
    Empty,
}

/// Why no key of a set checks a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// No key has this id.
    UnknownKey,
    /// There are such keys, of other algorithms.
    OtherAlgorithm,
}

impl KeySet {
    /// Reads a JWK Set or a single JWK.
    ///
    /// # Errors
    /// [`KeySetError`] says what is wrong with it. Keys for something else are passed by, as long as there is one that
    /// is of use.
    pub fn of_json(text: &[u8]) -> Result<Self, KeySetError> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(KeySetError::TooLong);
        }
        let malformed = |detail: String| KeySetError::Malformed { detail };
        let document = json::parse(text, json::Limits::with_depth(DEPTH_MAX));
        let document = document.map_err(|error| malformed(error.to_string()))?;
        let keys = match (document.get("keys"), document.get("kty")) {
            (Some(Value::Array(keys)), _) => keys.clone(),
            (None, Some(_)) => vec![document],
            _ => return Err(malformed("it has neither \"keys\" nor \"kty\"".to_owned())),
        };
        Self::of_jwks(&keys)
    }

    fn of_jwks(jwks: &[Value]) -> Result<Self, KeySetError> {
        if jwks.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let read = jwks.iter().map(|jwk| match jwk {
            Value::Object(jwk) => VerifyingKey::of_jwk(jwk),
            _ => Err(KeyFault::Broken("it is no object")),
        });
        let (good, bad): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        let keys: Vec<VerifyingKey> = good.into_iter().flatten().collect();
        if !keys.is_empty() {
            return Ok(Self { keys });
        }
        let count = jwks.len();
        let first = bad.into_iter().find_map(Result::err);
        Err(
            first.map_or(KeySetError::Empty, |fault| KeySetError::NoneUsable {
                count,
                fault,
            }),
        )
    }

    /// One shared secret, for `HS256`, whatever key a token names.
    ///
    /// # Errors
    /// [`KeySetError::NoneUsable`] where it has less than 32 bytes.
    pub fn of_secret(secret: &[u8]) -> Result<Self, KeySetError> {
        let key = VerifyingKey::of_secret(secret, None);
        let key = key.map_err(|fault| KeySetError::NoneUsable { count: 1, fault })?;
        Ok(Self { keys: vec![key] })
    }

    /// Without shared secrets: what is published is no secret.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        self.keys.retain(|key| !key.is_secret());
        self
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys that may have signed a token that names this key, or none, and this algorithm.
    pub(super) fn matching(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> Result<impl Iterator<Item = &VerifyingKey>, Unmatched> {
        let is_meant = move |key: &&VerifyingKey| match (id, key.id()) {
            (Some(named), Some(own)) => named == own,
            _ => true,
        };
        let mut meant = self.keys.iter().filter(is_meant).peekable();
        if meant.peek().is_none() {
            return Err(Unmatched::UnknownKey);
        }
        let mut matching = meant
            .filter(move |key| key.algorithm() == algorithm)
            .take(TRIED_MAX)
            .peekable();
        if matching.peek().is_none() {
            return Err(Unmatched::OtherAlgorithm);
        }
        Ok(matching)
    }
}
