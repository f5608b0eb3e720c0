//! Repeating a request whose answer was lost: safe without any stored key (RFC 9110 §13.1.1).

use milepost_semantics::patch::JsonPatch;
use serde_json::json;

use super::{
    Fixture,
    vocabulary::{
        When, applied, check, committed, define, define_open, delete, failure, key, merge_patch,
        put, read, rejected, written,
    },
};
use crate::{Change, Effect, Failure, Operation, ResourceKey};

fn json_patch(key: &ResourceKey, patch: &serde_json::Value) -> Operation {
    let patch = JsonPatch::parse(patch).expect("a JSON patch");
    Operation {
        change: Change::JsonPatch(patch),
        ..check(key)
    }
}

/// The same request twice: the second is told that it is done, and writes nothing.
pub async fn a_repeated_request_is_answered_as_already_applied<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let mut version = written(store, put(&key, &json!({ "n": 0, "list": [] }))).await;
    let append = json!([{ "op": "add", "path": "/list/-", "value": 1 }]);
    let changes: [&dyn Fn() -> Operation; 4] = [
        &|| put(&key, &json!({ "n": 1, "list": [] })),
        &|| merge_patch(&key, json!({ "n": 2 })),
        &|| json_patch(&key, &append),
        &|| delete(&key),
    ];
    for change in changes {
        let done = applied(store, change().if_match(version.position)).await;
        let head = store.head();
        let again = applied(store, change().if_match(version.position)).await;
        assert_eq!(again.effect, Effect::AlreadyApplied);
        assert_eq!(again.version, done.version);
        assert_eq!(store.head(), head);
        version = done.version.expect("a version");
    }
}

/// What the request would make stands, but another write made it: the client's version was not the
/// one that was replaced, so something came between.
pub async fn a_repeated_request_is_refused_when_someone_else_wrote_the_same<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let first = written(store, put(&key, &json!({ "n": 0 }))).await;
    let other = written(
        store,
        put(&key, &json!({ "n": 5 })).if_match(first.position),
    )
    .await;
    let same = written(
        store,
        put(&key, &json!({ "n": 1 })).if_match(other.position),
    )
    .await;
    let mine = put(&key, &json!({ "n": 1 })).if_match(first.position);
    match failure(store, mine).await {
        Failure::PreconditionFailed { current, .. } => assert_eq!(current, Some(same.clone())),
        other => panic!("{other:?}"),
    }
    // The same bytes by a put are not the same request as the patch.
    let patch = merge_patch(&key, json!({ "n": 1 })).if_match(other.position);
    assert!(matches!(
        failure(store, patch).await,
        Failure::PreconditionFailed { .. }
    ));
    let gone = written(store, delete(&key).if_match(same.position)).await;
    assert!(matches!(
        failure(store, delete(&key).if_match(other.position)).await,
        Failure::NotFound
    ));
    assert_eq!(read(store, &key).await, Some(gone));
}

/// A patch is known by its content: another one that was meant for the same version is refused.
pub async fn another_patch_of_the_replaced_version_is_refused<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let key = key("things", "one");
    let first = written(store, put(&key, &json!({ "n": 0 }))).await;
    written(
        store,
        merge_patch(&key, json!({ "n": 1 })).if_match(first.position),
    )
    .await;
    let other = merge_patch(&key, json!({ "n": 2 })).if_match(first.position);
    assert!(matches!(
        failure(store, other).await,
        Failure::PreconditionFailed { .. }
    ));
    let as_json_patch = json_patch(
        &key,
        &json!([{ "op": "replace", "path": "/n", "value": 1 }]),
    );
    let as_json_patch = as_json_patch.if_match(first.position);
    assert!(matches!(
        failure(store, as_json_patch).await,
        Failure::PreconditionFailed { .. }
    ));
}

/// The chain of versions is on disk: a repetition is known after a crash too.
pub async fn a_repetition_is_known_after_a_restart<F: Fixture>() {
    let fixture = F::fresh().await;
    define(fixture.store(), "things", &json!({})).await;
    let key = key("things", "one");
    let first = written(fixture.store(), put(&key, &json!({ "n": 0 }))).await;
    let patch = || merge_patch(&key, json!({ "n": 1 })).if_match(first.position);
    let second = written(fixture.store(), patch()).await;
    let fixture = fixture.reopened().await;
    let again = applied(fixture.store(), patch()).await;
    assert_eq!(again.effect, Effect::AlreadyApplied);
    assert_eq!(again.version, Some(second));
}

/// Two transfers of one amount from one account: both would make the same of it, and neither stands for
/// the other.
pub async fn transactions_that_make_the_same_of_one_resource_are_not_taken_for_each_other<
    F: Fixture,
>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({})).await;
    let shared = key("things", "shared");
    let append = json!([{ "op": "add", "path": "/list/-", "value": 1 }]);
    let changes: [&dyn Fn() -> Operation; 4] = [
        &|| put(&shared, &json!({ "n": 1, "list": [] })),
        &|| merge_patch(&shared, json!({ "n": 2 })),
        &|| json_patch(&shared, &append),
        &|| delete(&shared),
    ];
    let mut version = written(store, put(&shared, &json!({ "n": 0, "list": [] }))).await;
    for (round, change) in changes.iter().enumerate() {
        let own = |name: &str| key("things", &format!("{name}-{round}"));
        let transaction = |name: &str| {
            let changed = change().if_match(version.position);
            vec![changed, put(&own(name), &json!({})).if_absent()]
        };
        let first = committed(store, transaction("first")).await;
        let failed = rejected(store, transaction("second")).await.failures;
        let failed: Vec<usize> = failed.iter().map(|(index, _)| *index).collect();
        assert_eq!(failed, [0], "of round {round}");
        assert_eq!(read(store, &own("second")).await, None);
        let applied = first.applied.into_iter().next();
        version = applied
            .and_then(|applied| applied.version)
            .expect("a version");
    }
}

/// A write that changes no byte changes nothing: same tag, nothing in the order of commits.
pub async fn an_unchanged_write_writes_nothing<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    let made = written(store, put(&key, &json!({ "n": 0 }))).await;
    let head = store.head();
    let unchanged = [
        put(&key, &json!({ "n": 0 })),
        put(&key, &json!({ "n": 0 })).if_match(made.position),
        merge_patch(&key, json!({ "n": 0 })),
        merge_patch(&key, json!({ "absent": null })),
        json_patch(&key, &json!([{ "op": "test", "path": "/n", "value": 0 }])),
    ];
    for operation in unchanged {
        let committed = committed(store, vec![operation]).await;
        assert_eq!(committed.position, head);
        let applied = committed.applied.first().expect("one result");
        assert_eq!(applied.effect, Effect::Unchanged);
        assert_eq!(applied.version.as_ref(), Some(&made));
    }
    assert_eq!(store.head(), head);
    assert_eq!(
        applied(store, super::vocabulary::put_text(&key, "{\"n\": 0}"))
            .await
            .effect,
        Effect::Replaced
    );
}
