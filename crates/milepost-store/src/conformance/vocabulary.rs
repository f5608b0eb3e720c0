//! The words that promises are written in: short names for asking a store and for what must come
//! back. Whatever else comes back is a panic.

use std::sync::Arc;

use bytes::Bytes;
use milepost_semantics::{
    EntityTag, Position, Preconditions,
    index::{Filter, ValueType},
    json,
};
use serde_json::Value;

use crate::{
    Applied, Change, ChangesPage, ChangesQuery, CollectionPath, CollectionState, Committed,
    Document, Failure, Feed, IndexFilter, ListQuery, Listed, Operation, Outcome, Page, PageLimit,
    ReadError, Rejected, ResourceKey, SortKey, Store, Transaction, Version,
};

/// No promise needs more than this on one page.
pub(super) const EVERYTHING: PageLimit = PageLimit {
    items: 100_000,
    bytes: 1 << 30,
};

pub(super) fn path(name: &str) -> CollectionPath {
    CollectionPath::parse(name).expect("a collection's name")
}

pub(super) fn key(collection: &str, id: &str) -> ResourceKey {
    ResourceKey::top(path(collection), id.parse().expect("an id"))
}

/// A resource of a child collection, by the child collection's own name.
pub(super) fn below(parent: &ResourceKey, name: &str, id: &str) -> ResourceKey {
    let name = name.parse().expect("a collection's name");
    let collection = parent
        .collection
        .child(&name)
        .expect("a collection not too deep");
    ResourceKey {
        collection,
        parent: parent.as_parent(),
        id: id.parse().expect("an id"),
    }
}

/// A document of exactly this text.
pub(super) fn text(text: &str) -> Document {
    let value = json::parse(text.as_bytes(), json::Limits::default()).expect("strict JSON");
    Document {
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        value,
    }
}

pub(super) fn document(value: &Value) -> Document {
    text(&value.to_string())
}

fn operation(key: &ResourceKey, change: Change) -> Operation {
    Operation {
        key: key.clone(),
        preconditions: Preconditions::default(),
        change,
    }
}

pub(super) fn put(key: &ResourceKey, value: &Value) -> Operation {
    operation(key, Change::Put(document(value)))
}

pub(super) fn put_text(key: &ResourceKey, body: &str) -> Operation {
    operation(key, Change::Put(text(body)))
}

pub(super) fn merge_patch(key: &ResourceKey, patch: Value) -> Operation {
    operation(key, Change::MergePatch(patch))
}

pub(super) fn delete(key: &ResourceKey) -> Operation {
    operation(key, Change::Delete)
}

pub(super) fn check(key: &ResourceKey) -> Operation {
    operation(key, Change::Check)
}

/// Under which condition an operation is made.
pub(super) trait When {
    fn when(self, preconditions: Preconditions) -> Self;
    fn if_match(self, position: Position) -> Self;
    fn if_absent(self) -> Self;
}

impl When for Operation {
    fn when(self, preconditions: Preconditions) -> Self {
        Self {
            preconditions,
            ..self
        }
    }

    fn if_match(self, position: Position) -> Self {
        self.when(Preconditions::if_match(EntityTag::from(position)))
    }

    fn if_absent(self) -> Self {
        self.when(Preconditions::if_none_match_any())
    }
}

pub(super) async fn outcome(store: &Arc<dyn Store>, transaction: Transaction) -> Outcome {
    store.write(transaction).await.expect("storage that works")
}

/// Writes all operations in one transaction that must hold.
pub(super) async fn committed(store: &Arc<dyn Store>, operations: Vec<Operation>) -> Committed {
    match outcome(
        store,
        Transaction {
            operations,
            record: None,
            guard: None,
        },
    )
    .await
    {
        Outcome::Committed(committed) => committed,
        other => panic!("the transaction should have held, but: {other:?}"),
    }
}

/// Tries all operations in one transaction that must not hold.
pub(super) async fn rejected(store: &Arc<dyn Store>, operations: Vec<Operation>) -> Rejected {
    match outcome(
        store,
        Transaction {
            operations,
            record: None,
            guard: None,
        },
    )
    .await
    {
        Outcome::Rejected(rejected) => rejected,
        other => panic!("the transaction should not have held, but: {other:?}"),
    }
}

/// Makes one operation that must hold.
pub(super) async fn applied(store: &Arc<dyn Store>, operation: Operation) -> Applied {
    let committed = committed(store, vec![operation]).await;
    committed
        .applied
        .into_iter()
        .next()
        .expect("one result for one operation")
}

/// Makes one operation that must leave a version.
pub(super) async fn written(store: &Arc<dyn Store>, operation: Operation) -> Version {
    applied(store, operation)
        .await
        .version
        .expect("a version that stands")
}

/// Tries one operation that must not hold.
pub(super) async fn failure(store: &Arc<dyn Store>, operation: Operation) -> Failure {
    let rejected = rejected(store, vec![operation]).await;
    let mut failures = rejected.failures.into_iter();
    match (failures.next(), failures.next()) {
        (Some((0, failure)), None) => failure,
        other => panic!("one failure of operation 0 expected, but: {other:?}"),
    }
}

