//! Writing a page of changes: bodies go in as they are stored.

use milepost_semantics::{
    EntityTag,
    wire::{PageEnd, PageKind, PageTail, PageWriter},
};
use milepost_store::{Changed, ChangesPage, ChangesQuery};

use super::asked::Asked;
use crate::{
    between::WrittenPage,
    collection::{Selection, link},
    href::Place,
    representation::Freshness,
    service::Shared,
};

/// Writes out what answers a question.
pub(super) fn render(
    shared: &Shared,
    asked: &Asked,
    query: ChangesQuery,
    page: &ChangesPage,
) -> WrittenPage {
    let end = if page.closed {
        PageEnd::Next(asked.page_url(shared, page.position))
    } else {
        PageEnd::Resume(asked.resume_url(shared, page.position))
    };
    let tail = PageTail {
        // It moves on with time, which what is immutable must not.
        oldest: (!page.immutable).then_some(page.oldest),
        digest: page.digest.map(|digest| digest.to_string()),
        ..PageTail::new(end, page.position)
    };
    let self_url = asked.page_url(shared, query.since);
    let expected = bytes_expected(&page.items);
    let mut writer = PageWriter::new(&self_url, PageKind::Changes, false, expected);
    write_items(shared, asked, &page.items, &mut writer);
    let freshness = if page.immutable {
        Freshness::Immutable(asked.governed.visibility())
    } else {
        asked.freshness()
    };
    WrittenPage {
        bytes: writer.finish(&tail).into(),
        etag: tag(page),
        link: link(&tail.end),
        has_news: page.closed || !page.items.is_empty(),
        asked: Box::new(query),
        is_immutable: page.immutable,
        freshness,
        tail,
    }
}

/// The same as `page`, which tells nothing, with another URL to come back with.
pub(super) fn without_news(shared: &Shared, asked: &Asked, page: &WrittenPage) -> Vec<u8> {
    let at = page.tail.position;
    let tail = PageTail {
        end: PageEnd::Resume(asked.ticked_url(shared, at)),
        ..page.tail.clone()
    };
    let self_url = asked.page_url(shared, at);
    PageWriter::new(&self_url, PageKind::Changes, false, bytes_expected(&[])).finish(&tail)
}

/// Where the page ends, and since when changes are known: all that its bytes depend on besides its
/// URL.
fn tag(page: &ChangesPage) -> EntityTag {
    if page.immutable {
        return EntityTag::from(page.position);
    }
    let text = format!("{}/{}", page.position, page.oldest.sequence());
    EntityTag::strong(&text).unwrap_or_else(|_never| EntityTag::from(page.position))
}

fn write_items(shared: &Shared, asked: &Asked, items: &[Changed], writer: &mut PageWriter) {
    let selection = Selection::of(&asked.request.select, asked.governed.definition());
    let mut place = Place::default();
    for Changed { key, version } in items {
        let url = place.url(&shared.base, key);
        let id = key.id.as_str();
        match (version.body.as_deref(), &selection) {
            (None, _) => writer.deleted(&format!("{url}{id}"), id, version.position),
            (Some(body), None) => writer.version(url, id, version.position, body),
            (Some(body), Some(selection)) => {
                writer.version(url, id, version.position, &selection.apply(body));
            }
        }
    }
}

fn bytes_expected(items: &[Changed]) -> usize {
    const FRAME: usize = 1024;
    const ITEM_FRAME: usize = 160;
    let items = items.iter().map(|item| {
        let body = item.version.body.as_ref().map_or(0, bytes::Bytes::len);
        body + 2 * item.key.id.as_str().len() + item.key.parent.as_str().len() + ITEM_FRAME
    });
    FRAME + items.sum::<usize>()
}
