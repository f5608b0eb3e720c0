//! A token in compact form (RFC 7519, RFC 7515 §3.1), read strictly and believed in nothing.
//!
//! Of what it says only algorithm, key and issuer are used before its signature is checked, to find the key; whether its
//! claims hold is `claims`' business. Where a header says how to find its own key (`jku`, `x5u`, `jwk`), that is never
//! looked at.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_semantics::json;
use serde_json::{Map, Value};

use super::{
    algorithm::Algorithm,
    claims::claim,
    fault::TokenFault,
    key::{KEY_ID_BYTES_MAX, VerifyingKey},
};

/// The longest token, in bytes: those of issuers in use have one or two thousand.
pub(super) const TOKEN_BYTES_MAX: usize = 8 * 1024;
const DEPTH_MAX: usize = 16;

/// A token that was read, whose signature isn't checked.
#[derive(Debug)]
pub(super) struct Unverified<'t> {
    /// What was signed: header and claims as they were sent.
    signed: &'t str,
    signature: Vec<u8>,
    pub(super) algorithm: Algorithm,
    pub(super) kind: Option<String>,
    pub(super) key_id: Option<String>,
    claims: Map<String, Value>,
}

impl<'t> Unverified<'t> {
    /// Reads a token.
    pub(super) fn read(text: &'t str) -> Result<Self, TokenFault> {
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenFault::TooLong);
        }
        let malformed = TokenFault::Malformed(
            "it is not three parts with dots between; grants, which have none, are not taken here",
        );
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(malformed)?;
        if claims.contains('.') {
            return Err(malformed);
        }
        let header = object(header)?;
        let signature = decoded(signature)?;
        let algorithm = algorithm(&header)?;
        if claim(&header, "crit").is_some() {
            // RFC 7515 §4.1.11: an extension that is not understood, and none is.
            return Err(TokenFault::Malformed(
                "its crit names what is not known here",
            ));
        }
        Ok(Self {
            signed,
            signature,
            algorithm,
            kind: text_of(&header, "typ")?,
            key_id: text_of(&header, "kid")?,
            claims: object(claims)?,
        })
    }

    /// Who it says that it is from: to find the key, and nothing else.
    pub(super) fn claimed_issuer(&self) -> Option<&str> {
        claim(&self.claims, "iss").and_then(Value::as_str)
    }

    pub(super) fn is_signed_by(&self, key: &VerifyingKey) -> bool {
        key.has_signed(self.signed.as_bytes(), &self.signature)
    }

    /// The claims, once the signature is checked.
    pub(super) fn into_claims(self) -> Map<String, Value> {
        self.claims
    }
}

fn algorithm(header: &Map<String, Value>) -> Result<Algorithm, TokenFault> {
    let name = text_of(header, "alg")?.ok_or(TokenFault::Malformed("it has no alg"))?;
    if name.eq_ignore_ascii_case("none") {
        return Err(TokenFault::Unsigned);
    }
    Algorithm::from_name(&name).ok_or(TokenFault::Algorithm)
}

fn object(part: &str) -> Result<Map<String, Value>, TokenFault> {
    let bytes = decoded(part)?;
    match json::parse(&bytes, json::Limits::with_depth(DEPTH_MAX)) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(TokenFault::Malformed("a part is no strict JSON object")),
    }
}

fn decoded(part: &str) -> Result<Vec<u8>, TokenFault> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok();
    bytes.ok_or(TokenFault::Malformed(
        "a part is not base64url without padding",
    ))
}

fn text_of(header: &Map<String, Value>, name: &str) -> Result<Option<String>, TokenFault> {
    match claim(header, name) {
        None => Ok(None),
        Some(Value::String(text)) if text.len() <= KEY_ID_BYTES_MAX => Ok(Some(text.clone())),
        Some(_) => Err(TokenFault::Malformed(
            "its header has a member that is no text, or too long",
        )),
    }
}
