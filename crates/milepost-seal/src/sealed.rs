//! A sealed state as text: `v1.{key id}.{base64url}`. What is in it is for `cipher`.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{KeyId, Reason, limits::SEALED_BYTES_MAX};

/// How every sealed state of this format begins.
pub(crate) const PREFIX: &str = "v1.";

/// A sealed state as text: ASCII letters, digits, `-`, `_` and two dots, fit for URLs, forms and JSON.
///
/// It is as good as the answers in it, so it doesn't print itself: logs get key and length.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(String);

impl Sealed {
    pub(crate) fn new(key: KeyId, payload: &[u8]) -> Self {
        let mut text = format!("{PREFIX}{key}.");
        URL_SAFE_NO_PAD.encode_string(payload, &mut text);
        Self(text)
    }

    /// The text, to be handed to the client.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, to be handed to the client.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.0.rsplit_once('.').map_or("", |(key, _)| key);
        write!(formatter, "Sealed({key}, {} bytes)", self.0.len())
    }
}

/// The text taken apart: whose key, and what that key must prove. Exactly one text stands for a payload.
pub(crate) fn take_apart(text: &str) -> Result<(KeyId, Vec<u8>), Reason> {
    if text.len() > SEALED_BYTES_MAX {
        return Err(Reason::TooLarge);
    }
    let rest = text.strip_prefix(PREFIX).ok_or(Reason::Malformed)?;
    let (key, payload) = rest.split_once('.').ok_or(Reason::Malformed)?;
    let key = key.parse().or(Err(Reason::Malformed))?;
    let payload = URL_SAFE_NO_PAD.decode(payload);
    Ok((key, payload.or(Err(Reason::Malformed))?))
}
