//! Child collections: nothing lies below what does not exist.

use std::sync::Arc;

use serde_json::json;

use super::{
    Fixture,
    vocabulary::{
        all, below, body, committed, define, define_open, delete, failure, key, page, put, read,
        rejected, written,
    },
};
use crate::{Effect, Failure, Store};

/// Accounts with transactions with entries below them.
async fn define_three_levels(store: &Arc<dyn Store>, on_parent_delete: &str) {
    define_open(store, "accounts").await;
    for child in ["accounts.transactions", "accounts.transactions.entries"] {
        let definition = json!({ "preconditions": "optional", "onParentDelete": on_parent_delete });
        define(store, child, &definition).await;
    }
}

/// A resource needs its parent; a parent that was deleted is none.
pub async fn a_resource_needs_its_parent<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_three_levels(store, "restrict").await;
    let account = key("accounts", "17");
    let transaction = below(&account, "transactions", "t1");
    match failure(store, put(&transaction, &json!(1))).await {
        Failure::ParentNotFound { parent } => assert_eq!(parent, account),
        other => panic!("{other:?}"),
    }
    written(store, put(&account, &json!(1))).await;
    written(store, put(&transaction, &json!(1))).await;
    written(store, delete(&transaction)).await;
    written(store, delete(&account)).await;
    assert!(matches!(
        failure(store, put(&transaction, &json!(1))).await,
        Failure::ParentNotFound { .. }
    ));
}

/// Operations of a transaction see what the earlier ones of the same transaction did.
pub async fn a_parent_and_its_children_can_be_made_in_one_transaction<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_three_levels(store, "restrict").await;
    let account = key("accounts", "17");
    let transaction = below(&account, "transactions", "t1");
    let entry = below(&transaction, "entries", "e1");
    let put_each = |keys: [&crate::ResourceKey; 3]| {
        keys.into_iter()
            .map(|key| put(key, &json!(1)))
            .collect::<Vec<_>>()
    };
    let too_early = rejected(store, put_each([&entry, &transaction, &account])).await;
    assert!(matches!(
        too_early.failures.first(),
        Some((0, Failure::ParentNotFound { .. }))
    ));
    let made = committed(store, put_each([&account, &transaction, &entry])).await;
    assert!(
        made.applied
            .iter()
            .all(|applied| applied.effect == Effect::Created)
    );
    let orphaned = rejected(store, vec![delete(&entry), delete(&account)]).await;
    assert!(matches!(
        orphaned.failures.as_slice(),
        [(1, Failure::HasChildren { .. })]
    ));
    committed(
        store,
        vec![delete(&entry), delete(&transaction), delete(&account)],
    )
    .await;
    assert_eq!(body(store, &account).await, None);
}

/// Where the child collection says so, a parent stays while there are children.
pub async fn a_parent_with_children_is_not_deleted_where_they_restrict_it<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_three_levels(store, "restrict").await;
    let account = key("accounts", "17");
    let transaction = below(&account, "transactions", "t1");
    committed(
        store,
        vec![put(&account, &json!(1)), put(&transaction, &json!(1))],
    )
    .await;
    match failure(store, delete(&account)).await {
        Failure::HasChildren { collection } => assert_eq!(collection, transaction.collection),
        other => panic!("{other:?}"),
    }
    written(store, delete(&transaction)).await;
    written(store, delete(&account)).await;
    // Another parent's children do not count.
    let (one, two) = (key("accounts", "1"), key("accounts", "17"));
    committed(
        store,
        vec![
            put(&one, &json!(1)),
            put(&two, &json!(1)),
            put(&below(&two, "transactions", "x"), &json!(1)),
        ],
    )
    .await;
    written(store, delete(&one)).await;
}

/// Where the child collection says so, everything below goes with the parent, at one position.
pub async fn children_are_deleted_with_their_parent_where_they_cascade<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_three_levels(store, "cascade").await;
    let (account, spared) = (key("accounts", "17"), key("accounts", "170"));
    let mut operations = vec![put(&account, &json!(1)), put(&spared, &json!(1))];
    let mut lower = Vec::new();
    for number in 0..5 {
        let transaction = below(&account, "transactions", &format!("t{number}"));
        lower.push(below(&transaction, "entries", "e"));
        lower.insert(0, transaction);
    }
    lower.push(below(&spared, "transactions", "t"));
    operations.extend(lower.iter().map(|key| put(key, &json!(1))));
    committed(store, operations).await;
    let deleted = committed(store, vec![delete(&account)]).await;
    assert_eq!(deleted.applied.len(), 1);
    let spared = lower.pop().expect("the spared one");
    for key in lower.iter().chain([&account]) {
        let tombstone = read(store, key).await.expect("a tombstone");
        assert!(tombstone.is_deleted(), "{key:?}");
        assert_eq!(tombstone.position, deleted.position);
    }
    assert!(body(store, &spared).await.is_some());
    let left = page(store, &all("accounts.transactions")).await.items;
    assert_eq!(left.len(), 1);
    assert!(
        page(store, &all("accounts.transactions.entries"))
            .await
            .items
            .is_empty()
    );
}

/// A resource that a cascade deletes stands in the transaction already.
pub async fn a_cascade_and_an_operation_on_the_same_child_exclude_each_other<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_three_levels(store, "cascade").await;
    let account = key("accounts", "17");
    let child = below(&account, "transactions", "t1");
    committed(
        store,
        vec![put(&account, &json!(1)), put(&child, &json!(1))],
    )
    .await;
    let after = rejected(store, vec![delete(&account), put(&child, &json!(2))]).await;
    assert_eq!(after.failures.len(), 1);
    let before = rejected(store, vec![put(&child, &json!(2)), delete(&account)]).await;
    assert_eq!(before.failures.len(), 1);
    assert_eq!(body(store, &child).await.as_deref(), Some(b"1".as_slice()));
}
