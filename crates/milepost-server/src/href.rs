//! From names to URLs: the other direction of [`crate::route`]. Path-absolute, never with a host.

use milepost_semantics::Position;
use milepost_store::{CollectionPath, ParentPath, ResourceKey, Scope};

use crate::route::{Address, Followed};

/// The URL of a resource.
pub(crate) fn resource(base: &str, key: &ResourceKey) -> String {
    let mut url = collection(base, &key.collection, &key.parent);
    url.push('/');
    url.push_str(key.id.as_str());
    url
}

/// The URL of a collection below one parent.
pub(crate) fn collection(base: &str, collection: &CollectionPath, parent: &ParentPath) -> String {
    path(base, collection, parent.ids())
}

/// The URL of a collection, which may be that across parents.
pub(crate) fn address(base: &str, address: &Address) -> String {
    match &address.scope {
        Scope::Of(parent) => path(base, &address.collection, parent.ids()),
        Scope::Below(parent) => path(
            base,
            &address.collection,
            parent.ids().chain(std::iter::repeat("-")),
        ),
    }
}

/// The URL of a collection; of a child collection, across all parents.
pub(crate) fn everywhere(base: &str, collection: &CollectionPath) -> String {
    path(base, collection, std::iter::repeat("-"))
}

/// The URL of one version of a resource.
pub(crate) fn version(base: &str, key: &ResourceKey, position: Position) -> String {
    format!("{}/versions/{position}", resource(base, key))
}

/// The URL of the collection of definitions.
pub(crate) fn definitions(base: &str) -> String {
    format!("{base}/-/collections")
}

/// The URL of a flow.
pub(crate) fn flow(base: &str, name: &str) -> String {
    format!("{base}/-/flows/{name}")
}

/// The URL of a transaction's outcome.
pub(crate) fn transaction(base: &str, id: &str) -> String {
    format!("{base}/-/transactions/{id}")
}

/// Collections' URLs for items that follow one another: that of one collection and parent is made
/// once.
#[derive(Debug, Default)]
pub(crate) struct Place {
    of: Option<(CollectionPath, ParentPath)>,
    url: String,
}

impl Place {
    /// The URL of the collection that a resource lies in, with a slash at its end.
    pub(crate) fn url(&mut self, base: &str, key: &ResourceKey) -> &str {
        let is_same = self
            .of
            .as_ref()
            .is_some_and(|(of, parent)| *parent == key.parent && *of == key.collection);
        if !is_same {
            self.url = collection(base, &key.collection, &key.parent);
            self.url.push('/');
            self.of = Some((key.collection.clone(), key.parent.clone()));
        }
        &self.url
    }
}

/// The URL of what is followed, to which `/changes` and `/snapshots` are added.
pub(crate) fn followed(base: &str, followed: &Followed) -> String {
    match followed {
        Followed::Collection(of) => address(base, of),
        Followed::Everything => format!("{base}/-"),
    }
}

/// Collection names with the ids between them.
fn path<'a>(base: &str, collection: &CollectionPath, ids: impl Iterator<Item = &'a str>) -> String {
    let mut url = String::with_capacity(base.len() + 64);
    url.push_str(base);
    if collection.is_reserved() {
        // `-.collections` stands at `/-/collections`.
        url.push_str("/-/");
        url.push_str(collection.as_str().trim_start_matches("-."));
        return url;
    }
    let mut ids = ids;
    for (depth, name) in collection.names().enumerate() {
        if depth > 0 {
            url.push('/');
            url.push_str(ids.next().unwrap_or("-"));
        }
        url.push('/');
        url.push_str(name);
    }
    url
}
