//! Entity tags (RFC 9110 §8.8.3): which version of a representation somebody saw.
//!
//! A tag of this service is the position of the write that made the version, plus a suffix when the
//! bytes on the wire are a coded variant: `"k3f7.1042-x7qa"`, `"k3f7.1042-x7qa+gzip"`. Tags made by
//! others are carried as they are. Lists of tags (`If-Match`, `If-None-Match`) are parsed here too,
//! by grammar: an opaque tag may contain a comma.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;

use crate::coding::Coding;
use crate::position::Position;

/// An entity tag: an opaque text and whether it is weak.
///
/// Equality (`==`) is that of the value, weakness included; use [`EntityTag::strong_eq`] or
/// [`EntityTag::weak_eq`] to compare as a precondition does.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct EntityTag {
    weak: bool,
    opaque: Box<[u8]>,
}

/// The text is no entity tag: `[ W/ ] DQUOTE *etagc DQUOTE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedTag {
    /// There are no double quotes around it.
    #[error("an entity tag stands in double quotes")]
    MissingQuotes,
    /// A space, a control character or a double quote stands inside.
    #[error("an entity tag contains neither spaces nor double quotes nor control characters")]
    Character,
    /// Something follows the closing quote that is not a comma.
    #[error("entity tags in a list are separated by commas")]
    MissingComma,
}

impl EntityTag {
    /// A strong tag.
    ///
    /// # Errors
    /// [`MalformedTag::Character`] when the text has other characters than `etagc`.
    pub fn strong(opaque: &str) -> Result<Self, MalformedTag> {
        Self::checked(false, opaque.as_bytes())
    }

    /// A weak tag.
    ///
    /// # Errors
    /// [`MalformedTag::Character`] when the text has other characters than `etagc`.
    pub fn weak(opaque: &str) -> Result<Self, MalformedTag> {
        Self::checked(true, opaque.as_bytes())
    }

    /// Reads exactly one tag, with optional white space around it.
    ///
    /// # Errors
    /// When the value is no entity tag.
    pub fn parse(value: &[u8]) -> Result<Self, MalformedTag> {
        let (tag, rest) = Self::split_first(trim(value))?;
        if rest.is_empty() {
            Ok(tag)
        } else {
            Err(MalformedTag::Character)
        }
    }

    /// Reads a list of tags, `#entity-tag`: empty elements are passed over (RFC 9110 §5.6.1.2), so
    /// an empty value is an empty list.
    ///
    /// # Errors
    /// When an element is no entity tag.
    pub fn parse_list(value: &[u8]) -> Result<Vec<Self>, MalformedTag> {
        let mut tags = Vec::new();
        let mut rest = trim(value);
        while !rest.is_empty() {
            if let Some(after_comma) = rest.strip_prefix(b",") {
                rest = trim(after_comma);
                continue;
            }
            let (tag, after_tag) = Self::split_first(rest)?;
            rest = trim(after_tag);
            if !rest.is_empty() && !rest.starts_with(b",") {
                return Err(MalformedTag::MissingComma);
            }
            tags.push(tag);
        }
        Ok(tags)
    }

    /// Whether the tag is weak (`W/`).
    #[must_use]
    pub const fn is_weak(&self) -> bool {
        self.weak
    }

    /// The bytes between the quotes; ASCII in every tag of this service.
    #[must_use]
    pub fn opaque(&self) -> &[u8] {
        &self.opaque
    }

