//! A page of a collection: of a listing, a snapshot, or the changes.
//!
//! This is the shape a client reads, and that tests compare. A server writes the same bytes with
//! [`super::PageWriter`], without building a page first.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::text;
use crate::position::Position;
use crate::tag::EntityTag;

/// A page (protocol §4, §6). Members stand in this order.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListPage {
    /// The canonical URL of the page.
    #[serde(rename = "self")]
    pub self_href: String,
    /// What the page is part of.
    pub kind: PageKind,
    /// Whether to discard what was held for this collection before applying the page.
    pub replace: bool,
    /// Resources and tombstones, in the page's order.
    pub items: Vec<PageItem>,
    /// There is more now: the URL of the next page. Never together with `resume`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// This is all for now: the URL to keep and come back with. Never together with `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resume: Option<String>,
    /// The position whose state the page shows, or up to which it tells changes.
    #[serde(with = "text")]
    pub position: Position,
    /// The oldest position that changes are still told from.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub oldest: Option<Position>,
    /// How many resources the whole listing has, where asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// A digest over (id, etag) of the whole collection at `position`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
}

/// What a page is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PageKind {
    /// The state at one position.
    Snapshot,
    /// What changed after a position.
    Changes,
}

impl PageKind {
    /// As in the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Snapshot => "snapshot",
            Self::Changes => "changes",
        }
    }
}

/// What follows a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageEnd {
    /// More, now, at this URL.
    Next(String),
    /// Nothing yet; later news will be at this URL.
    Resume(String),
    /// Nothing, ever: the last page of a sorted listing.
    Closed,
}

/// One resource on a page.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(try_from = "FlatItem", into = "FlatItem")]
pub enum PageItem {
    /// It exists.
    Live {
        /// Its URL, path-absolute.
        href: String,
        /// Its id.
        id: String,
        /// The tag of this version, of the representation without content coding.
        etag: EntityTag,
        /// Its representation, or what `select` left of it.
        value: Box<RawValue>,
    },
    /// It was deleted, or doesn't match the filter any more.
    Deleted {
        /// Its URL, path-absolute.
        href: String,
        /// Its id.
        id: String,
        /// Where that happened.
        position: Position,
    },
}

impl PageItem {
    /// The resource's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Live { id, .. } | Self::Deleted { id, .. } => id,
        }
    }

    /// The resource's URL.
    #[must_use]
    pub fn href(&self) -> &str {
        match self {
            Self::Live { href, .. } | Self::Deleted { href, .. } => href,
        }
    }
}

impl ListPage {
    /// What follows; `next` wins in a page that (wrongly) has both.
    #[must_use]
    pub fn end(&self) -> PageEnd {
        match (&self.next, &self.resume) {
            (Some(next), _) => PageEnd::Next(next.clone()),
            (None, Some(resume)) => PageEnd::Resume(resume.clone()),
            (None, None) => PageEnd::Closed,
        }
    }
}

/// An item as it stands in JSON.
#[derive(Deserialize, Serialize)]
struct FlatItem {
    href: String,
    id: String,
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    etag: Option<EntityTag>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    value: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    position: Option<Position>,
}

impl TryFrom<FlatItem> for PageItem {
    type Error = &'static str;

    fn try_from(flat: FlatItem) -> Result<Self, Self::Error> {
        let FlatItem {
            href,
            id,
            etag,
            value,
            deleted,
            position,
        } = flat;
        if deleted {
            let position = position.ok_or("a deleted item has a position")?;
            return Ok(Self::Deleted { href, id, position });
        }
        let etag = etag.ok_or("an item that is not deleted has an etag")?;
        let value = value.ok_or("an item that is not deleted has a value")?;
        Ok(Self::Live {
            href,
            id,
            etag,
            value,
        })
    }
}

impl From<PageItem> for FlatItem {
    fn from(item: PageItem) -> Self {
        match item {
            PageItem::Live {
                href,
                id,
                etag,
                value,
            } => Self {
                href,
                id,
                etag: Some(etag),
                value: Some(value),
                deleted: false,
                position: None,
            },
            PageItem::Deleted { href, id, position } => Self {
                href,
                id,
                etag: None,
                value: None,
                deleted: true,
                position: Some(position),
            },
        }
    }
}
