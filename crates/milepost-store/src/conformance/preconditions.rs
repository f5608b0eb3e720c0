//! Conditions: compare-and-swap inside the storage transaction, never check-then-act.

use std::{collections::BTreeSet, sync::Arc};

use milepost_semantics::{Coding, EntityTag, Preconditions, precondition::Condition};
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Fixture,
    vocabulary::{
        When, applied, body, check, committed, define, define_open, delete, failure, key,
        merge_patch, outcome, put, rejected, text, written,
    },
};
use crate::{Effect, Failure, Operation, Outcome, Store, Transaction};

const WRITERS: usize = 8;
const ROUNDS: usize = 25;

/// Makes each operation in a task of its own, all at once; which ones held, by their index.
async fn race(store: &Arc<dyn Store>, operations: Vec<Operation>) -> BTreeSet<usize> {
    let mut racing = JoinSet::new();
    for (index, operation) in operations.into_iter().enumerate() {
        let store = Arc::clone(store);
        racing.spawn(async move {
            let outcome = outcome(&store, Transaction::single(operation)).await;
            (index, matches!(outcome, Outcome::Committed(_)))
        });
    }
    let ended = racing.join_all().await.into_iter();
    ended
        .filter(|(_, held)| *held)
        .map(|(index, _)| index)
        .collect()
}

/// However many know a version, one of them replaces it, and its bytes are what stands.
pub async fn of_writers_racing_on_one_entity_tag_exactly_one_wins<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let mut version = written(store, put(&key, &json!("first"))).await;
    for round in 0..ROUNDS {
        let body = |writer: usize| json!({ "round": round, "writer": writer });
        let operation = |writer| put(&key, &body(writer)).if_match(version.position);
        let winners = race(store, (0..WRITERS).map(operation).collect()).await;
        assert_eq!(winners.len(), 1, "of round {round}");
        let standing = written(store, check(&key)).await;
        let winner = winners.first().map(|winner| body(*winner).to_string());
        assert_eq!(
            standing.body.as_deref(),
            winner.as_deref().map(str::as_bytes)
        );
        assert_eq!(standing.replaced, Some(version.position));
        version = standing;
    }
}

/// The control: what conditions are for.
pub async fn without_a_condition_racing_writers_lose_updates<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    written(store, put(&key, &json!("first"))).await;
    let operations = (0..WRITERS).map(|writer| put(&key, &json!(writer)));
    let winners = race(store, operations.collect()).await;
    assert_eq!(
        winners.len(),
        WRITERS,
        "everybody was told that it was written"
    );
    let standing = body(store, &key).await.expect("one of them stands");
    let matching = (0..WRITERS).filter(|writer| *json!(writer).to_string().as_bytes() == *standing);
    assert_eq!(matching.count(), 1);
}

/// Racing creations of one id: one of them makes it.
pub async fn if_none_match_star_creates_once<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    for round in 0..ROUNDS {
        let key = key("things", &format!("t{round}"));
        let operation = |writer: usize| put(&key, &json!(writer)).if_absent();
        let winners = race(store, (0..WRITERS).map(operation).collect()).await;
        assert_eq!(winners.len(), 1, "of round {round}");
        let standing = body(store, &key).await.expect("it stands");
        let winner = winners.first().map(|winner| json!(winner).to_string());
        assert_eq!(Some(&*standing), winner.as_deref().map(str::as_bytes));
    }
}

/// A failed condition says which, and what stands instead, and writes nothing.
pub async fn a_false_condition_writes_nothing_and_tells_what_stands<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let first = written(store, put(&key, &json!(1))).await;
    let second = written(store, put(&key, &json!(2)).if_match(first.position)).await;
    let head = store.head();
    let of_first = [
        put(&key, &json!(3)).if_match(first.position),
        merge_patch(&key, json!({ "a": 1 })).if_match(first.position),
        delete(&key).if_match(first.position),
        check(&key).if_match(first.position),
        put(&key, &json!(3)).if_absent(),
    ];
    for (index, operation) in of_first.into_iter().enumerate() {
        match failure(store, operation).await {
            Failure::PreconditionFailed { condition, current } => {
                let expected = if index == 4 {
                    Condition::IfNoneMatch
                } else {
                    Condition::IfMatch
                };
                assert_eq!(condition, expected);
                assert_eq!(current.as_ref(), Some(&second));
            }
            other => panic!("operation {index}: {other:?}"),
        }
    }
    assert_eq!(store.head(), head);
    assert_eq!(super::vocabulary::read(store, &key).await, Some(second));
}

/// `If-Match` on what does not exist, or no longer does, is false.
pub async fn if_match_is_false_for_what_does_not_exist<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let any = || put(&key, &json!(2)).when(Preconditions::if_match_any());
    assert!(matches!(
        failure(store, any()).await,
        Failure::PreconditionFailed {
            condition: Condition::IfMatch,
            current: None
        }
    ));
    let made = written(store, put(&key, &json!(1))).await;
    let gone = written(store, delete(&key).if_match(made.position)).await;
    match failure(store, any()).await {
        Failure::PreconditionFailed {
            condition: Condition::IfMatch,
            current,
        } => {
            assert_eq!(current, Some(gone));
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        failure(store, check(&key).if_match(made.position)).await,
        Failure::PreconditionFailed { .. }
    ));
}

