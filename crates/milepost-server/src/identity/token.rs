//! A token in compact form (RFC 7519, RFC 7515 §3.1), read strictly and believed in nothing.
//!
//! Of what it says only algorithm, key and issuer are used before its signature is checked, to find the key; whether its
//! claims hold is `claims`' business. Where a header says how to find its own key (`jku`, `x5u`, `jwk`), that is never
//! looked at.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_semantics::json;
use serde::{Deserialize, Deserializer, de::IgnoredAny};
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
        let header = Header::read(header)?;
        let signature = decoded(signature)?;
        let algorithm = algorithm(&header)?;
        if header.crit {
            // RFC 7515 §4.1.11: an extension that is not understood, and none is.
            return Err(TokenFault::Malformed(
                "its crit names what is not known here",
            ));
        }
        Ok(Self {
            signed,
            signature,
            algorithm,
            kind: header.typ,
            key_id: header.kid,
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

/// What is looked at of a token's header; what else is in it nobody reads.
#[derive(Deserialize)]
struct Header {
    #[serde(default, deserialize_with = "text")]
    alg: Option<String>,
    #[serde(default, deserialize_with = "text")]
    typ: Option<String>,
    #[serde(default, deserialize_with = "text")]
    kid: Option<String>,
    #[serde(default, deserialize_with = "whatever")]
    crit: bool,
}

impl Header {
    fn read(part: &str) -> Result<Self, TokenFault> {
        let bytes = decoded(part)?;
        // A list of the same values would be read as well.
        let is_object = bytes.trim_ascii_start().first() == Some(&b'{');
        let header: Option<Self> = serde_json::from_slice(&bytes).ok();
        let header = header.filter(|_| is_object).ok_or(TokenFault::Malformed(
            "its header is no JSON object, or has a member that is no text",
        ))?;
        let is_long = |text: &Option<String>| {
            let text = text.as_ref();
            text.is_some_and(|text| text.len() > KEY_ID_BYTES_MAX)
        };
        if is_long(&header.alg) || is_long(&header.typ) || is_long(&header.kid) {
            return Err(TokenFault::Malformed(
                "its header has a member that is too long",
            ));
        }
        Ok(header)
    }
}

/// A text: null is none.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

fn whatever<'de, D: Deserializer<'de>>(from: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(from).map(|_| true)
}

fn algorithm(header: &Header) -> Result<Algorithm, TokenFault> {
    let malformed = TokenFault::Malformed("it has no alg");
    let name = header.alg.as_deref().ok_or(malformed)?;
    if name.eq_ignore_ascii_case("none") {
        return Err(TokenFault::Unsigned);
    }
    Algorithm::from_name(name).ok_or(TokenFault::Algorithm)
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
