//! A page as a replica takes it in: read whole, checked, and only then handed on.
//!
//! Whether a page is the one that was asked for is [`crate::follow`]'s to judge.

use std::fmt;

use milepost_semantics::Position;
use milepost_semantics::wire::{ListPage, PageEnd, PageItem, PageKind};
use serde::Deserialize;

use crate::url::Url;

/// The longest segment of a key, in bytes: that of a resource's id.
const SEGMENT_BYTES_MAX: usize = 128;
/// The feed of everything, from the path that a service lies below.
const EVERYTHING: &str = "/-/changes";
/// The name of what is followed there: no collection's, as it has an underscore.
pub const EVERYTHING_NAME: &str = "milepost_everything";
/// The most segments of a key: ids and names, three collections deep.
const SEGMENTS_MAX: usize = 6;

/// What tells the resources of a feed apart: an item's URL, from the collection on.
///
/// In a plain collection it is the resource's id. Across parents (`…/accounts/-/transactions`) it is
/// `17/transactions/t-9`. Segments consist of unreserved characters (RFC 3986 §2.3) and are neither
/// `.` nor `..`, so that a key is good as a relative path.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(String);

/// The part that the URLs of all resources of a feed have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// With a slash at its end.
    prefix: String,
    /// The collection's path.
    path: String,
}

/// A page's news in full, to be applied in one transaction.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// A complete representation begins: what it doesn't name is gone when it is through.
    pub replace: bool,
    /// There is nothing more now: a complete representation ends with this.
    pub complete: bool,
    /// What is put and what is removed, each key once unless the feed tells every version; the later
    /// one counts.
    pub changes: Vec<Change>,
    /// The link to go on from, path and query.
    pub bookmark: String,
    /// The position up to which this is the state.
    pub position: Position,
    /// The server's digest over the collection at `position`, where it tells one.
    pub digest: Option<String>,
}

/// One resource's news.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Which resource.
    pub key: Key,
    /// What it is now; `None`: it is gone, or no longer matches the filter.
    pub version: Option<crate::replica::Version>,
}

/// A page that was read, before anybody judged it.
#[derive(Debug)]
pub(crate) struct Page {
    /// What it calls itself.
    pub(crate) self_href: String,
    /// What it is part of.
    pub(crate) kind: PageKind,
    /// What follows.
    pub(crate) end: PageEnd,
    /// What it brings; the bookmark is what follows, not yet resolved.
    pub(crate) delivery: Delivery,
}

/// Why an answer is no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NoPage {
    /// It doesn't read as one: cut off, or something else altogether.
    Unreadable(String),
    /// It names a resource outside the collection.
    Foreign(String),
}

impl Key {
    /// A key that is safe as a path; `None` for others.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_sound = |segment: &str| {
            (1..=SEGMENT_BYTES_MAX).contains(&segment.len())
                && !matches!(segment, "." | "..")
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
        };
        let is_key = text.split('/').count() <= SEGMENTS_MAX && text.split('/').all(is_sound);
        is_key.then(|| Self(text.to_owned()))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Scope {
    /// The scope of the collection at a URL.
    #[must_use]
    pub fn of(collection: &Url) -> Self {
        let path = collection.path().trim_end_matches('/').to_owned();
        let above = path
            .split_once("/-/")
            .map_or(path.as_str(), |(above, _)| above);
        Self {
            prefix: format!("{above}/"),
            path,
        }
    }

    /// A name for the collection, from the path that the service lies below: `accounts`,
    /// `accounts.transactions` (of all parents), `accounts.17.transactions`; [`EVERYTHING_NAME`] for
    /// `/-/changes`, the changes of all collections.
    #[must_use]
    pub fn name(&self, base: &str) -> String {
        let below = self.path.strip_prefix(base).unwrap_or(&self.path);
        if below == EVERYTHING {
            return EVERYTHING_NAME.to_owned();
        }
        let segments = below.split('/').filter(|part| !matches!(*part, "" | "-"));
        segments.collect::<Vec<_>>().join(".")
    }

    /// The key of the resource at a path; `None` where that lies elsewhere or is no safe path.
    #[must_use]
    pub fn key(&self, href: &str) -> Option<Key> {
        Key::parse(href.strip_prefix(&self.prefix)?)
    }

    /// The path of a resource.
    #[must_use]
    pub fn href(&self, key: &Key) -> String {
        format!("{}{key}", self.prefix)
    }
}

