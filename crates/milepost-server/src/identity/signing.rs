//! Keys that mint tokens: for development and tests, and for whoever has no issuer of their own.
//!
//! The server never mints: it holds what checks, and nothing more.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_semantics::json;
use ring::{
    hmac,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{algorithm::Algorithm, key::SECRET_BYTES_MIN, key_set::KEY_SET_BYTES_MAX};

/// The one curve of `EdDSA` here (RFC 8037 §2).
const CURVE: &str = "Ed25519";
const DEPTH_MAX: usize = 8;

/// A key that mints tokens, as a JWK with its secret part.
pub struct SigningKey {
    jwk: Map<String, Value>,
    material: Material,
}

enum Material {
    Secret(hmac::Key),
    Pair(Ed25519KeyPair),
}

/// Why there is no key to mint with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// Only `HS256` and `EdDSA` are minted.
    #[error("tokens are minted with HS256 or EdDSA, not with {algorithm}")]
    Algorithm {
        /// What was asked for.
        algorithm: Algorithm,
    },
    /// It is no JWK, or has no secret part.
    #[error("it is no JWK with a secret part, of kty oct or OKP (Ed25519): {detail}")]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// The operating system gave no randomness.
    #[error("the operating system gives no randomness")]
    NoEntropy,
}

impl SigningKey {
    /// A new key for `HS256` or `EdDSA`.
    ///
    /// # Errors
    /// [`SigningKeyError::Algorithm`] for others, [`SigningKeyError::NoEntropy`] where there is no randomness.
    pub fn generate(algorithm: Algorithm) -> Result<Self, SigningKeyError> {
        let mut secret = [0; SECRET_BYTES_MIN];
        getrandom::fill(&mut secret).map_err(|_none| SigningKeyError::NoEntropy)?;
        match algorithm {
            Algorithm::Hs256 => Ok(Self::of_secret(&secret)),
            Algorithm::EdDsa => Self::of_seed(&secret),
            Algorithm::Es256 | Algorithm::Rs256 => Err(SigningKeyError::Algorithm { algorithm }),
        }
    }

    fn of_secret(secret: &[u8]) -> Self {
        let jwk = json!({ "kty": "oct", "alg": "HS256", "use": "sig", "kid": key_id(secret),
            "k": URL_SAFE_NO_PAD.encode(secret) });
        Self {
            jwk: members(jwk),
            material: Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret)),
        }
    }

    fn of_seed(seed: &[u8]) -> Result<Self, SigningKeyError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed);
        let pair = pair.map_err(|rejected| malformed(rejected.to_string()))?;
        let public = pair.public_key().as_ref().to_vec();
        let jwk = json!({ "kty": "OKP", "crv": CURVE, "alg": "EdDSA", "use": "sig",
            "kid": key_id(&public), "x": URL_SAFE_NO_PAD.encode(&public), "d": URL_SAFE_NO_PAD.encode(seed) });
        Ok(Self {
            jwk: members(jwk),
            material: Material::Pair(pair),
        })
    }

    /// Reads what [`Self::to_jwk`] wrote, or any JWK of these kinds with its secret part.
    ///
    /// # Errors
    /// [`SigningKeyError::Malformed`] says what is wrong with it.
    pub fn of_jwk(text: &[u8]) -> Result<Self, SigningKeyError> {
        if text.len() > KEY_SET_BYTES_MAX {
            return Err(malformed("it is too long"));
        }
        let jwk = json::parse(text, json::Limits::with_depth(DEPTH_MAX));
        let jwk = jwk.map_err(|error| malformed(error.to_string()))?;
        let octets = |name: &str| {
            let text = jwk.get(name).and_then(Value::as_str);
            text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        };
        let kind = jwk.get("kty").and_then(Value::as_str);
        let curve = jwk.get("crv").and_then(Value::as_str);
        let mut key = match (kind, octets("k"), octets("d")) {
            (Some("oct"), Some(secret), _) if secret.len() >= SECRET_BYTES_MIN => {
                Self::of_secret(&secret)
            }
            (Some("oct"), Some(_), _) => return Err(malformed("a secret has at least 32 bytes")),
            (Some("OKP"), _, Some(_)) if curve != Some(CURVE) => {
                return Err(malformed("its crv has to be Ed25519"));
            }
            (Some("OKP"), _, Some(seed)) => Self::of_seed(&seed)?,
            _ => return Err(malformed("its secret part is missing")),
        };
        if let Some(id) = jwk.get("kid").filter(|id| id.is_string()) {
            key.jwk.insert("kid".to_owned(), id.clone());
        }
        Ok(key)
    }

    /// The whole key, secret part included.
    #[must_use]
    pub fn to_jwk(&self) -> Value {
        Value::Object(self.jwk.clone())
    }

    /// A JWK Set to be published; `None` of a shared secret, which can't be.
    #[must_use]
    pub fn public_set(&self) -> Option<Value> {
        let mut jwk = self.jwk.clone();
        match self.material {
            Material::Secret(_) => None,
            Material::Pair(_) => {
                jwk.remove("d");
                Some(json!({ "keys": [jwk] }))
            }
        }
    }

    /// What it mints with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.material {
            Material::Secret(_) => Algorithm::Hs256,
            Material::Pair(_) => Algorithm::EdDsa,
        }
    }

    /// A token of type `at+jwt` with exactly these claims (RFC 9068 §2).
    #[must_use]
    pub fn mint(&self, claims: &Map<String, Value>) -> String {
        let header =
            json!({ "typ": "at+jwt", "alg": self.algorithm().name(), "kid": self.jwk.get("kid") });
        let part = |text: String| URL_SAFE_NO_PAD.encode(text);
        let claims = Value::Object(claims.clone()).to_string();
        let signed = format!("{}.{}", part(header.to_string()), part(claims));
        let signature = match &self.material {
            Material::Secret(key) => hmac::sign(key, signed.as_bytes()).as_ref().to_vec(),
            Material::Pair(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm())
            .field("kid", &self.jwk.get("kid"))
            .finish_non_exhaustive()
    }
}

fn malformed(detail: impl Into<String>) -> SigningKeyError {
    SigningKeyError::Malformed {
        detail: detail.into(),
    }
}

fn members(jwk: Value) -> Map<String, Value> {
    match jwk {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Tells keys apart, and tells nothing of them: 64 bits of a hash with a name of its own before.
fn key_id(bytes: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(b"milepost token key id\0")
        .chain_update(bytes)
        .finalize();
    let short: Vec<u8> = hash.iter().copied().take(8).collect();
    URL_SAFE_NO_PAD.encode(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_another_curve_mints_nothing() {
        let jwk = SigningKey::generate(Algorithm::EdDsa).unwrap().to_jwk();
        assert!(SigningKey::of_jwk(jwk.to_string().as_bytes()).is_ok());
        for curve in [json!("X25519"), json!("Ed448"), Value::Null] {
            let mut other = jwk.clone();
            other["crv"] = curve;
            let told = SigningKey::of_jwk(other.to_string().as_bytes());
            let told = told.unwrap_err().to_string();
            assert!(told.contains("crv has to be Ed25519"), "{told}");
        }
    }
}
