//! Names of what is stored: collections, parents, resources. Knows nothing of URLs' escaping.

use std::{fmt, sync::Arc};

use milepost_semantics::{CollectionName, ResourceId};

/// The collection of definitions. Its resources' ids are the names of collections.
pub const COLLECTIONS: &str = "-.collections";
/// The collection of transaction outcomes. Its resources' ids are UUIDs.
pub const TRANSACTIONS: &str = "-.transactions";
/// How many collections may lie within one another: `/a/1/b/2/c/3`.
pub const DEPTH_MAX: usize = 3;

/// The full name of a collection: `accounts`, or `accounts.transactions` for a child collection.
///
/// Up to [`DEPTH_MAX`] names joined by dots, or one of the service's own ([`COLLECTIONS`],
/// [`TRANSACTIONS`]), which begin with a hyphen and so can never clash with a user's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CollectionPath(Arc<str>);

impl CollectionPath {
    /// The path of a collection that lies at the top.
    #[must_use]
    pub fn top(name: &CollectionName) -> Self {
        Self(Arc::clone(name.as_shared()))
    }

    /// The path of the child collection `name` of this one, or `None` where it would lie too deep.
    #[must_use]
    pub fn child(&self, name: &CollectionName) -> Option<Self> {
        (self.depth() < DEPTH_MAX).then(|| Self(Arc::from(format!("{}.{}", self.0, name.as_str()))))
    }

    /// The collection of definitions.
    #[must_use]
    pub fn collections() -> Self {
        Self(Arc::from(COLLECTIONS))
    }

    /// The collection of transaction outcomes.
    #[must_use]
    pub fn transactions() -> Self {
        Self(Arc::from(TRANSACTIONS))
    }

    /// Reads `accounts.transactions`, or `None` where a name is malformed or there are too many.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.split('.').count() <= DEPTH_MAX
            && text
                .split('.')
                .all(|name| name.parse::<CollectionName>().is_ok());
        let reserved = text == COLLECTIONS || text == TRANSACTIONS;
        (well_formed || reserved).then(|| Self(Arc::from(text)))
    }

    /// The name with its dots.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names from the outermost collection to this one.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.split('.')
    }

    /// How many collections deep: 1 at the top.
    #[must_use]
    pub fn depth(&self) -> usize {
        if self.is_reserved() {
            1
        } else {
            self.0.split('.').count()
        }
    }

    /// Whether it lies in no other collection.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.is_reserved() || !self.0.contains('.')
    }

    /// The collection whose resources are the parents of this one's; `None` at the top.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        if self.is_reserved() {
            return None;
        }
        self.0
            .rsplit_once('.')
            .map(|(parent, _)| Self(Arc::from(parent)))
    }

    /// Whether `self` is a direct child collection of `other`.
    #[must_use]
    pub fn is_child_of(&self, other: &Self) -> bool {
        self.parent().as_ref() == Some(other)
    }

    /// Whether this is one of the service's own collections.
    #[must_use]
    pub fn is_reserved(&self) -> bool {
        self.0.starts_with('-')
    }
}

impl fmt::Debug for CollectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for CollectionPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ids of the resources that a resource lies below, outermost first, joined by slashes.
///
/// Empty at the top. An id holds no slash, so the form is unambiguous.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ParentPath(Arc<str>);

impl Default for ParentPath {
    fn default() -> Self {
        Self::top()
    }
}

impl ParentPath {
    /// The empty path.
    #[must_use]
    pub fn top() -> Self {
        // Shared by all, unlike one made from a text.
        Self(Arc::default())
    }

    /// The path of what lies below the resource `id` at this path.
    #[must_use]
    pub fn child(&self, id: &ResourceId) -> Self {
        if self.0.is_empty() {
            Self(Arc::from(id.as_str()))
        } else {
            Self(Arc::from(format!("{}/{}", self.0, id.as_str())))
        }
    }

    /// A path as it was stored by [`ParentPath::as_str`]. Not for input: its ids are not checked.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        if text.is_empty() {
            return Self::top();
        }
        Self(Arc::from(text))
    }

    /// The ids joined by slashes.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The ids, outermost first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.0.split('/').filter(|id| !id.is_empty())
    }
}

impl fmt::Debug for ParentPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What names one resource in a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ResourceKey {
    /// The collection it lies in.
    pub collection: CollectionPath,
    /// The resources it lies below; as many ids as the collection is deep, less one.
    pub parent: ParentPath,
    /// Its id within collection and parent.
    pub id: ResourceId,
}

impl ResourceKey {
    /// A resource in a collection at the top.
    #[must_use]
    pub fn top(collection: CollectionPath, id: ResourceId) -> Self {
        Self {
            collection,
            parent: ParentPath::top(),
            id,
        }
    }

    /// The key of a collection's definition.
    ///
    /// `None` where the collection's name is longer than an id may be.
    #[must_use]
    pub fn definition(collection: &CollectionPath) -> Option<Self> {
        let id = collection.as_str().parse().ok()?;
        Some(Self::top(CollectionPath::collections(), id))
    }

    /// The resource that this one lies below; `None` at the top.
    #[must_use]
    pub fn parent_key(&self) -> Option<Self> {
        let collection = self.collection.parent()?;
        let (parent, id) = match self.parent.0.rsplit_once('/') {
            Some((parent, id)) => (ParentPath(Arc::from(parent)), id),
            None => (ParentPath::top(), self.parent.as_str()),
        };
        Some(Self {
            collection,
            parent,
            id: id.parse().ok()?,
        })
    }

    /// The parent path of what lies below this resource.
    #[must_use]
    pub fn as_parent(&self) -> ParentPath {
        self.parent.child(&self.id)
    }
}

/// Which parents' resources a listing shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The resources directly below this path (the whole collection, at the top).
    Of(ParentPath),
    /// The resources below this path, across all parents: `/accounts/-/transactions`.
    Below(ParentPath),
}

impl Scope {
    /// Whether every resource of a collection is shown.
    #[must_use]
    pub fn is_whole(&self, collection: &CollectionPath) -> bool {
        match self {
            Self::Of(path) => path.as_str().is_empty() && collection.depth() == 1,
            Self::Below(path) => path.as_str().is_empty(),
        }
    }

    /// Whether a resource below `parent` is shown.
    #[must_use]
    pub fn contains(&self, parent: &ParentPath) -> bool {
        match self {
            Self::Of(path) => path == parent,
            Self::Below(path) if path.as_str().is_empty() => true,
            Self::Below(path) => {
                parent
                    .as_str()
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.starts_with('/'))
                    || parent == path
            }
        }
    }
}
