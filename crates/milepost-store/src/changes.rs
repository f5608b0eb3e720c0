//! What is asked of a feed of changes, and the page that answers (protocol §6).
//!
//! A page tells what changed after one position, up to another. By default it tells *state*: each
//! resource once, as of the page's end. Applying pages in order converges on the state at the last
//! page's end, exactly. Where pages end is ruled by [`page_end`](crate::page_end), so that clients
//! that started at different positions soon ask for the same pages.

use milepost_semantics::Position;

use crate::{
    CollectionPath, IndexFilter, PageLimit, ParentPath, ResourceKey, Scope, SetDigest, Version,
};

/// Which changes are told.
#[derive(Clone, Debug, PartialEq)]
pub enum Feed {
    /// Those of one collection. Any but the recorded outcomes of transactions, which are forgotten
    /// without a trace.
    Collection {
        /// The collection.
        collection: CollectionPath,
        /// Which parents' resources.
        scope: Scope,
        /// All must hold. Names of declared indexes, each at most once.
        filters: Vec<IndexFilter>,
    },
    /// Those of every collection, definitions included, in the order of commits. Without the
    /// recorded outcomes of transactions.
    Everything,
}

/// A question for changes.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangesQuery {
    /// Which changes.
    pub feed: Feed,
    /// After which position. Any position that this store committed will do, whichever collection
    /// it was handed out for.
    pub since: Position,
    /// Whether every version is told, in order, instead of the state at the page's end.
    pub versions: bool,
    /// How much fits on the page.
    ///
    /// A transaction is never split: one that is larger than this is a page of its own.
    pub limit: PageLimit,
}

/// What became of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The resource.
    pub key: ResourceKey,
    /// Without body where whoever follows must forget the resource: the write at this position
    /// deleted it, or made it leave the filter. Forgetting what was never held is harmless, and
    /// sometimes asked for: where it is no longer known what passed the filter at `since`, or where
    /// a resource was made and deleted since.
    pub version: Version,
}

impl ChangesQuery {
    /// Whether it may be answered from one parent's children, as long as those are few: its pages
    /// then end elsewhere.
    #[must_use]
    pub fn may_be_among_few(&self) -> bool {
        !self.versions && self.feed.parent().is_some()
    }
}

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangesPage {
    /// In the order of commits, and within one commit in that of its operations. May be none, also
    /// while `closed`: a page also ends when enough was looked at.
    pub items: Vec<Changed>,
    /// Where the page ends: everything up to here has been told. At the head this is the head of
    /// the collection (of the store, for [`Feed::Everything`]), and never before `since`.
    pub position: Position,
    /// Whether there is more now: the page ends before the head.
    pub closed: bool,
    /// Whether the same question is answered by the same items and position for as long as it can
    /// be answered. A closed page is, as long as the state at `since` is still remembered and its end
    /// doesn't depend on how much there is to show. Before that, versions that were superseded since
    /// are left out: they come later.
    pub immutable: bool,
    /// The oldest position whose changes are complete. Moves on with time, so it is no part of what
    /// is immutable: a page that ends before the head may tell what it was a while ago.
    pub oldest: Position,
    /// What a follower holds who applied everything up to `position`: only at the head, and only of
    /// a whole collection, unfiltered.
    pub digest: Option<SetDigest>,
}

impl Feed {
    /// Every change of a collection, whatever lies above it.
    #[must_use]
    pub fn of(collection: CollectionPath) -> Self {
        Self::Collection {
            collection,
            scope: Scope::Below(ParentPath::top()),
            filters: Vec::new(),
        }
    }

    /// Whether nothing of a collection is left out.
    #[must_use]
    pub fn is_whole_collection(&self) -> bool {
        match self {
            Self::Collection {
                collection,
                scope,
                filters,
            } => filters.is_empty() && scope.is_whole(collection),
            Self::Everything => false,
        }
    }

    /// The parent whose children it is about, all of them and no more.
    #[must_use]
    pub fn parent(&self) -> Option<&ParentPath> {
        match self {
            Self::Collection {
                scope: Scope::Of(parent),
                filters,
                ..
            } if filters.is_empty() && !self.is_whole_collection() => Some(parent),
            _ => None,
        }
    }

    /// Whether telling a change takes more than knowing that there was one.
    #[must_use]
    pub fn is_partial(&self) -> bool {
        !matches!(self, Self::Everything) && !self.is_whole_collection()
    }
}
