//! Media types (RFC 9110 §8.3.1): what kind of bytes a content is.

use std::fmt;
use std::str::FromStr;

use crate::field::grammar::{Cursor, quoted_if_needed};

/// `type/subtype; parameters`, type, subtype and names in lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MediaType {
    essence: String,
    params: Vec<(String, String)>,
}

/// The text is no media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a media type is written type/subtype, with parameters after ';'")]
pub struct MalformedMediaType;

impl MediaType {
    /// `type/subtype`, in lower case.
    #[must_use]
    pub fn essence(&self) -> &str {
        &self.essence
    }

    /// The value of a parameter, by its name in lower case.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<&str> {
        let found = self.params.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The parameters, names in lower case.
    #[must_use]
    pub fn params(&self) -> &[(String, String)] {
        &self.params
    }

    /// Whether the content is JSON: `application/json`, or a subtype that ends in `+json`.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.essence == "application/json" || self.essence.ends_with("+json")
    }

    /// Whether no charset is given, or UTF-8 (also as the ASCII that is part of it): the only one
    /// that JSON has (RFC 8259 §8.1).
    #[must_use]
    pub fn is_utf8(&self) -> bool {
        self.param("charset").is_none_or(|charset| {
            ["utf-8", "utf8", "us-ascii"]
                .iter()
                .any(|known| charset.eq_ignore_ascii_case(known))
        })
    }

    /// Takes a media type, or a range of them, off the start of a list.
    pub(crate) fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let kind = cursor.token()?;
        if !cursor.take('/') {
            return None;
        }
        let essence = format!("{kind}/{}", cursor.token()?).to_ascii_lowercase();
        let params = cursor.parameters()?;
        let params = params
            .into_iter()
            .map(|param| (param.name, param.value))
            .collect();
        Some(Self { essence, params })
    }
}

impl FromStr for MediaType {
    type Err = MalformedMediaType;

    fn from_str(text: &str) -> Result<Self, MalformedMediaType> {
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        let media_type = Self::read(&mut cursor).ok_or(MalformedMediaType)?;
        cursor.skip_space();
        if cursor.is_at_end() {
            Ok(media_type)
        } else {
            Err(MalformedMediaType)
        }
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in &self.params {
            write!(f, "; {name}={}", quoted_if_needed(value))?;
        }
        Ok(())
    }
}
