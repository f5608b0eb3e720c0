//! Writing a page: bodies go in as they are stored, into one buffer of the right size.

use http::HeaderValue;
use milepost_semantics::wire::{PageEnd, PageKind, PageTail, PageWriter};
use milepost_store::{Page, ParentPath, ResourceKey};

use super::{cursor, list::Listing, select::Selection};
use crate::{href, route::Address, service::Shared};

/// What follows a page.
#[derive(Clone, Debug)]
pub(crate) struct WayOn(PageEnd);

impl WayOn {
    /// What follows `page`: its `next` shows the same position, and behind the last page come the
    /// changes since. A sorted listing ends with neither: it is no snapshot to be kept up to date.
    pub(crate) fn of(shared: &Shared, listing: &Listing<'_>, page: &Page) -> Self {
        let request = &listing.request;
        Self(match &page.next {
            Some(next) => {
                let after = cursor::encode(next, listing.address, request.is_plain());
                let path = if request.is_snapshot() {
                    listing.snapshot_path(shared, page.position)
                } else {
                    href::address(&shared.base, listing.address)
                };
                PageEnd::Next(request.next_params(&after).url(&path))
            }
            None if request.is_snapshot() => {
                let path = format!(
                    "{}/changes/{}",
                    href::address(&shared.base, listing.address),
                    page.position
                );
                PageEnd::Resume(request.carried.url(&path))
            }
            None => PageEnd::Closed,
        })
    }

    /// The same as a `Link` field.
    pub(crate) fn link(&self) -> Option<HeaderValue> {
        link(&self.0)
    }
}

/// What follows a page, as a `Link` field (RFC 8288).
pub(crate) fn link(end: &PageEnd) -> Option<HeaderValue> {
    let text = match end {
        PageEnd::Next(url) => format!("<{url}>; rel=\"next\""),
        PageEnd::Resume(url) => format!("<{url}>; rel=\"urn:milepost:resume\""),
        PageEnd::Closed => return None,
    };
    HeaderValue::try_from(text).ok()
}

/// The page's bytes.
pub(crate) fn render(
    shared: &Shared,
    listing: &Listing<'_>,
    page: &Page,
    way_on: &WayOn,
) -> Vec<u8> {
    let selection = Selection::of(&listing.request.select, listing.governed.definition());
    let replace = listing.request.after.is_none();
    let self_url = listing.self_url(shared);
    let mut writer = PageWriter::new(&self_url, PageKind::Snapshot, replace, bytes_expected(page));
    let mut place = href::Place::default();
    for item in &page.items {
        let url = place.url(&shared.base, &item.key);
        let body = item.version.body.as_deref().unwrap_or(b"null");
        match &selection {
            None => writer.version(url, item.key.id.as_str(), item.version.position, body),
            Some(selection) => {
                let body = selection.apply(body);
                writer.version(url, item.key.id.as_str(), item.version.position, &body);
            }
        }
    }
    let mut tail = PageTail::new(way_on.0.clone(), page.position);
    tail.total = page.total;
    writer.finish(&tail)
}

fn bytes_expected(page: &Page) -> usize {
    const FRAME: usize = 1024;
    const ITEM_FRAME: usize = 160;
    let bodies = page.items.iter().map(|item| {
        let id = item.key.id.as_str().len();
        item.version.body.as_ref().map_or(0, bytes::Bytes::len)
            + 2 * id
            + item.key.parent.as_str().len()
            + ITEM_FRAME
    });
    FRAME + bodies.sum::<usize>()
}

/// The resource that a collection lies below; `None` at the top.
pub(crate) fn parent_key(address: &Address, parent: &ParentPath) -> Option<ResourceKey> {
    // The id doesn't matter: it is the parent of any resource there.
    let id = "any".parse().ok()?;
    ResourceKey {
        collection: address.collection.clone(),
        parent: parent.clone(),
        id,
    }
    .parent_key()
}