    /// RFC 9110 §8.8.3.2, strong comparison: same opaque text and neither is weak.
    #[must_use]
    pub fn strong_eq(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// RFC 9110 §8.8.3.2, weak comparison: same opaque text.
    #[must_use]
    pub fn weak_eq(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }

    /// The tag of the same version in a content coding: `"{position}+gzip"`. The identity coding
    /// is the tag itself, without a variant.
    #[must_use]
    pub fn with_variant(&self, coding: Coding) -> Self {
        let mut tag = self.without_variant();
        if coding != Coding::Identity {
            let suffix = format!("+{coding}");
            tag.opaque = [&*tag.opaque, suffix.as_bytes()].concat().into();
        }
        tag
    }

    /// The tag without the variant's suffix: what a write compares, so that a client that read a
    /// compressed variant can still write.
    ///
    /// A suffix counts when it follows a position or names a content coding; any other tag is
    /// returned as it is.
    #[must_use]
    pub fn without_variant(&self) -> Self {
        let opaque = self
            .variant_start()
            .and_then(|plus| self.opaque.get(..plus));
        Self {
            weak: self.weak,
            opaque: opaque.unwrap_or(&self.opaque).into(),
        }
    }

    /// The tag as a field value, for `ETag` and for preconditions.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "a tag always is a field value")]
    pub fn to_header_value(&self) -> HeaderValue {
        let mut value = Vec::with_capacity(self.opaque.len() + 4);
        if self.weak {
            value.extend_from_slice(b"W/");
        }
        value.push(b'"');
        value.extend_from_slice(&self.opaque);
        value.push(b'"');
        HeaderValue::try_from(value).expect("etagc is a subset of what a field value may contain")
    }

    fn checked(weak: bool, opaque: &[u8]) -> Result<Self, MalformedTag> {
        if opaque.iter().copied().all(is_etagc) {
            Ok(Self {
                weak,
                opaque: opaque.into(),
            })
        } else {
            Err(MalformedTag::Character)
        }
    }

    /// The tag at the start of the value, and what follows it.
    fn split_first(value: &[u8]) -> Result<(Self, &[u8]), MalformedTag> {
        // "W/" is case-sensitive (RFC 9110 §8.8.3).
        let weak = value.starts_with(b"W/");
        let quoted = if weak {
            value.get(2..).unwrap_or_default()
        } else {
            value
        };
        let inside = quoted
            .strip_prefix(b"\"")
            .ok_or(MalformedTag::MissingQuotes)?;
        let end = inside.iter().position(|byte| !is_etagc(*byte));
        let (opaque, rest) = inside.split_at(end.ok_or(MalformedTag::MissingQuotes)?);
        let rest = rest.strip_prefix(b"\"").ok_or(MalformedTag::Character)?;
        Ok((
            Self {
                weak,
                opaque: opaque.into(),
            },
            rest,
        ))
    }

    fn variant_start(&self) -> Option<usize> {
        let plus = self.opaque.iter().position(|byte| *byte == b'+')?;
        let text = std::str::from_utf8(&self.opaque).ok()?;
        let (position, suffix) = text.split_at_checked(plus)?;
        let is_variant = position.parse::<Position>().is_ok()
            || Coding::ALL
                .iter()
                .any(|coding| suffix.strip_prefix('+') == Some(coding.token()));
        is_variant.then_some(plus)
    }
}

/// `etagc = %x21 / %x23-7E / obs-text`
const fn is_etagc(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7E | 0x80..=0xFF)
}

/// Without optional white space (`OWS`) at both ends.
fn trim(value: &[u8]) -> &[u8] {
    let is_text = |byte: &u8| !matches!(byte, b' ' | b'\t');
    let start = value.iter().position(is_text).unwrap_or(value.len());
    let end = value
        .iter()
        .rposition(is_text)
        .map_or(start, |last| last + 1);
    value.get(start..end).unwrap_or_default()
}

impl From<Position> for EntityTag {
    /// The strong tag of the version that the write at this position made.
    fn from(position: Position) -> Self {
        Self {
            weak: false,
            opaque: position.to_string().into_bytes().into(),
        }
    }
}

impl FromStr for EntityTag {
    type Err = MalformedTag;

    fn from_str(text: &str) -> Result<Self, MalformedTag> {
        Self::parse(text.as_bytes())
    }
}

impl fmt::Display for EntityTag {
    /// Writes the tag with its quotes; bytes that are no UTF-8 are replaced, use
    /// [`EntityTag::to_header_value`] on the wire.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.weak { "W/" } else { "" };
        write!(f, "{prefix}\"{}\"", String::from_utf8_lossy(&self.opaque))
    }
}

impl fmt::Debug for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EntityTag({self})")
    }
}