/// Declares a collection that is new, or changes what is declared.
pub(super) async fn define(
    store: &Arc<dyn Store>,
    collection: &str,
    definition: &Value,
) -> Version {
    let key = ResourceKey::definition(&path(collection)).expect("a name that is an id");
    let standing = store
        .read(&key, None)
        .await
        .expect("a definition can be read");
    let standing = standing.filter(|version| !version.is_deleted());
    let operation = put(&key, definition);
    let operation = match standing {
        Some(version) => operation.if_match(version.position),
        None => operation.if_absent(),
    };
    written(store, operation).await
}

/// Declares a collection whose resources can be changed without a condition.
pub(super) async fn define_open(store: &Arc<dyn Store>, collection: &str) {
    define(
        store,
        collection,
        &serde_json::json!({ "preconditions": "optional" }),
    )
    .await;
}

pub(super) async fn read(store: &Arc<dyn Store>, key: &ResourceKey) -> Option<Version> {
    store.read(key, None).await.expect("a resource can be read")
}

/// The representation that stands, or `None`.
pub(super) async fn body(store: &Arc<dyn Store>, key: &ResourceKey) -> Option<Bytes> {
    read(store, key).await.and_then(|version| version.body)
}

pub(super) async fn state(store: &Arc<dyn Store>, collection: &str) -> CollectionState {
    let state = store
        .collection(&path(collection))
        .await
        .expect("a collection can be asked for");
    state.expect("a collection that is defined")
}

/// A question for everything in a collection, on one page.
pub(super) fn all(collection: &str) -> ListQuery {
    ListQuery::all(path(collection), EVERYTHING)
}

/// Filters as a URL writes them, values by shape.
pub(super) fn filters(written: &[(&str, &[&str])]) -> Vec<IndexFilter> {
    let filter = |text: &&str| Filter::parse(text, ValueType::Any).expect("a filter");
    let of_index = |(index, any_of): &(&str, &[&str])| IndexFilter {
        index: (*index).to_owned(),
        any_of: any_of.iter().map(filter).collect(),
    };
    written.iter().map(of_index).collect()
}

/// Sort keys as a URL writes them: `-` for descending.
pub(super) fn sort(written: &[&str]) -> Vec<SortKey> {
    let key = |text: &&str| match text.strip_prefix('-') {
        Some(index) => SortKey {
            index: index.to_owned(),
            descending: true,
        },
        None => SortKey {
            index: (*text).to_owned(),
            descending: false,
        },
    };
    written.iter().map(key).collect()
}

pub(super) async fn page(store: &Arc<dyn Store>, query: &ListQuery) -> Page {
    store.list(query).await.expect("a collection can be listed")
}

pub(super) async fn refused(store: &Arc<dyn Store>, query: &ListQuery) -> ReadError {
    match store.list(query).await {
        Err(error) => error,
        Ok(page) => panic!("the question should have been refused, but: {page:?}"),
    }
}

/// A question for every change in a collection since a position, on one page.
pub(super) fn since(collection: &str, since: Position) -> ChangesQuery {
    ChangesQuery {
        feed: Feed::of(path(collection)),
        since,
        versions: false,
        limit: EVERYTHING,
    }
}

pub(super) async fn changes(store: &Arc<dyn Store>, query: &ChangesQuery) -> Arc<ChangesPage> {
    store.changes(query).await.expect("changes can be told")
}

/// Every page of changes in turn, to the head.
pub(super) async fn follow(store: &Arc<dyn Store>, query: &ChangesQuery) -> Vec<Arc<ChangesPage>> {
    let mut query = query.clone();
    let mut pages = Vec::new();
    loop {
        let page = changes(store, &query).await;
        query.since = page.position;
        let is_last = !page.closed;
        pages.push(page);
        if is_last {
            return pages;
        }
    }
}

/// What a page tells: id and representation, or `None` for what is gone.
pub(super) fn told(page: &ChangesPage) -> Vec<(&str, Option<Value>)> {
    let value = |body: &Bytes| serde_json::from_slice(body).expect("JSON");
    let told = page.items.iter().map(|item| {
        let body = item.version.body.as_ref().map(value);
        (item.key.id.as_str(), body)
    });
    told.collect()
}

/// Every page of a listing in turn, `items` at most on each.
pub(super) async fn walk(store: &Arc<dyn Store>, query: &ListQuery, items: usize) -> Vec<Listed> {
    let mut query = query.clone();
    query.limit.items = items;
    let mut found = Vec::new();
    loop {
        let page = page(store, &query).await;
        assert!(
            page.items.len() <= items,
            "a page of more than {items} items"
        );
        found.extend(page.items);
        match page.next {
            Some(next) => query.after = Some(next),
            None => return found,
        }
    }
}

pub(super) fn ids(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.key.id.as_str()).collect()
}

/// The ids that a question finds, on one page.
pub(super) async fn found(store: &Arc<dyn Store>, query: &ListQuery) -> Vec<String> {
    let page = page(store, query).await;
    ids(&page.items).into_iter().map(str::to_owned).collect()
}
