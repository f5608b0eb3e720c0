//! `Link` (RFC 8288): typed links in a header field.
//!
//! Targets are written and read as they are; resolving a relative one is the reader's.

use std::fmt;

use http::header::{HeaderMap, HeaderValue, LINK};

use crate::field::grammar::{Cursor, Parameter, is_token, quoted, quoted_if_needed};
use crate::field::{MalformedField, combined};

/// A link: where to, what it is, and more about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The target, a URI reference.
    pub target: String,
    /// Relation types, separated by single spaces: `next`, `urn:milepost:resume`.
    pub rel: String,
    /// `title`; ASCII only, other characters are left out when written.
    pub title: Option<String>,
    /// `type`: the media type the target is expected to have.
    pub media_type: Option<String>,
    /// Other parameters: name in lower case, and value (empty when there was none).
    pub params: Vec<(String, String)>,
}

impl Link {
    /// A link with its relation type.
    #[must_use]
    pub fn new(target: impl Into<String>, rel: impl Into<String>) -> Self {
        Self {
            target: target.into(),
            rel: rel.into(),
            title: None,
            media_type: None,
            params: Vec::new(),
        }
    }

    /// The same link with a title.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// The same link with the target's media type.
    #[must_use]
    pub fn with_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Whether this is one of the link's relation types, compared without case (§2.1.1).
    #[must_use]
    pub fn has_rel(&self, rel: &str) -> bool {
        self.rel
            .split_ascii_whitespace()
            .any(|one| one.eq_ignore_ascii_case(rel))
    }

    /// The links as one field value; `None` when there are none.
    #[must_use]
    pub fn to_header_value(links: &[Self]) -> Option<HeaderValue> {
        let links: Vec<_> = links.iter().map(Self::to_string).collect();
        if links.is_empty() {
            None
        } else {
            HeaderValue::try_from(links.join(", ")).ok()
        }
    }

    /// Reads a message's links, over any number of field lines.
    ///
    /// # Errors
    /// When a line doesn't follow RFC 8288 §3.
    pub fn from_headers(headers: &HeaderMap) -> Result<Vec<Self>, MalformedField> {
        let Some(text) = combined(headers, &LINK)? else {
            return Ok(Vec::new());
        };
        Self::parse_list(&text).ok_or_else(|| {
            MalformedField::new(
                &LINK,
                "a link is written <target>; rel=\"…\"",
                text.as_bytes(),
            )
        })
    }

    fn parse_list(text: &str) -> Option<Vec<Self>> {
        let mut cursor = Cursor::new(text);
        let mut links = Vec::new();
        cursor.skip_commas();
        while !cursor.is_at_end() {
            links.push(Self::read(&mut cursor)?);
            if !cursor.is_at_element_end() {
                return None;
            }
            cursor.skip_commas();
        }
        Some(links)
    }

    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let is_opened = cursor.take('<');
        let target = cursor
            .take_while(|character| character != '>')
            .unwrap_or_default();
        if !is_opened || !cursor.take('>') {
            return None;
        }
        let mut link = Self::new(target, "");
        let mut has_rel = false;
        for Parameter { name, value } in cursor.parameters()? {
            match name.as_str() {
                // §3.3, §3.4.1: the first one counts.
                "rel" if has_rel => {}
                "rel" => {
                    link.rel = value;
                    has_rel = true;
                }
                "title" => link.title = link.title.or(Some(value)),
                "type" => link.media_type = link.media_type.or(Some(value)),
                _ => link.params.push((name, value)),
            }
        }
        Some(link)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>; rel={}", encoded(&self.target), quoted(&self.rel))?;
        if let Some(title) = &self.title {
            write!(f, "; title={}", quoted(title))?;
        }
        if let Some(media_type) = &self.media_type {
            write!(f, "; type={}", quoted(media_type))?;
        }
        for (name, value) in self.params.iter().filter(|(name, _)| is_token(name)) {
            write!(f, "; {name}={}", quoted_if_needed(value))?;
        }
        Ok(())
    }
}

/// A target without what would end it early or break the field: controls, spaces, `<`, `>`, quotes
/// and non-ASCII are percent-encoded.
fn encoded(target: &str) -> impl fmt::Display + '_ {
    const BREAKING: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS
        .add(b' ')
        .add(b'<')
        .add(b'>')
        .add(b'"');
    percent_encoding::utf8_percent_encode(target, BREAKING)
}
