//! Filling a page of a listing of which the reader may not see all: what is hidden is passed over, and shows in nothing.
//!
//! - The page is as full as if the hidden were not there, and has a `next` only where there is more for this reader.
//! - Where it ends is the last resource shown, never a hidden one.
//! - It shows the store's newest position, not the collection's: that a hidden resource changed moves only the former,
//!   as every commit does.
//! - It is not counted: a count costs as much as looking at everything.
//!
//! So a page may look at the whole collection. Where the rule compares a member of the document with something of the
//! subject, declare an index for that member and filter by it: the store then passes over the rest.

use milepost_store::{Cursor, ListQuery, Listed, Page, PageLimit, ReadError};

use crate::{rules::Sightline, service::Shared};

/// How many resources are looked at at a time.
const CHUNK_ITEMS: usize = 256;
/// How often a listing begins anew where it was written to meanwhile.
const TRIES_MAX: usize = 8;

/// A page of what the reader sees. `None`: it was written to all the time.
pub(crate) async fn fill(
    shared: &Shared,
    line: &Sightline,
    query: &ListQuery,
) -> Result<Option<Page>, ReadError> {
    if line.is_whole() {
        return shared.store.list(query).await.map(Some);
    }
    for tried in 1..=TRIES_MAX {
        let query = &fixed(shared, query);
        match Filling::new(line, query).fill(shared).await {
            Ok(Some(page)) => return Ok(Some(page)),
            // A snapshot that isn't kept went while it was read.
            Err(ReadError::Expired { .. }) if query.at.is_none() && tried < TRIES_MAX => {}
            Err(error) => return Err(error),
            Ok(None) => {}
        }
    }
    Ok(None)
}

/// The same, of one moment: a listing in its default order is of the newest position.
fn fixed(shared: &Shared, query: &ListQuery) -> ListQuery {
    let is_snapshot = query.sort.is_empty() && query.text.is_none();
    let newest = is_snapshot.then(|| shared.store.head());
    ListQuery {
        at: query.at.or(newest),
        total: false,
        ..query.clone()
    }
}

/// A page that is being filled.
struct Filling<'q> {
    line: &'q Sightline,
    query: &'q ListQuery,
    shown: Vec<Listed>,
    bytes: usize,
    /// Behind what the resources begin among which the last one shown is, and which of those it is, from 1.
    last: (Option<Cursor>, usize),
}

impl<'q> Filling<'q> {
    fn new(line: &'q Sightline, query: &'q ListQuery) -> Self {
        Self {
            line,
            query,
            shown: Vec::new(),
            bytes: 0,
            last: (None, 0),
        }
    }

    async fn fill(mut self, shared: &Shared) -> Result<Option<Page>, ReadError> {
        let head = shared.store.head();
        let mut after = self.query.after.clone();
        loop {
            let page = self.list(shared, after.clone(), CHUNK_ITEMS).await?;
            let position = self
                .query
                .at
                .unwrap_or(if page.position.sequence() < head.sequence() {
                    head
                } else {
                    page.position
                });
            if !self.take(page.items, after.as_ref()) {
                let next = self.end(shared).await?;
                return Ok(next.map(|next| self.page(position, Some(next))));
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(Some(self.page(position, None))),
            }
        }
    }

    /// Puts what the reader sees on the page; whether all of it fits.
    fn take(&mut self, items: Vec<Listed>, after: Option<&Cursor>) -> bool {
        let line = self.line;
        let items = items.into_iter().enumerate();
        let seen = items.filter(|(_, item)| line.shows_version(&item.key, &item.version));
        for (place, item) in seen {
            if self.is_full_for(&item) {
                return false;
            }
            self.bytes += bytes_of(&item);
            self.shown.push(item);
            self.last = (after.cloned(), place + 1);
        }
        true
    }

    fn is_full_for(&self, item: &Listed) -> bool {
        let PageLimit { items, bytes } = self.query.limit;
        let is_over = self.bytes.saturating_add(bytes_of(item)) > bytes;
        !self.shown.is_empty() && (self.shown.len() >= items || is_over)
    }

    /// Where the last resource shown stands; `None` where something else stands there by now.
    async fn end(&self, shared: &Shared) -> Result<Option<Cursor>, ReadError> {
        let (after, count) = &self.last;
        let Some(last) = self.shown.last() else {
            return Ok(None);
        };
        if self.query.filters.is_empty() && self.query.sort.is_empty() && self.query.text.is_none()
        {
            return Ok(Some(Cursor {
                values: Vec::new(),
                parent: last.key.parent.clone(),
                id: last.key.id.clone(),
            }));
        }
        let page = self.list(shared, after.clone(), *count).await?;
        let is_there = page.items.last().is_some_and(|item| item.key == last.key);
        Ok(page.next.filter(|_| is_there))
    }

    async fn list(
        &self,
        shared: &Shared,
        after: Option<Cursor>,
        items: usize,
    ) -> Result<Page, ReadError> {
        let limit = PageLimit {
            items,
            bytes: usize::MAX,
        };
        let query = ListQuery {
            after,
            limit,
            ..self.query.clone()
        };
        shared.store.list(&query).await
    }

    fn page(self, position: milepost_semantics::Position, next: Option<Cursor>) -> Page {
        Page {
            items: self.shown,
            next,
            position,
            total: None,
        }
    }
}

fn bytes_of(item: &Listed) -> usize {
    item.version.body.as_ref().map_or(0, bytes::Bytes::len)
}
