//! The library that `milepost demo` shows: authors, books, and what readers said of them.
//!
//! The data are ours, in `demo/`: definitions, and resources as `milepost export` writes them.

use bytes::Bytes;
use milepost_semantics::{Preconditions, ResourceId};
use milepost_store::{
    Change, CollectionPath, Document, Operation, Outcome, ParentPath, ResourceKey, Store,
    Transaction,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{exit::Failure, storage};

const DEFINITIONS: [(&str, &str); 8] = [
    ("flows", include_str!("../demo/definitions/flows.json")),
    (
        "documents",
        include_str!("../demo/definitions/documents.json"),
    ),
    (
        "registrations",
        include_str!("../demo/definitions/registrations.json"),
    ),
    (
        "editions",
        include_str!("../demo/definitions/editions.json"),
    ),
    ("orders", include_str!("../demo/definitions/orders.json")),
    ("authors", include_str!("../demo/definitions/authors.json")),
    ("books", include_str!("../demo/definitions/books.json")),
    (
        "books.reviews",
        include_str!("../demo/definitions/books.reviews.json"),
    ),
];
/// Flows, by name: resources of `flows`.
const FLOWS: [(&str, &str); 2] = [
    (
        "registration",
        include_str!("../demo/flows/registration.json"),
    ),
    ("checkout", include_str!("../demo/flows/checkout.json")),
];
const RESOURCES: &str = include_str!("../demo/library.ndjson");

/// A line of the resources.
#[derive(Debug, Deserialize)]
struct Line<'a> {
    collection: String,
    #[serde(default)]
    parents: Vec<String>,
    id: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// Puts the library into a store that doesn't have its collections yet; leaves any other alone.
pub(crate) async fn load(store: &dyn Store) -> Result<(), Failure> {
    let defined = CollectionPath::parse("books");
    if defined.is_some_and(|books| store.definitions().of(&books).is_some()) {
        return Ok(());
    }
    for (name, text) in DEFINITIONS {
        let path = CollectionPath::parse(name).ok_or_else(broken)?;
        let key = ResourceKey::definition(&path).ok_or_else(broken)?;
        write(store, vec![put(key, text)?]).await?;
    }
    let flows = CollectionPath::parse("flows").ok_or_else(broken)?;
    let flow = |(name, text): (&str, &str)| {
        let id = name.parse().map_err(|_error| broken())?;
        put(ResourceKey::top(flows.clone(), id), text)
    };
    let flows = FLOWS.into_iter().map(flow);
    let resources = RESOURCES.lines().map(operation);
    let operations: Result<Vec<Operation>, Failure> = resources.chain(flows).collect();
    write(store, operations?).await
}

fn operation(line: &str) -> Result<Operation, Failure> {
    let line: Line<'_> = serde_json::from_str(line).map_err(|_error| broken())?;
    let id = |text: &str| text.parse::<ResourceId>().map_err(|_error| broken());
    let mut parent = ParentPath::top();
    for ancestor in &line.parents {
        parent = parent.child(&id(ancestor)?);
    }
    let collection = CollectionPath::parse(&line.collection).ok_or_else(broken)?;
    put(
        ResourceKey {
            collection,
            parent,
            id: id(&line.id)?,
        },
        line.value.get(),
    )
}

fn put(key: ResourceKey, text: &str) -> Result<Operation, Failure> {
    let value: Value = serde_json::from_str(text).map_err(|_error| broken())?;
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    Ok(Operation {
        key,
        preconditions: Preconditions::default(),
        change: Change::Put(Document { bytes, value }),
    })
}

async fn write(store: &dyn Store, operations: Vec<Operation>) -> Result<(), Failure> {
    match store
        .write(Transaction {
            operations,
            record: None,
            guard: None,
        })
        .await
    {
        Ok(Outcome::Committed(_)) => Ok(()),
        Ok(other) => Err(Failure::failed(format!(
            "the library can't be loaded: {other:?}"
        ))),
        Err(error) => Err(Failure::failed(storage::with_sources(&error))),
    }
}

fn broken() -> Failure {
    Failure::failed("the library in this program is damaged")
}

#[cfg(test)]
mod tests {
    use milepost_store::memory::MemoryStore;

    use super::*;

    #[tokio::test]
    async fn the_library_keeps_its_own_definitions() {
        let store = MemoryStore::new();
        load(&store).await.unwrap();
        let head = store.head();
        load(&store).await.unwrap();
        assert_eq!(store.head(), head, "a library that is there is left alone");
    }
}