impl Page {
    /// Reads a whole page or nothing: a response that was cut short is no JSON document.
    pub(crate) fn read(bytes: &[u8], scope: &Scope) -> Result<Self, NoPage> {
        let page: ListPage =
            serde_json::from_slice(bytes).map_err(|error| NoPage::Unreadable(error.to_string()))?;
        let end = page.end();
        let bookmark = match &end {
            PageEnd::Next(link) | PageEnd::Resume(link) => link.clone(),
            PageEnd::Closed => String::new(),
        };
        let items = page.items.into_iter();
        let changes = items
            .map(|item| change(item, scope))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            self_href: page.self_href,
            kind: page.kind,
            delivery: Delivery {
                replace: page.replace,
                complete: matches!(end, PageEnd::Resume(_)),
                changes,
                bookmark,
                position: page.position,
                digest: page.digest,
            },
            end,
        })
    }
}

/// Where following begins, as what is remembered of changes says it (protocol, *Changes*): the
/// document at `…/changes`.
pub(crate) fn beginning(bytes: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Remembered {
        snapshot: String,
    }
    let remembered: Remembered = serde_json::from_slice(bytes).ok()?;
    Some(remembered.snapshot)
}

fn change(item: PageItem, scope: &Scope) -> Result<Change, NoPage> {
    let key = scope
        .key(item.href())
        .ok_or_else(|| NoPage::Foreign(item.href().to_owned()))?;
    let version = match item {
        PageItem::Live { etag, value, .. } => Some(crate::replica::Version {
            etag: etag.to_string(),
            value: <Box<str>>::from(value).into(),
        }),
        PageItem::Deleted { .. } => None,
    };
    Ok(Change { key, version })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(url: &str) -> Scope {
        Scope::of(&Url::parse(url).unwrap())
    }

    #[test]
    fn keys_are_what_stands_behind_the_collection() {
        let plain = scope("http://h/v1/accounts?owner=ada");
        assert_eq!(plain.name("/v1"), "accounts");
        assert_eq!(plain.key("/v1/accounts/17").unwrap().as_str(), "17");
        let everything = scope("http://h/v1/-/changes");
        assert_eq!(everything.name("/v1"), EVERYTHING_NAME);
        let key = everything.key("/v1/-/collections/accounts").unwrap();
        assert_eq!(key.as_str(), "-/collections/accounts");
        let called_so = scope("http://h/v1/accounts/-/changes");
        assert_eq!(called_so.name("/v1"), "accounts.changes");
        let across = scope("http://h/v1/accounts/-/transactions");
        assert_eq!(across.name("/v1"), "accounts.transactions");
        let key = across.key("/v1/accounts/17/transactions/t-9").unwrap();
        assert_eq!(key.as_str(), "17/transactions/t-9");
        assert_eq!(across.href(&key), "/v1/accounts/17/transactions/t-9");
        let below_one = scope("http://h/v1/accounts/17/transactions");
        assert_eq!(below_one.name("/v1"), "accounts.17.transactions");
        assert_eq!(
            below_one
                .key("/v1/accounts/17/transactions/t-9")
                .unwrap()
                .as_str(),
            "t-9"
        );
    }

    #[test]
    fn no_key_leads_out_of_a_folder() {
        let scope = scope("http://h/v1/accounts");
        for href in [
            "/v1/accounts/../x",
            "/v1/accounts/a/../../x",
            "/v1/accounts//x",
            "/etc/passwd",
            "/v1/accounts/",
            "/v1/accounts/a%2Fb",
            "/v1/accounts/.",
        ] {
            assert_eq!(scope.key(href), None, "{href}");
        }
    }

    #[test]
    fn a_page_cut_anywhere_is_no_page() {
        let text = include_str!("../../milepost-semantics/fixtures/page-changes.json").trim_end();
        let scope = scope("http://h/v1/accounts");
        let page = Page::read(text.as_bytes(), &scope).unwrap();
        assert_eq!(page.delivery.changes.len(), 2);
        for end in 0..text.len() {
            assert!(
                Page::read(&text.as_bytes()[..end], &scope).is_err(),
                "{end}"
            );
        }
    }
}
