//! Writing a page straight into a buffer.
//!
//! Representations are stored as JSON text and go into the page as they are: parsing and writing
//! them again would cost most of a page's time and could only change them. The bytes are exactly
//! those that [`super::ListPage`] would serialize to.

use std::fmt::Display;
use std::io::Write;

use super::page::{PageEnd, PageKind};
use crate::position::Position;
use crate::tag::EntityTag;

/// A page that is being written: head, items, tail.
#[derive(Debug)]
pub struct PageWriter {
    bytes: Vec<u8>,
    items: usize,
}

/// What stands behind a page's items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageTail {
    /// What follows the page.
    pub end: PageEnd,
    /// The position whose state the page shows, or up to which it tells changes.
    pub position: Position,
    /// The oldest position that changes are still told from.
    pub oldest: Option<Position>,
    /// How many resources the whole listing has.
    pub total: Option<u64>,
    /// A digest over the whole collection at `position`.
    pub digest: Option<String>,
}

impl PageTail {
    /// A tail without the optional members.
    #[must_use]
    pub const fn new(end: PageEnd, position: Position) -> Self {
        Self {
            end,
            position,
            oldest: None,
            total: None,
            digest: None,
        }
    }
}

impl PageWriter {
    /// Starts a page with this canonical URL, and room for this many bytes.
    #[must_use]
    pub fn new(self_href: &str, kind: PageKind, replace: bool, bytes_expected: usize) -> Self {
        let mut page = Self {
            bytes: Vec::with_capacity(bytes_expected),
            items: 0,
        };
        page.raw("{\"self\":");
        page.string(self_href);
        page.raw(",\"kind\":\"");
        page.raw(kind.as_str());
        page.raw(if replace {
            "\",\"replace\":true"
        } else {
            "\",\"replace\":false"
        });
        page.raw(",\"items\":[");
        page
    }

    /// Adds a resource. `value` is the JSON text of its representation, trusted to be valid.
    pub fn live(&mut self, href: &str, id: &str, etag: &EntityTag, value: &[u8]) {
        self.start_item(href, id);
        self.raw(",\"etag\":");
        self.string(&etag.to_string());
        self.raw(",\"value\":");
        self.bytes.extend_from_slice(value);
        self.raw("}");
    }

    /// Adds a resource, like [`PageWriter::live`], from what needs no escaping: the URL of its
    /// collection with a slash at the end, its id, and the position of its version. `value` is the
    /// JSON text of its representation, trusted to be valid.
    pub fn version(&mut self, collection_href: &str, id: &str, at: Position, value: &[u8]) {
        self.raw(if self.items == 0 {
            "{\"href\":\""
        } else {
            ",{\"href\":\""
        });
        self.items += 1;
        self.raw(collection_href);
        self.raw(id);
        self.raw("\",\"id\":\"");
        self.raw(id);
        self.raw("\",\"etag\":\"\\\"");
        self.position(at);
        self.raw("\\\"\",\"value\":");
        self.bytes.extend_from_slice(value);
        self.raw("}");
    }

    /// Adds a tombstone.
    pub fn deleted(&mut self, href: &str, id: &str, position: Position) {
        self.start_item(href, id);
        self.raw(",\"deleted\":true,\"position\":\"");
        self.position(position);
        self.raw("\"}");
    }

    /// How many items were added.
    #[must_use]
    pub const fn items(&self) -> usize {
        self.items
    }

    /// How many bytes were written so far.
    #[must_use]
    pub const fn byte_count(&self) -> usize {
        self.bytes.len()
    }

    /// The page's bytes.
    #[must_use]
    pub fn finish(mut self, tail: &PageTail) -> Vec<u8> {
        self.raw("]");
        match &tail.end {
            PageEnd::Next(href) => self.member("next", href),
            PageEnd::Resume(href) => self.member("resume", href),
            PageEnd::Closed => {}
        }
        self.raw(",\"position\":\"");
        self.position(tail.position);
        self.raw("\"");
        if let Some(oldest) = tail.oldest {
            self.raw(",\"oldest\":\"");
            self.position(oldest);
            self.raw("\"");
        }
        if let Some(total) = tail.total {
            self.raw(",\"total\":");
            self.plain(total);
        }
        if let Some(digest) = &tail.digest {
            self.member("digest", digest);
        }
        self.raw("}");
        self.bytes
    }

    fn start_item(&mut self, href: &str, id: &str) {
        self.raw(if self.items == 0 {
            "{\"href\":"
        } else {
            ",{\"href\":"
        });
        self.items += 1;
        self.string(href);
        self.raw(",\"id\":");
        self.string(id);
    }

    fn member(&mut self, name: &str, text: &str) {
        self.raw(",\"");
        self.raw(name);
        self.raw("\":");
        self.string(text);
    }

    fn raw(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn position(&mut self, position: Position) {
        self.bytes.extend_from_slice(position.text().as_bytes());
    }

    /// What needs no escaping. Writing to a vector doesn't fail.
    fn plain(&mut self, value: impl Display) {
        drop(write!(self.bytes, "{value}"));
    }

    /// A JSON string. Writing a string to a vector doesn't fail.
    fn string(&mut self, text: &str) {
        drop(serde_json::to_writer(&mut self.bytes, text));
    }
}
