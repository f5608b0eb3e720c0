//! Bad luck: a log that ends anywhere, a disk that is full or broken, a process that is killed. What
//! was acknowledged is there, what wasn't is there whole or not at all.

mod disk;
mod killed;
mod log;

use std::{path::Path, sync::Arc};

use milepost_semantics::Preconditions;
use milepost_store::{
    Change, CollectionPath, Document, Operation, Outcome, ResourceKey, Store, Transaction,
    WriteError,
    embedded::{Embedded, Options},
};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};

pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

pub(crate) fn open(directory: &Path, options: Options) -> Arc<dyn Store> {
    Arc::new(Embedded::open(directory, options).expect("a store"))
}

pub(crate) fn key(id: &str) -> ResourceKey {
    let things = CollectionPath::parse("things").expect("a name");
    ResourceKey::top(things, id.parse().expect("an id"))
}

pub(crate) fn put(key: &ResourceKey, value: &Value) -> Operation {
    let document = Document {
        bytes: value.to_string().into(),
        value: value.clone(),
    };
    Operation {
        key: key.clone(),
        preconditions: Preconditions::default(),
        change: Change::Put(document),
    }
}

/// Writes all of `operations` in one transaction that holds, or says what the storage said.
pub(crate) async fn write(
    store: &Arc<dyn Store>,
    operations: Vec<Operation>,
) -> Result<(), WriteError> {
    match store
        .write(Transaction {
            operations,
            record: None,
            guard: None,
        })
        .await?
    {
        Outcome::Committed(_) => Ok(()),
        other => panic!("the transaction should have held: {other:?}"),
    }
}

/// Declares the collection of things, without conditions.
pub(crate) async fn define(store: &Arc<dyn Store>) {
    define_as(store, &json!({ "preconditions": "optional" })).await;
}

pub(crate) async fn define_as(store: &Arc<dyn Store>, definition: &Value) {
    let things = CollectionPath::parse("things").expect("a name");
    let key = ResourceKey::definition(&things).expect("a name that is an id");
    write(store, vec![put(&key, definition)])
        .await
        .expect("room for a definition");
}

/// What stands, as JSON.
pub(crate) async fn standing(store: &Arc<dyn Store>, id: &str) -> Option<Value> {
    let version = store
        .read(&key(id), None)
        .await
        .expect("a resource can be read")?;
    version
        .body
        .map(|body| serde_json::from_slice(&body).expect("JSON"))
}
