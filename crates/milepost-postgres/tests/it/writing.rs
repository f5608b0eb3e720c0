//! Writing to a store past the service, in one line.

use std::sync::Arc;

use milepost_semantics::{EntityTag, Position, Preconditions};
use milepost_store::{
    Change, CollectionPath, Document, Operation, Outcome, ResourceKey, Store, Transaction, Version,
};
use serde_json::{Value, json};

pub(crate) type Node = Arc<dyn Store>;

pub(crate) fn key(collection: &str, id: &str) -> ResourceKey {
    let collection = CollectionPath::parse(collection).expect("a name");
    ResourceKey::top(collection, id.parse().expect("an id"))
}

pub(crate) fn put(key: &ResourceKey, value: &Value, preconditions: Preconditions) -> Transaction {
    let document = Document {
        bytes: value.to_string().into(),
        value: value.clone(),
    };
    Transaction::single(Operation {
        key: key.clone(),
        preconditions,
        change: Change::Put(document),
    })
}

pub(crate) async fn outcome(node: &Node, transaction: Transaction) -> Outcome {
    node.write(transaction)
        .await
        .expect("a database that works")
}

pub(crate) async fn written(node: &Node, transaction: Transaction) -> Version {
    match outcome(node, transaction).await {
        Outcome::Committed(committed) => {
            let applied = committed.applied.into_iter().next().expect("one");
            applied.version.expect("a version")
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn define(node: &Node, collection: &str, definition: &Value) -> Position {
    let path = CollectionPath::parse(collection).expect("a name");
    let key = ResourceKey::definition(&path).expect("an id");
    let standing = node.read(&key, None).await.expect("a read");
    let condition = match standing {
        Some(version) => Preconditions::if_match(EntityTag::from(version.position)),
        None => Preconditions::if_none_match_any(),
    };
    written(node, put(&key, definition, condition))
        .await
        .position
}

pub(crate) fn open() -> Value {
    json!({ "preconditions": "optional" })
}
