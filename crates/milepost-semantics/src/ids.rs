//! Names in URLs: collections and resource ids (protocol §1).
//!
//! Both are written into a path without percent-encoding, and a position (which contains a dot) can
//! never be taken for a collection. Percent-decoding a path segment is the caller's.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The longest collection name, in bytes.
pub const COLLECTION_NAME_BYTES_MAX: usize = 63;

/// The longest resource id, in bytes.
pub const RESOURCE_ID_BYTES_MAX: usize = 128;

/// A collection's name: `[a-z][a-z0-9-]{0,62}`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionName(Arc<str>);

/// A resource's id: 1–128 unreserved characters (RFC 3986 §2.3), not `.`, `..` or `-`. Cheap to
/// clone; ordered by bytes, the order of listings.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceId(Arc<str>);

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidName {
    /// Nothing was given.
    #[error("{what} is empty")]
    Empty {
        /// What the name was to be, e.g. "a resource id".
        what: &'static str,
    },
    /// More bytes than fit.
    #[error("{what} has {bytes} bytes, at most {bytes_max} are allowed")]
    TooLong {
        /// What the name was to be.
        what: &'static str,
        /// How long it is.
        bytes: usize,
        /// How long it may be.
        bytes_max: usize,
    },
    /// A collection name starts with something else than a lower-case letter.
    #[error("a collection name starts with a lower-case letter, not with {found:?}")]
    FirstCharacter {
        /// The first character.
        found: char,
    },
    /// A character that may not stand in this kind of name.
    #[error("{what} may contain {allowed} only, not {found:?}")]
    Character {
        /// What the name was to be.
        what: &'static str,
        /// The characters that may stand in it.
        allowed: &'static str,
        /// The first character that may not.
        found: char,
    },
    /// `.`, `..` or `-` as an id: the first two are path segments of their own meaning, the third
    /// stands for "all parents".
    #[error("{name:?} is reserved and cannot be a resource id")]
    Reserved {
        /// The reserved name.
        name: String,
    },
}

impl CollectionName {
    /// The name as text that can be shared.
    #[must_use]
    pub const fn as_shared(&self) -> &Arc<str> {
        &self.0
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ResourceId {
    /// An id as it was stored by [`ResourceId::as_str`]. Not for input: it is not checked.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(Arc::from(text))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CollectionName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let what = "a collection name";
        let first = check_length(text, what, COLLECTION_NAME_BYTES_MAX)?;
        if !first.is_ascii_lowercase() {
            return Err(InvalidName::FirstCharacter { found: first });
        }
        let allowed = "lower-case letters, digits and hyphens";
        let is_allowed = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-';
        check_characters(text, what, allowed, is_allowed)?;
        Ok(Self(Arc::from(text)))
    }
}

impl FromStr for ResourceId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let what = "a resource id";
        check_length(text, what, RESOURCE_ID_BYTES_MAX)?;
        let allowed = "letters, digits, '-', '.', '_' and '~'";
        let is_allowed = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        check_characters(text, what, allowed, is_allowed)?;
        if matches!(text, "." | ".." | "-") {
            return Err(InvalidName::Reserved {
                name: text.to_owned(),
            });
        }
        Ok(Self(Arc::from(text)))
    }
}

fn check_length(text: &str, what: &'static str, bytes_max: usize) -> Result<char, InvalidName> {
    let first = text.chars().next().ok_or(InvalidName::Empty { what })?;
    if text.len() > bytes_max {
        return Err(InvalidName::TooLong {
            what,
            bytes: text.len(),
            bytes_max,
        });
    }
    Ok(first)
}

fn check_characters(
    text: &str,
    what: &'static str,
    allowed: &'static str,
    is_allowed: impl Fn(&char) -> bool,
) -> Result<(), InvalidName> {
    match text.chars().find(|c| !is_allowed(c)) {
        Some(found) => Err(InvalidName::Character {
            what,
            allowed,
            found,
        }),
        None => Ok(()),
    }
}

macro_rules! text_traits {
    ($name:ident) => {
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}

text_traits!(CollectionName);
text_traits!(ResourceId);
