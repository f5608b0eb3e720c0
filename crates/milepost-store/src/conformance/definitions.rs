//! Definitions: resources that say what may be written, found and forgotten.

use serde_json::{Value, json};

use super::{
    Fixture,
    vocabulary::{
        When, all, committed, define, define_open, delete, failure, filters, found, key, path, put,
        put_text, refused, rejected, state, written,
    },
};
use crate::{Failure, ReadError, ResourceKey, Violation};

fn definition_key(collection: &str) -> ResourceKey {
    ResourceKey::definition(&path(collection)).expect("a name that is an id")
}

fn pointers(violations: &[Violation]) -> Vec<&str> {
    violations
        .iter()
        .map(|violation| violation.pointer.as_str())
        .collect()
}

/// Everything that holds by default is said in the representation, whatever was sent.
pub async fn a_definition_is_read_back_in_its_normal_form<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let sent = json!({
        "retention": { "history": { "count": 5 } }, "indexes": { "city": "/address/city" },
        "drafts": { "index": "city", "age": "P2W" },
    });
    let version = define(store, "things", &sent).await;
    let normal: Value =
        serde_json::from_slice(version.body.as_deref().expect("a body")).expect("JSON");
    let says = |pointer: &str, value: Value| assert_eq!(normal.pointer(pointer), Some(&value));
    says("/preconditions", json!("required"));
    says("/onParentDelete", json!("restrict"));
    says("/retention/history", json!({ "count": 5 }));
    says("/retention/tombstones/age", json!("P90D"));
    says("/indexes/city", json!("/address/city"));
    says("/drafts", json!({ "index": "city", "age": "P14D" }));
    let head = store.head();
    define(store, "things", &normal).await;
    assert_eq!(
        store.head(),
        head,
        "the normal form of a normal form is itself"
    );
    let state = state(store, "things").await;
    assert_eq!(
        (state.defined_at, state.head),
        (version.position, version.position)
    );
    assert_eq!(
        state.definition.representation,
        version.body.expect("a body")
    );
}

/// Whatever is wrong with a definition is told at once; a misspelt member is wrong.
pub async fn what_is_wrong_with_a_definition_is_told_at_once<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let wrong = json!({
        "indices": {}, "preconditions": "perhaps", "indexes": { "Bad Name": "/a", "b": "no pointer" },
        "retention": { "history": { "age": "P1M" } }, "schema": { "type": "nonsense" },
        "drafts": { "index": "draft", "age": "PT0S" },
    });
    match failure(store, put(&definition_key("things"), &wrong)).await {
        Failure::InvalidDefinition(violations) => {
            let found = pointers(&violations);
            for pointer in [
                "/indices",
                "/preconditions",
                "/indexes/Bad Name",
                "/indexes/b",
                "/retention/history/age",
                "/drafts/index",
                "/drafts/age",
            ] {
                assert!(found.contains(&pointer), "{pointer} in {found:?}");
            }
            assert!(
                found.iter().any(|pointer| pointer.starts_with("/schema")),
                "{found:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    for name in ["Upper", "a.b.c.d", "-.transactions", "a..b"] {
        let Ok(id) = name.parse() else { continue };
        let key = ResourceKey::top(crate::CollectionPath::collections(), id);
        assert!(
            matches!(
                failure(store, put(&key, &json!({}))).await,
                Failure::InvalidDefinition(_)
            ),
            "{name}"
        );
    }
}

/// Without a definition there is no collection, neither to write nor to list.
pub async fn a_collection_needs_a_definition<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    assert!(matches!(
        failure(store, put(&key("things", "a"), &json!(1))).await,
        Failure::CollectionNotDefined { .. }
    ));
    assert!(matches!(
        refused(store, &all("things")).await,
        ReadError::CollectionNotDefined { .. }
    ));
    assert!(
        store
            .collection(&path("things"))
            .await
            .expect("an answer")
            .is_none()
    );
    assert_eq!(
        super::vocabulary::read(store, &key("things", "a")).await,
        None
    );
    let child = put(&definition_key("things.parts"), &json!({}));
    match failure(store, child).await {
        Failure::CollectionNotDefined { collection } => assert_eq!(collection, path("things")),
        other => panic!("{other:?}"),
    }
    let both = vec![
        put(&definition_key("things"), &json!({})),
        put(&definition_key("things.parts"), &json!({})),
    ];
    committed(store, both).await;
    let names: Vec<String> = store
        .definitions()
        .iter()
        .map(|(path, _)| path.to_string())
        .collect();
    assert_eq!(names, ["things", "things.parts"]);
}