/// A client that read a compressed variant can still write; a weak tag is not strongly equal.
pub async fn the_tag_of_a_variant_stands_for_its_version<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let made = written(store, put(&key, &json!(1))).await;
    let variant = EntityTag::from(made.position).with_variant(Coding::Gzip);
    let weak = EntityTag::weak(&made.position.to_string()).expect("a tag");
    let of_weak = put(&key, &json!(2)).when(Preconditions::if_match(weak));
    assert!(matches!(
        failure(store, of_weak).await,
        Failure::PreconditionFailed { .. }
    ));
    let of_variant = put(&key, &json!(2)).when(Preconditions::if_match(variant.clone()));
    assert_eq!(applied(store, of_variant).await.effect, Effect::Replaced);
    let outdated = put(&key, &json!(3)).when(Preconditions::if_match(variant));
    assert!(matches!(
        failure(store, outdated).await,
        Failure::PreconditionFailed { .. }
    ));
}

/// Where conditions are required, a change of what exists needs one; creating it does not.
pub async fn an_unconditional_change_is_refused_where_conditions_are_required<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "strict", &json!({})).await;
    define_open(store, "open").await;
    let strict = key("strict", "one");
    let made = written(store, put(&strict, &json!({}))).await;
    let unconditional = [
        put(&strict, &json!(2)),
        merge_patch(&strict, json!({ "a": 1 })),
        delete(&strict),
        put(&strict, &json!({})),
    ];
    for operation in unconditional {
        match failure(store, operation).await {
            Failure::PreconditionRequired { current } => assert_eq!(current, made),
            other => panic!("{other:?}"),
        }
    }
    let unguarded = put(&strict, &json!(2)).when(Preconditions {
        if_none_match: None,
        ..Preconditions::default()
    });
    assert!(matches!(
        failure(store, unguarded).await,
        Failure::PreconditionRequired { .. }
    ));
    written(store, delete(&strict).when(Preconditions::if_match_any())).await;
    assert_eq!(
        applied(store, put(&strict, &json!(3))).await.effect,
        Effect::Created
    );
    let open = key("open", "one");
    for operation in [
        put(&open, &json!({})),
        put(&open, &json!({"a": 1})),
        merge_patch(&open, json!({"b": 1})),
        delete(&open),
    ] {
        applied(store, operation).await;
    }
}

/// RFC 9110 §13.2.1: what would fail without a condition fails the same with one.
pub async fn what_fails_without_a_condition_fails_the_same_with_one<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({ "schema": { "type": "object" } })).await;
    let made = written(store, put(&key("things", "one"), &json!({}))).await;
    let elsewhere = key("nowhere", "one");
    assert!(matches!(
        failure(store, put(&elsewhere, &json!({})).if_match(made.position)).await,
        Failure::CollectionNotDefined { .. }
    ));
    let invalid = put(&key("things", "one"), &json!(1)).if_absent();
    assert!(matches!(
        failure(store, invalid).await,
        Failure::InvalidDocument(_)
    ));
    let missing = key("things", "two");
    for operation in [delete(&missing), merge_patch(&missing, json!({}))] {
        let operation = operation.if_match(made.position);
        assert!(matches!(failure(store, operation).await, Failure::NotFound));
    }
}

/// Two transactions that each check what the other writes: they can't both hold.
pub async fn write_skew_is_impossible<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "doctors", &json!({})).await;
    for round in 0..ROUNDS {
        let keys = ["ada", "bob"].map(|name| key("doctors", &format!("{name}{round}")));
        let [ada, bob] = keys;
        let on_call = committed(
            store,
            vec![put(&ada, &json!("on")), put(&bob, &json!("on"))],
        )
        .await;
        let leave = |who: &crate::ResourceKey, other: &crate::ResourceKey| Transaction {
            operations: vec![
                check(other).if_match(on_call.position),
                put(who, &json!("off")).if_match(on_call.position),
            ],
            record: None,
            guard: None,
        };
        let (one, two) = (leave(&ada, &bob), leave(&bob, &ada));
        let first = tokio::spawn({
            let store = Arc::clone(store);
            async move { outcome(&store, one).await }
        });
        let second = outcome(store, two).await;
        let first = first.await.expect("a task that ends");
        let held = [first, second]
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Committed(_)))
            .count();
        assert_eq!(held, 1, "of round {round}");
        let mut standing = [body(store, &ada).await, body(store, &bob).await];
        standing.sort();
        assert_eq!(
            standing,
            [Some(text("\"off\"").bytes), Some(text("\"on\"").bytes)]
        );
    }
}

/// A transaction with a false condition tells every operation that failed, not only the first.
pub async fn every_false_condition_of_a_transaction_is_told<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let made = written(store, put(&key("things", "one"), &json!(1))).await;
    let operations = vec![
        put(&key("things", "one"), &json!(2)).if_absent(),
        put(&key("things", "two"), &json!(2)).if_absent(),
        put(&key("things", "three"), &json!(2)).if_match(made.position),
    ];
    let failed: Vec<usize> = rejected(store, operations)
        .await
        .failures
        .iter()
        .map(|(index, _)| *index)
        .collect();
    assert_eq!(failed, [0, 2]);
    assert_eq!(body(store, &key("things", "two")).await, None);
}
