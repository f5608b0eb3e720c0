//! Transactions: all or nothing, one position, recorded outcomes.

use std::sync::Arc;

use bytes::Bytes;
use milepost_semantics::ResourceId;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Fixture,
    vocabulary::{
        When, body, check, committed, define, define_open, delete, key, merge_patch, outcome, page,
        put, read, rejected, written,
    },
};
use crate::{
    CollectionPath, Effect, Failure, ListQuery, Operation, Outcome, Record, ResourceKey, Store,
    Transaction, Version,
};

const ID: &str = "0198a5f0-0000-7000-8000-000000000001";

/// A transaction whose outcome is recorded under `id`: the representation tells the position.
fn recorded(id: &str, digest: u8, operations: Vec<Operation>) -> Transaction {
    let id: ResourceId = id.parse().expect("an id");
    let render = Box::new(|committed: &crate::Committed| {
        let effects: Vec<String> = committed
            .applied
            .iter()
            .map(|applied| format!("{:?}", applied.effect))
            .collect();
        Bytes::from(
            json!({ "position": committed.position.to_string(), "effects": effects }).to_string(),
        )
    });
    Transaction {
        operations,
        record: Some(Record {
            id,
            digest: [digest; 16],
            render,
        }),
        guard: None,
    }
}

async fn record_of(store: &Arc<dyn Store>, id: &str) -> Option<Version> {
    let key = ResourceKey::top(CollectionPath::transactions(), id.parse().expect("an id"));
    read(store, &key).await
}

/// Everything that one transaction writes stands at one position, and no other stands there.
pub async fn all_operations_share_one_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    define_open(store, "others").await;
    let old = written(store, put(&key("things", "b"), &json!({ "n": 1 }))).await;
    let dead = written(store, put(&key("things", "c"), &json!(1))).await;
    let result = committed(
        store,
        vec![
            put(&key("others", "a"), &json!(1)),
            merge_patch(&key("things", "b"), json!({ "n": 2 })),
            delete(&key("things", "c")),
            check(&key("things", "never")),
        ],
    )
    .await;
    let effects: Vec<Effect> = result
        .applied
        .iter()
        .map(|applied| applied.effect)
        .collect();
    assert_eq!(
        effects,
        [
            Effect::Created,
            Effect::Replaced,
            Effect::Deleted,
            Effect::Checked
        ]
    );
    assert_eq!(result.position, store.head());
    for applied in result.applied.iter().take(3) {
        let version = applied.version.as_ref().expect("a version");
        assert_eq!(version.position, result.position);
        assert_eq!(read(store, &applied.key).await.as_ref(), Some(version));
    }
    let replaced: Vec<_> = result
        .applied
        .iter()
        .filter_map(|applied| applied.version.as_ref()?.replaced)
        .collect();
    assert_eq!(replaced, [old.position, dead.position]);
    assert!(
        result
            .applied
            .last()
            .is_some_and(|applied| applied.version.is_none())
    );
    let next = written(store, put(&key("things", "d"), &json!(1))).await;
    assert_ne!(next.position, result.position);
}

/// Where one operation does not hold, none is carried out, and no position is taken.
pub async fn nothing_is_written_where_one_operation_fails<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let standing = written(store, put(&key("things", "b"), &json!(1))).await;
    let head = store.head();
    let bad = [
        put(&key("things", "b"), &json!(2)).if_absent(),
        delete(&key("things", "x")),
        put(&key("nowhere", "x"), &json!(1)),
    ];
    for (place, bad) in bad.into_iter().enumerate() {
        let mut operations = vec![
            put(&key("things", "a"), &json!(1)),
            put(&key("things", "c"), &json!(1)),
        ];
        operations.insert(place, bad);
        let rejected = rejected(store, operations).await;
        let failed: Vec<usize> = rejected.failures.iter().map(|(index, _)| *index).collect();
        assert_eq!(failed, [place]);
        assert_eq!(body(store, &key("things", "a")).await, None);
        assert_eq!(body(store, &key("things", "c")).await, None);
        assert_eq!(
            read(store, &key("things", "b")).await.as_ref(),
            Some(&standing)
        );
        assert_eq!(store.head(), head);
    }
}