/// A transaction can define a collection and fill it.
pub async fn a_collection_can_be_defined_and_filled_in_one_transaction<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let definition = json!({ "schema": { "type": "object" }, "indexes": { "n": "/n" } });
    let wrong = vec![
        put(&definition_key("things"), &definition),
        put(&key("things", "a"), &json!(1)),
    ];
    assert!(matches!(
        rejected(store, wrong).await.failures.as_slice(),
        [(1, Failure::InvalidDocument(_))]
    ));
    let right = vec![
        put(&definition_key("things"), &definition),
        put(&key("things", "a"), &json!({ "n": 1 })),
    ];
    committed(store, right).await;
    fixture.settle().await;
    let query = crate::ListQuery {
        filters: filters(&[("n", &["1"])]),
        ..all("things")
    };
    assert_eq!(found(store, &query).await, ["a"]);
}

/// A definition is changed under a condition, like any resource.
pub async fn changing_a_definition_needs_a_condition<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let version = define(store, "things", &json!({})).await;
    let change = || put(&definition_key("things"), &json!({ "title": "Things" }));
    assert!(matches!(
        failure(store, change()).await,
        Failure::PreconditionRequired { .. }
    ));
    let changed = written(store, change().if_match(version.position)).await;
    assert_eq!(state(store, "things").await.defined_at, changed.position);
    let stale = put(&definition_key("things"), &json!({})).if_match(version.position);
    assert!(matches!(
        failure(store, stale).await,
        Failure::PreconditionFailed { .. }
    ));
}

/// A collection goes only when nothing is in it and nothing lies below it.
pub async fn a_collection_in_use_is_not_deleted<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    define_open(store, "things.parts").await;
    let any = || milepost_semantics::Preconditions::if_match_any();
    let delete_definition = |name: &str| delete(&definition_key(name)).when(any());
    match failure(store, delete_definition("things")).await {
        Failure::CollectionInUse { collection } => assert_eq!(collection, path("things.parts")),
        other => panic!("{other:?}"),
    }
    written(store, delete_definition("things.parts")).await;
    let thing = key("things", "a");
    written(store, put(&thing, &json!(1))).await;
    assert!(matches!(
        failure(store, delete_definition("things")).await,
        Failure::CollectionInUse { .. }
    ));
    let moved = put(&key("things", "b"), &json!(1));
    let operations = vec![delete(&thing), moved, delete_definition("things")];
    let rejected = rejected(store, operations).await;
    assert!(matches!(
        rejected.failures.as_slice(),
        [(2, Failure::CollectionInUse { .. })]
    ));
    committed(store, vec![delete(&thing), delete_definition("things")]).await;
    assert!(store.definitions().of(&path("things")).is_none());
    assert!(matches!(
        failure(store, put(&thing, &json!(1))).await,
        Failure::CollectionNotDefined { .. }
    ));
    define_open(store, "things").await;
    assert!(
        found(store, &all("things")).await.is_empty(),
        "what was deleted stays deleted"
    );
    written(store, put(&thing, &json!(1))).await;
    assert_eq!(found(store, &all("things")).await, ["a"]);
}

/// All that a document does wrong is told at once; a stricter schema asks nothing of what is there.
pub async fn a_schema_applies_to_writes_from_its_definition_on<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let old = key("things", "old");
    written(store, put(&old, &json!({ "n": "text" }))).await;
    let strict = json!({ "preconditions": "optional", "schema": {
        "type": "object", "required": ["n", "m"], "properties": { "n": { "type": "integer" } },
    } });
    define(store, "things", &strict).await;
    assert_eq!(found(store, &all("things")).await, ["old"]);
    match failure(store, put(&key("things", "new"), &json!({ "n": "text" }))).await {
        Failure::InvalidDocument(violations) => {
            let found = pointers(&violations);
            assert!(found.contains(&"/n") && found.len() == 2, "{violations:?}");
        }
        other => panic!("{other:?}"),
    }
    let patch = super::vocabulary::merge_patch(&old, json!({ "m": 1 }));
    assert!(matches!(
        failure(store, patch).await,
        Failure::InvalidDocument(_)
    ));
    written(
        store,
        super::vocabulary::merge_patch(&old, json!({ "m": 1, "n": 1 })),
    )
    .await;
}

/// A value that can't be ordered exactly is refused where it would be indexed, not rounded.
pub async fn a_value_that_cannot_be_ordered_is_refused_where_it_is_indexed<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(store, "things", &json!({ "indexes": { "n": "/n" } })).await;
    let long = format!("{{\"n\":\"{}\",\"free\":\"{0}\"}}", "x".repeat(10_000));
    match failure(store, put_text(&key("things", "a"), &long)).await {
        Failure::InvalidDocument(violations) => assert_eq!(pointers(&violations), ["/n"]),
        other => panic!("{other:?}"),
    }
    let unindexed = format!("{{\"free\":\"{}\"}}", "x".repeat(10_000));
    written(store, put_text(&key("things", "a"), &unindexed)).await;
}

