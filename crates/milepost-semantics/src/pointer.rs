//! JSON pointers (RFC 6901): where in a document something stands.
//!
//! Resolving only reads; changing a document at a pointer is [`crate::patch`]'s.

use std::fmt;
use std::str::FromStr;

use serde_json::Value;

/// A JSON pointer: a list of reference tokens, none for the whole document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsonPointer {
    tokens: Vec<String>,
}

/// The text is no JSON pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedPointer {
    /// It is not empty and doesn't start with `/`.
    #[error("a JSON pointer is empty or starts with '/'")]
    MissingSlash,
    /// A `~` is followed by something else than `0` or `1`.
    #[error("in a JSON pointer '~' is written '~0' and '/' is written '~1'")]
    Escape,
}

impl JsonPointer {
    /// The whole document.
    #[must_use]
    pub const fn root() -> Self {
        Self { tokens: Vec::new() }
    }

    /// Reads a pointer such as `/address/city`; the empty text is the whole document.
    ///
    /// # Errors
    /// When the text doesn't follow RFC 6901 §3.
    pub fn parse(text: &str) -> Result<Self, MalformedPointer> {
        if text.is_empty() {
            return Ok(Self::root());
        }
        let tokens = text
            .strip_prefix('/')
            .ok_or(MalformedPointer::MissingSlash)?;
        let tokens: Result<Vec<_>, _> = tokens.split('/').map(unescape).collect();
        Ok(Self { tokens: tokens? })
    }

    /// The reference tokens, unescaped, outermost first.
    #[must_use]
    pub fn tokens(&self) -> &[String] {
        &self.tokens
    }

    /// Whether this is the whole document.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.tokens.is_empty()
    }

    /// Goes one level down: to a member by name or to an element by its decimal index.
    pub fn push(&mut self, token: impl Into<String>) {
        self.tokens.push(token.into());
    }

    /// The pointer to what contains this place, and the last token; `None` for the whole document.
    #[must_use]
    pub fn split_last(&self) -> Option<(Self, &str)> {
        let (last, parents) = self.tokens.split_last()?;
        Some((
            Self {
                tokens: parents.to_vec(),
            },
            last,
        ))
    }

    /// Whether `other` stands inside this place (or is it).
    #[must_use]
    pub fn is_prefix_of(&self, other: &Self) -> bool {
        other.tokens.starts_with(&self.tokens)
    }

    /// The value at this place; `None` when there is none (RFC 6901 §4).
    #[must_use]
    pub fn resolve<'v>(&self, document: &'v Value) -> Option<&'v Value> {
        self.tokens
            .iter()
            .try_fold(document, |value, token| match value {
                Value::Object(members) => members.get(token),
                Value::Array(elements) => elements.get(array_index(token)?),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            })
    }

    /// The value at this place, to be changed; `None` when there is none.
    #[must_use]
    pub fn resolve_mut<'v>(&self, document: &'v mut Value) -> Option<&'v mut Value> {
        self.tokens
            .iter()
            .try_fold(document, |value, token| match value {
                Value::Object(members) => members.get_mut(token),
                Value::Array(elements) => elements.get_mut(array_index(token)?),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
            })
    }
}

/// The index a token names: decimal, without sign or leading zeros (RFC 6901 §4).
#[must_use]
pub fn array_index(token: &str) -> Option<usize> {
    let is_canonical = token.bytes().all(|byte| byte.is_ascii_digit())
        && (token == "0" || !token.starts_with('0'));
    if is_canonical {
        token.parse().ok()
    } else {
        None
    }
}

fn unescape(token: &str) -> Result<String, MalformedPointer> {
    let mut text = String::with_capacity(token.len());
    let mut characters = token.chars();
    while let Some(character) = characters.next() {
        let plain = match character {
            '~' => match characters.next() {
                Some('0') => '~',
                Some('1') => '/',
                _ => return Err(MalformedPointer::Escape),
            },
            other => other,
        };
        text.push(plain);
    }
    Ok(text)
}

impl<S: Into<String>> FromIterator<S> for JsonPointer {
    /// The pointer with these (unescaped) tokens, outermost first.
    fn from_iter<I: IntoIterator<Item = S>>(tokens: I) -> Self {
        Self {
            tokens: tokens.into_iter().map(Into::into).collect(),
        }
    }
}

impl FromStr for JsonPointer {
    type Err = MalformedPointer;

    fn from_str(text: &str) -> Result<Self, MalformedPointer> {
        Self::parse(text)
    }
}

impl fmt::Display for JsonPointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for token in &self.tokens {
            write!(f, "/{}", token.replace('~', "~0").replace('/', "~1"))?;
        }
        Ok(())
    }
}