/// A check holds or refuses like a write's condition, and leaves no trace.
pub async fn a_check_guards_without_writing<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let rate = written(store, put(&key("things", "rate"), &json!(7))).await;
    let pay = |id: &str| put(&key("things", id), &json!("paid")).if_absent();
    let guard = || check(&key("things", "rate")).if_match(rate.position);
    committed(store, vec![guard(), pay("one")]).await;
    assert_eq!(
        read(store, &key("things", "rate")).await.as_ref(),
        Some(&rate)
    );
    let head = store.head();
    let checked = committed(store, vec![guard()]).await;
    assert_eq!((checked.position, store.head()), (head, head));
    written(
        store,
        put(&key("things", "rate"), &json!(8)).if_match(rate.position),
    )
    .await;
    let rejected = rejected(store, vec![pay("two"), guard()]).await;
    assert!(matches!(
        rejected.failures.as_slice(),
        [(1, Failure::PreconditionFailed { .. })]
    ));
    assert_eq!(body(store, &key("things", "two")).await, None);
    let absent = check(&key("things", "two")).if_absent();
    committed(store, vec![absent, pay("three")]).await;
}

/// A resource stands in one operation only: two would have to be at one position.
pub async fn two_operations_on_one_resource_are_refused<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let one = key("things", "one");
    let operations = vec![
        put(&one, &json!(1)),
        put(&key("things", "two"), &json!(1)),
        check(&one),
    ];
    let rejected = rejected(store, operations).await;
    assert!(matches!(
        rejected.failures.as_slice(),
        [(2, Failure::DuplicateOperation)]
    ));
    assert_eq!(body(store, &one).await, None);
}

/// The outcome is stored in the same commit, and repeating the request answers it.
pub async fn a_recorded_transaction_is_carried_out_once<F: Fixture>() {
    let fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let one = key("things", "one");
    let transaction = || recorded(ID, 1, vec![put(&one, &json!(1))]);
    let Outcome::Committed(committed) = outcome(fixture.store(), transaction()).await else {
        panic!("the first time it is carried out");
    };
    let record = record_of(fixture.store(), ID)
        .await
        .expect("its outcome is a resource");
    assert_eq!(record.position, committed.position);
    let expected = json!({ "position": committed.position.to_string(), "effects": ["Created"] });
    assert_eq!(
        record.body.as_deref(),
        Some(expected.to_string().as_bytes())
    );
    written(fixture.store(), put(&one, &json!(2))).await;
    let fixture = fixture.reopened().await;
    let store = fixture.store();
    let head = store.head();
    match outcome(store, transaction()).await {
        Outcome::Recorded(version) => assert_eq!(version, record),
        other => panic!("the second time its outcome is answered, but: {other:?}"),
    }
    assert_eq!(store.head(), head);
    assert_eq!(body(store, &one).await.as_deref(), Some(b"2".as_slice()));
}

/// One id stands for one content.
pub async fn a_recorded_id_with_another_content_is_a_mismatch<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    outcome(
        store,
        recorded(ID, 1, vec![put(&key("things", "one"), &json!(1))]),
    )
    .await;
    let head = store.head();
    let other = outcome(
        store,
        recorded(ID, 2, vec![put(&key("things", "two"), &json!(1))]),
    )
    .await;
    assert!(matches!(other, Outcome::RecordMismatch), "{other:?}");
    assert_eq!(store.head(), head);
    assert_eq!(body(store, &key("things", "two")).await, None);
}

/// What did not hold was not carried out: the same id may be tried again.
pub async fn a_rejected_transaction_is_not_recorded<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let one = key("things", "one");
    written(store, put(&one, &json!(1))).await;
    let transaction = || recorded(ID, 1, vec![put(&one, &json!(2)).if_absent()]);
    assert!(matches!(
        outcome(store, transaction()).await,
        Outcome::Rejected(_)
    ));
    assert_eq!(record_of(store, ID).await, None);
    written(store, delete(&one)).await;
    assert!(matches!(
        outcome(store, transaction()).await,
        Outcome::Committed(_)
    ));
}