/// An index that is declared later finds what was there before, once it is built.
pub async fn an_index_finds_what_is_older_than_itself<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    for number in 0..30 {
        written(
            store,
            put(
                &key("things", &format!("t{number:02}")),
                &json!({ "n": number % 3 }),
            ),
        )
        .await;
    }
    written(store, delete(&key("things", "t03"))).await;
    let query = crate::ListQuery {
        filters: filters(&[("third", &["0"])]),
        ..all("things")
    };
    match refused(store, &query).await {
        ReadError::Undeclared { names, .. } => assert_eq!(names, ["third"]),
        other => panic!("{other:?}"),
    }
    define(
        store,
        "things",
        &json!({ "preconditions": "optional", "indexes": { "third": "/n" } }),
    )
    .await;
    written(store, put(&key("things", "t06"), &json!({ "n": 1 }))).await;
    written(store, put(&key("things", "t31"), &json!({ "n": 0 }))).await;
    fixture.settle().await;
    let expected = [
        "t00", "t09", "t12", "t15", "t18", "t21", "t24", "t27", "t31",
    ];
    assert_eq!(found(store, &query).await, expected);
}

/// While an index is built, filtering by it is refused or complete: never a part of the answer.
pub async fn an_index_that_is_being_built_never_answers_in_part<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let many =
        (0..2_500).map(|number| put(&key("things", &format!("t{number}")), &json!({ "n": 1 })));
    committed(store, many.collect()).await;
    define(
        store,
        "things",
        &json!({ "preconditions": "optional", "indexes": { "n": "/n" } }),
    )
    .await;
    let query = crate::ListQuery {
        filters: filters(&[("n", &["1"])]),
        ..all("things")
    };
    for _ in 0..20 {
        match store.list(&query).await {
            Ok(page) => assert_eq!(page.items.len(), 2_500),
            Err(ReadError::IndexBuilding { index, .. }) => assert_eq!(index, "n"),
            Err(other) => panic!("{other:?}"),
        }
    }
    fixture.settle().await;
    assert_eq!(found(store, &query).await.len(), 2_500);
}

/// An index that stands for another member from now on forgets the old one; one that was taken away
/// and declared again knows what was written meanwhile.
pub async fn a_changed_index_knows_nothing_of_what_it_was<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let declare = |indexes: Value| json!({ "preconditions": "optional", "indexes": indexes });
    define(store, "things", &declare(json!({ "x": "/a", "y": "/b" }))).await;
    let one = key("things", "one");
    written(store, put(&one, &json!({ "a": 1, "b": 2 }))).await;
    let by = |index: &str, value: &str| crate::ListQuery {
        filters: filters(&[(index, &[value])]),
        ..all("things")
    };
    assert_eq!(found(store, &by("x", "1")).await, ["one"]);
    define(store, "things", &declare(json!({ "x": "/b" }))).await;
    fixture.settle().await;
    assert!(found(store, &by("x", "1")).await.is_empty());
    assert_eq!(found(store, &by("x", "2")).await, ["one"]);
    assert!(matches!(
        refused(store, &by("y", "2")).await,
        ReadError::Undeclared { .. }
    ));
    written(store, put(&one, &json!({ "a": 3, "b": 4 }))).await;
    define(store, "things", &declare(json!({ "y": "/b", "x": "/a" }))).await;
    fixture.settle().await;
    assert_eq!(found(store, &by("x", "3")).await, ["one"]);
    assert_eq!(found(store, &by("y", "4")).await, ["one"]);
    assert!(found(store, &by("y", "2")).await.is_empty());
}

/// Indexes that were taken away and declared again in another order read nothing of each other,
/// neither now nor as of a position, and forget a value when a resource leaves it.
pub async fn indexes_declared_again_are_not_taken_for_each_other<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let declare = |indexes: Value| json!({ "preconditions": "optional", "indexes": indexes });
    define(store, "things", &declare(json!({ "x": "/a", "y": "/b" }))).await;
    let one = key("things", "one");
    let made = written(store, put(&one, &json!({ "a": 1, "b": 2 }))).await;
    for indexes in [json!({}), json!({ "y": "/b", "x": "/a" })] {
        define(store, "things", &declare(indexes)).await;
        fixture.settle().await;
    }
    let by = |x: &str, y: &str| crate::ListQuery {
        filters: filters(&[("x", &[x]), ("y", &[y])]),
        ..all("things")
    };
    assert_eq!(found(store, &by("1", "2")).await, ["one"]);
    assert!(found(store, &by("2", "1")).await.is_empty());
    written(store, put(&one, &json!({ "a": 3, "b": 4 }))).await;
    assert_eq!(found(store, &by("3", "4")).await, ["one"]);
    assert!(found(store, &by("1", "2")).await.is_empty());
    let then = |question| crate::ListQuery {
        at: Some(made.position),
        ..question
    };
    assert_eq!(found(store, &then(by("1", "2"))).await, ["one"]);
    assert!(found(store, &then(by("2", "1"))).await.is_empty());
    let left = crate::ListQuery {
        filters: filters(&[("x", &["1", "2"])]),
        ..all("things")
    };
    assert!(found(store, &left).await.is_empty());
}
