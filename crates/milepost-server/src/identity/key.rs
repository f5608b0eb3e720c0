//! One key that tokens are checked with, read from a JWK (RFC 7517, RFC 7518 §6, RFC 8037).
//!
//! A key has exactly one algorithm, found out when it is read: by its `alg`, or because its type has no other here.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{hmac, rsa::PublicKeyComponents, signature};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;

/// The shortest shared secret, in bytes: as long as the hash (RFC 7518 §3.2).
pub const SECRET_BYTES_MIN: usize = 32;
/// The shortest and the longest modulus of an RSA key, in bytes.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;
/// The longest id of a key, in bytes.
pub(super) const KEY_ID_BYTES_MAX: usize = 256;

/// A key that tokens are checked with.
#[derive(Clone)]
pub(super) struct VerifyingKey {
    id: Option<String>,
    algorithm: Algorithm,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(hmac::Key),
    Point(signature::UnparsedPublicKey<Vec<u8>>),
    Rsa(PublicKeyComponents<Vec<u8>>),
}

/// Why a JWK is of no use here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFault {
    /// It is for something that isn't done here; in a set it is passed by (RFC 7517 §5).
    #[error("the key is for something else: {0}")]
    Foreign(&'static str),
    /// It claims to be for this, and is broken.
    #[error("the key is broken: {0}")]
    Broken(&'static str),
}

impl VerifyingKey {
    /// A shared secret.
    pub(super) fn of_secret(secret: &[u8], id: Option<String>) -> Result<Self, KeyFault> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(KeyFault::Broken("a shared secret has at least 32 bytes"));
        }
        let material = Material::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret));
        Ok(Self {
            id,
            algorithm: Algorithm::Hs256,
            material,
        })
    }

    /// Reads a JWK. Of a private one only what checks is taken.
    pub(super) fn of_jwk(jwk: &Map<String, Value>) -> Result<Self, KeyFault> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        if text("use").is_some_and(|purpose| purpose != "sig") {
            return Err(KeyFault::Foreign("its use is not \"sig\""));
        }
        let id = text("kid").map(str::to_owned);
        if id.as_ref().is_some_and(|id| id.len() > KEY_ID_BYTES_MAX) {
            return Err(KeyFault::Broken("its kid has more than 256 bytes"));
        }
        let key = match (text("kty"), text("crv")) {
            (Some("oct"), _) => Self::of_secret(&octets(jwk, "k")?, id)?,
            (Some("EC"), Some("P-256")) => Self::of_point(Algorithm::Es256, p256(jwk)?, id),
            (Some("OKP"), Some("Ed25519")) => Self::of_point(Algorithm::EdDsa, ed25519(jwk)?, id),
            (Some("RSA"), _) => Self::of_rsa(jwk, id)?,
            _ => return Err(KeyFault::Foreign("its kty or crv is not known here")),
        };
        let agrees = |name| Algorithm::from_name(name) == Some(key.algorithm);
        if text("alg").is_some_and(|name| !agrees(name)) {
            return Err(KeyFault::Foreign("its alg is not known here for its kty"));
        }
        Ok(key)
    }

    fn of_point(algorithm: Algorithm, bytes: Vec<u8>, id: Option<String>) -> Self {
        let checks: &'static dyn signature::VerificationAlgorithm = match algorithm {
            Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Algorithm::Hs256 | Algorithm::EdDsa | Algorithm::Rs256 => &signature::ED25519,
        };
        Self {
            id,
            algorithm,
            material: Material::Point(signature::UnparsedPublicKey::new(checks, bytes)),
        }
    }

    fn of_rsa(jwk: &Map<String, Value>, id: Option<String>) -> Result<Self, KeyFault> {
        let (n, e) = (octets(jwk, "n")?, octets(jwk, "e")?);
        if !MODULUS_BYTES.contains(&n.len()) {
            return Err(KeyFault::Broken("an RSA key has 2048 to 8192 bits"));
        }
        Ok(Self {
            id,
            algorithm: Algorithm::Rs256,
            material: Material::Rsa(PublicKeyComponents { n, e }),
        })
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    pub(super) const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether who knows this key can also mint.
    pub(super) const fn is_secret(&self) -> bool {
        matches!(self.material, Material::Secret(_))
    }

    /// Whether this key, or its private half, signed the message. Secrets are compared in constant time.
    pub(super) fn has_signed(&self, message: &[u8], signed: &[u8]) -> bool {
        match &self.material {
            Material::Secret(key) => hmac::verify(key, message, signed).is_ok(),
            Material::Point(key) => key.verify(message, signed).is_ok(),
            Material::Rsa(key) => {
                let checks = &signature::RSA_PKCS1_2048_8192_SHA256;
                key.verify(checks, message, signed).is_ok()
            }
        }
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

/// An uncompressed point (SEC 1 §2.3.3).
fn p256(jwk: &Map<String, Value>) -> Result<Vec<u8>, KeyFault> {
    let (x, y) = (octets(jwk, "x")?, octets(jwk, "y")?);
    if x.len() != 32 || y.len() != 32 {
        return Err(KeyFault::Broken("x and y of P-256 have 32 bytes each"));
    }
    Ok([&[4], &*x, &*y].concat())
}

fn ed25519(jwk: &Map<String, Value>) -> Result<Vec<u8>, KeyFault> {
    let x = octets(jwk, "x")?;
    if x.len() == 32 {
        Ok(x)
    } else {
        Err(KeyFault::Broken("x of Ed25519 has 32 bytes"))
    }
}

/// A member in base64url without padding.
fn octets(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, KeyFault> {
    let text = jwk.get(name).and_then(Value::as_str);
    let bytes = text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    bytes.ok_or(KeyFault::Broken(
        "a member that its kty needs is missing, or not base64url without padding",
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const CLAIMS: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    /// A key, what it signed, and the signature.
    fn examples() -> [(Value, String, &'static str); 4] {
        let hs256 = json!({ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow" });
        let rs256 = json!({ "kty": "RSA", "alg": "RS256", "e": "AQAB", "n": concat!(
            "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMs",
            "D1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdV",
            "MTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ") });
        let es256 = json!({ "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0" });
        let eddsa = json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        [
            (
                hs256,
                format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{CLAIMS}"),
                "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            ),
            (
                rs256,
                format!("eyJhbGciOiJSUzI1NiJ9.{CLAIMS}"),
                concat!(
                    "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZ",
                    "cAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-e",
                    "OkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
                ),
            ),
            (
                es256,
                format!("eyJhbGciOiJFUzI1NiJ9.{CLAIMS}"),
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                eddsa,
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg",
            ),
        ]
    }

    fn read(jwk: &Value) -> Result<VerifyingKey, KeyFault> {
        VerifyingKey::of_jwk(jwk.as_object().unwrap())
    }

    /// RFC 7515 appendices A.1 to A.3, RFC 8037 appendix A.4.
    #[test]
    fn the_signatures_of_the_rfcs_hold_and_no_bit_of_them_can_be_changed() {
        for (jwk, signed, signature) in examples() {
            let key = read(&jwk).unwrap();
            let mut signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
            assert!(key.has_signed(signed.as_bytes(), &signature), "{key:?}");
            assert!(!key.has_signed(signed.to_uppercase().as_bytes(), &signature));
            signature[7] ^= 1;
            assert!(!key.has_signed(signed.as_bytes(), &signature), "{key:?}");
            assert!(!key.has_signed(signed.as_bytes(), &[]), "{key:?}");
        }
    }

    #[test]
    fn keys_for_something_else_are_told_from_broken_ones() {
        for (jwk, _, _) in examples() {
            for (name, value) in [
                ("use", "enc"),
                ("alg", "RS512"),
                ("alg", "none"),
                ("kty", "x"),
            ] {
                let mut other = jwk.clone();
                other[name] = json!(value);
                assert!(matches!(read(&other), Err(KeyFault::Foreign(_))), "{other}");
            }
            let mut broken = jwk.clone();
            let members = broken.as_object_mut().unwrap();
            members.retain(|name, _| !["k", "n", "x"].contains(&&**name));
            assert!(
                matches!(read(&broken), Err(KeyFault::Broken(_))),
                "{broken}"
            );
        }
    }
}
