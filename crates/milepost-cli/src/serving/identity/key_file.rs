//! An issuer's keys in a file: a JWK, a JWK Set, or a shared secret as it is.
//!
//! What holds a secret has to be its owner's alone.

use std::{
    fs::File,
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use milepost_server::identity::{KEY_SET_BYTES_MAX, KeySet};
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// A file of keys.
#[derive(Clone, Debug)]
pub(crate) struct KeyFile {
    path: PathBuf,
}

impl KeyFile {
    pub(crate) fn at(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
        }
    }

    /// Reads the keys.
    pub(crate) fn read(&self) -> Result<KeySet, Failure> {
        let text = self.text()?;
        if is_of_another_form(&text) {
            let message = format!(
                "{}: neither a JWK, a JWK Set nor a shared secret",
                self.path.display()
            );
            return Err(
                Failure::new(Exit::InvalidInput, message).hint("write the keys as a JWK Set")
            );
        }
        let keys = if is_json(&text) {
            KeySet::of_json(&text)
        } else {
            KeySet::of_secret(trimmed(&text))
        };
        keys.map_err(|error| {
            let message = format!("{}: {error}", self.path.display());
            Failure::new(Exit::InvalidInput, message)
                .hint("a file of keys is a JWK, a JWK Set, or a shared secret of at least 32 bytes")
        })
    }

    /// What is in the file, if nobody else may read what is secret.
    pub(crate) fn text(&self) -> Result<Vec<u8>, Failure> {
        let failure = |error| {
            let failure = Failure::file(self.path.display(), &error);
            failure.hint(format!(
                "milepost token --key {} --subject ada    makes one that mints tokens too",
                self.path.display()
            ))
        };
        let file = File::open(&self.path).map_err(failure)?;
        let mode = file.metadata().map_err(failure)?.permissions().mode();
        let mut text = Vec::new();
        // One byte more: then it is known to be too long.
        let bytes_max = u64::try_from(KEY_SET_BYTES_MAX).unwrap_or(u64::MAX);
        file.take(bytes_max + 1)
            .read_to_end(&mut text)
            .map_err(failure)?;
        if mode & 0o077 != 0 && is_secret(&text) {
            let path = self.path.display();
            return Err(Failure::failed(format!("{path} holds a secret, and others may read it"))
                .hint(format!("who read it can mint tokens: make another, or chmod 600 {path} where nobody has")));
        }
        Ok(text)
    }
}

fn is_json(text: &[u8]) -> bool {
    text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{')
}

/// Whether it is plainly meant as keys, in a form that isn't read: taken as a shared secret, a public key would be one
/// that anybody knows.
fn is_of_another_form(text: &[u8]) -> bool {
    let text = text.trim_ascii_start();
    let beginnings = [&b"-----BEGIN"[..], b"[", b"\xef\xbb\xbf"];
    beginnings.iter().any(|begin| text.starts_with(begin))
}

/// Without the line feed that editors leave.
fn trimmed(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
    end.and_then(|end| text.get(..=end)).unwrap_or_default()
}

/// Whether who reads it can mint: anything that isn't known to be public keys alone.
fn is_secret(text: &[u8]) -> bool {
    let document = serde_json::from_slice::<Value>(text).ok();
    let Some(document) = document.filter(Value::is_object) else {
        return true;
    };
    let set = document.get("keys").and_then(Value::as_array);
    let has_secret = |jwk: &Value| jwk.get("k").is_some() || jwk.get("d").is_some();
    match set {
        Some(keys) => keys.iter().any(has_secret),
        None => has_secret(&document),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_key_in_another_form_is_no_shared_secret() {
        for text in [
            &b"\n-----BEGIN PUBLIC KEY-----\n"[..],
            b"[{}]",
            b"\xef\xbb\xbf{}",
        ] {
            assert!(is_of_another_form(text));
        }
        assert!(!is_of_another_form(b"{\"keys\":[]}") && !is_of_another_form(b"a shared secret"));
    }

    #[test]
    fn only_public_keys_may_be_read_by_others() {
        assert!(is_secret(b"a shared secret"));
        assert!(is_secret(b"12345678901234567890123456789012"));
        assert!(is_secret(br#""a quoted shared secret""#));
        assert!(is_secret(br#"[{"k":"AA"}]"#));
        assert!(is_secret(br#"{"kty":"oct","k":"AA"}"#));
        assert!(is_secret(
            br#"{"keys":[{"kty":"OKP","x":"AA"},{"kty":"OKP","d":"AA"}]}"#
        ));
        assert!(!is_secret(br#"{"keys":[{"kty":"OKP","x":"AA"}]}"#));
        assert_eq!(trimmed(b" a b \r\n\n"), b" a b ");
    }
}