/// A transaction that has nothing to write is carried out too, and its outcome is kept.
pub async fn a_transaction_that_changes_nothing_is_recorded<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let one = key("things", "one");
    let standing = written(store, put(&one, &json!(1))).await;
    let transaction = || recorded(ID, 1, vec![put(&one, &json!(1))]);
    let Outcome::Committed(committed) = outcome(store, transaction()).await else {
        panic!("it holds");
    };
    let record = record_of(store, ID)
        .await
        .expect("its outcome is a resource");
    assert_eq!(record.position, committed.position);
    assert_eq!(read(store, &one).await, Some(standing));
    assert!(matches!(
        outcome(store, transaction()).await,
        Outcome::Recorded(_)
    ));
}

/// However many repeat a request at once, it is carried out once and the others learn its outcome.
pub async fn racing_repetitions_are_carried_out_once<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    for round in 0..20 {
        let id = format!("0198a5f0-0000-7000-8000-0000000001{round:02}");
        let mut racing = JoinSet::new();
        for _ in 0..8 {
            let transaction = recorded(&id, 1, vec![put(&key("things", "counter"), &json!(round))]);
            let store = Arc::clone(store);
            racing.spawn(async move { outcome(&store, transaction).await });
        }
        let outcomes = racing.join_all().await;
        let carried_out = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Committed(_)))
            .count();
        let answered = outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Recorded(_)))
            .count();
        assert_eq!((carried_out, answered), (1, 7));
    }
}

/// Outcomes are written by the service only, and can be listed.
pub async fn recorded_outcomes_are_read_only<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    outcome(
        store,
        recorded(ID, 1, vec![put(&key("things", "one"), &json!(1))]),
    )
    .await;
    let record = ResourceKey::top(CollectionPath::transactions(), ID.parse().expect("an id"));
    for operation in [
        put(&record, &json!({})),
        delete(&record),
        merge_patch(&record, json!({})),
    ] {
        let rejected = rejected(store, vec![operation]).await;
        assert!(matches!(
            rejected.failures.as_slice(),
            [(0, Failure::ReadOnly)]
        ));
    }
    let query = ListQuery::all(
        CollectionPath::transactions(),
        super::vocabulary::EVERYTHING,
    );
    let keys: Vec<ResourceKey> = page(store, &query)
        .await
        .items
        .into_iter()
        .map(|listed| listed.key)
        .collect();
    assert_eq!(keys, [record]);
}

/// Many writers move amounts between accounts: what all accounts hold together never changes.
pub async fn concurrent_transfers_keep_the_total<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "accounts", &json!({})).await;
    let account = |number: usize| key("accounts", &format!("a{number}"));
    let opening = (0..4).map(|number| put(&account(number), &json!(100)));
    committed(store, opening.collect()).await;
    let mut writers = JoinSet::new();
    for writer in 0..4 {
        let (store, from, to) = (
            Arc::clone(store),
            account(writer),
            account((writer + 1) % 4),
        );
        writers.spawn(async move {
            for _ in 0..15 {
                transfer(&store, &from, &to).await;
            }
        });
    }
    while !writers.is_empty() {
        let listed = page(store, &super::vocabulary::all("accounts")).await.items;
        let amounts = listed
            .iter()
            .filter_map(|listed| amount(listed.version.body.as_ref()));
        assert_eq!(amounts.sum::<i64>(), 400);
        writers.try_join_next();
        tokio::task::yield_now().await;
    }
}

fn amount(body: Option<&Bytes>) -> Option<i64> {
    std::str::from_utf8(body?).ok()?.parse().ok()
}

/// Moves one from an account to another, as often tried as it takes.
async fn transfer(store: &Arc<dyn Store>, from: &ResourceKey, to: &ResourceKey) {
    loop {
        let source = read(store, from).await.expect("an account");
        let target = read(store, to).await.expect("an account");
        let less = amount(source.body.as_ref()).expect("an amount") - 1;
        let more = amount(target.body.as_ref()).expect("an amount") + 1;
        let operations = vec![
            put(from, &json!(less)).if_match(source.position),
            put(to, &json!(more)).if_match(target.position),
        ];
        let tried = outcome(
            store,
            Transaction {
                operations,
                record: None,
                guard: None,
            },
        )
        .await;
        if matches!(tried, Outcome::Committed(_)) {
            return;
        }
    }
}
