//! What is asked of a collection's listing, and the page that answers.

use milepost_semantics::{
    Position, ResourceId,
    index::{Comparison, Filter, IndexValue},
};

use crate::{CollectionPath, ParentPath, ResourceKey, Scope, Version};

/// How much fits on a page. At least one item always does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PageLimit {
    /// The most items.
    pub items: usize,
    /// The most bytes of representations, in total.
    pub bytes: usize,
}

/// A condition on one declared index: any of the filters must hold, where those that bound a value
/// (`gt`, `gte`, `lt`, `lte`) count together as one that they all make up, a range.
#[derive(Clone, Debug, PartialEq)]
pub struct IndexFilter {
    /// The index's name.
    pub index: String,
    /// At least one; holding any suffices, of the bounds all.
    pub any_of: Vec<Filter>,
}

impl IndexFilter {
    /// Whether a resource with this value is meant.
    #[must_use]
    pub fn matches(&self, value: &IndexValue) -> bool {
        let mut bounds = self.bounds().peekable();
        let is_bounded = bounds.peek().is_some();
        (is_bounded && bounds.all(|bound| bound.matches(value)))
            || self.alternatives().any(|filter| filter.matches(value))
    }

    /// The filters that hold together or not at all.
    pub fn bounds(&self) -> impl Iterator<Item = &Filter> {
        self.any_of.iter().filter(|filter| is_bound(filter))
    }

    /// The filters of which any will do.
    pub fn alternatives(&self) -> impl Iterator<Item = &Filter> {
        self.any_of.iter().filter(|filter| !is_bound(filter))
    }
}

fn is_bound(filter: &Filter) -> bool {
    match filter.comparison() {
        Comparison::Gt | Comparison::Ge | Comparison::Lt | Comparison::Le => true,
        Comparison::Eq | Comparison::Ne | Comparison::Prefix | Comparison::Exists => false,
    }
}

/// One key to sort by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// The index's name.
    pub index: String,
    /// Largest first.
    pub descending: bool,
}

/// Where a page ended: the last resource shown, with the values it is ordered by.
///
/// Holds no state of the store: any node can continue from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The encoded index values that come before parent and id in this listing's order.
    pub values: Vec<Vec<u8>>,
    /// The last resource's parent.
    pub parent: ParentPath,
    /// The last resource's id.
    pub id: ResourceId,
}

/// A question to a collection.
///
/// Without `sort` and `text` the order is by (parent, id), or, where a filter is carried by an
/// index, by that index's (value, parent, id): total, and the same on every page.
#[derive(Clone, Debug)]
pub struct ListQuery {
    /// The collection.
    pub collection: CollectionPath,
    /// Which parents' resources.
    pub scope: Scope,
    /// All must hold. Names of declared indexes, each at most once.
    pub filters: Vec<IndexFilter>,
    /// Words to look for in the declared text. The newest change comes first.
    pub text: Option<String>,
    /// What to order by. Not together with `text`.
    pub sort: Vec<SortKey>,
    /// Where the previous page ended.
    pub after: Option<Cursor>,
    /// Shows the state exactly as of this position; now where absent. Not together with `sort` or `text`.
    pub at: Option<Position>,
    /// How much fits on the page.
    pub limit: PageLimit,
    /// Whether to count what matches, where that is cheap.
    pub total: bool,
}

impl ListQuery {
    /// Everything in a collection, now, in default order.
    #[must_use]
    pub fn all(collection: CollectionPath, limit: PageLimit) -> Self {
        Self {
            collection,
            scope: Scope::Below(ParentPath::top()),
            filters: Vec::new(),
            text: None,
            sort: Vec::new(),
            after: None,
            at: None,
            limit,
            total: false,
        }
    }
}

/// A resource on a page.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The resource.
    pub key: ResourceKey,
    /// The version as of the page's position. Never a tombstone.
    pub version: Version,
}

/// A page of a listing.
#[derive(Clone, Debug)]
pub struct Page {
    /// The resources, in order. May be fewer than the limit, even none, while `next` is there: a
    /// page also ends when enough was looked at.
    pub items: Vec<Listed>,
    /// Where to go on; `None` at the end.
    pub next: Option<Cursor>,
    /// The position that the page shows.
    pub position: Position,
    /// How many match in all, if it was asked for and cheap.
    pub total: Option<u64>,
}

/// A page of a resource's retained versions, newest first.
#[derive(Clone, Debug)]
pub struct VersionPage {
    /// The versions, tombstones included.
    pub versions: Vec<Version>,
    /// Ask for what came before this position to go on; `None` at the oldest retained.
    pub before: Option<Position>,
}
