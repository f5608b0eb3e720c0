//! What can be said of a question for changes without asking the disk: whether there is any news,
//! and whether a page that was made before still answers it.

use std::sync::Arc;

use super::subject::{Floors, declared_at};
use crate::{
    ChangesPage, ChangesQuery, Feed, SetDigest, TRANSACTIONS,
    embedded::{Shared, catalog::Collection},
};

/// Commits since a position that are so few are gone through on the thread that asks.
const QUICK_COMMITS_MAX: u64 = 128;

/// A question whose position is known here and still answerable, by the marks of now.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedded) struct Asked {
    since: u64,
    head: u64,
    oldest: u64,
    history: u64,
    digest: Option<SetDigest>,
}

impl Asked {
    /// `None` where the question must be looked into more closely, or has no answer.
    pub(in crate::embedded) fn of(shared: &Shared, query: &ChangesQuery) -> Option<Self> {
        // The head first: the marks are moved before it, and so cover all up to here.
        let published = shared.head();
        let since = shared.lineage.sequence(query.since, published)?;
        let asked = match &query.feed {
            Feed::Collection {
                collection,
                filters,
                ..
            } => {
                let catalog = shared.catalog();
                let collection = catalog
                    .of(collection)
                    .filter(|collection| has_feed(collection))?;
                let declared = declared_at(collection, filters).ok()?;
                let floors = floors(collection);
                let newest = collection.marks.newest();
                Self {
                    since,
                    head: newest.head,
                    oldest: floors.oldest(query.versions).max(declared),
                    history: floors.history,
                    digest: Some(newest.digest).filter(|_| query.feed.is_whole_collection()),
                }
            }
            Feed::Everything => {
                let catalog = shared.catalog();
                let told = catalog
                    .iter()
                    .filter(|collection| collection.path.as_str() != TRANSACTIONS);
                let floors = told
                    .map(|collection| floors(collection))
                    .fold(Floors::default(), Floors::max);
                Self {
                    since,
                    head: published,
                    oldest: floors.oldest(query.versions),
                    history: floors.history,
                    digest: None,
                }
            }
        };
        (asked.oldest <= since).then_some(asked)
    }

    /// The page that says so, if there is no news.
    pub(in crate::embedded) fn no_news(
        &self,
        shared: &Shared,
        query: &ChangesQuery,
    ) -> Option<ChangesPage> {
        (self.head <= self.since).then(|| ChangesPage {
            items: Vec::new(),
            position: query.since,
            closed: false,
            immutable: false,
            oldest: shared.lineage.position(self.oldest),
            digest: self.digest,
        })
    }

    /// Whether a page that was made for the same question still answers it.
    pub(in crate::embedded) fn is_answered_by(&self, page: &Arc<ChangesPage>) -> bool {
        if page.closed {
            page.immutable && self.since >= self.history
        } else {
            page.position.sequence() == self.head && page.oldest.sequence() == self.oldest
        }
    }

    /// Whether the answer takes microseconds, and so is best read on the thread that asks.
    pub(in crate::embedded) fn is_quick(&self) -> bool {
        self.head - self.since.min(self.head) <= QUICK_COMMITS_MAX
    }
}

fn has_feed(collection: &Collection) -> bool {
    let path = &collection.path;
    (collection.definition.is_some() || path.is_reserved()) && path.as_str() != TRANSACTIONS
}

/// By the marks of now.
fn floors(collection: &Collection) -> Floors {
    Floors {
        history: collection.marks.history_floor(),
        tombstones: collection.marks.tombstone_floor(),
    }
}
