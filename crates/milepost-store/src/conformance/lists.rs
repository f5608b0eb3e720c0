//! Lists: what filters and orders mean.

use serde_json::{Value, json};

use super::{
    Fixture,
    people::{by, define_people, where_},
    vocabulary::{
        committed, define, delete, found, key, path, put, put_text, refused, sort, written,
    },
};
use crate::{ListQuery, ReadError};

/// Filters as a URL writes them, and the ids that they find, in order.
type Case = (
    &'static [(&'static str, &'static [&'static str])],
    &'static [&'static str],
);

const CASES: &[Case] = &[
    (&[("city", &["Delft"])], &["b2", "c3"]),
    (&[("city", &["Delft", "London"])], &["b2", "c3", "a1", "i9"]),
    (&[("city", &["prefix:De"])], &["b2", "c3", "e5"]),
    (
        &[("city", &["prefix:"])],
        &["f6", "b2", "c3", "e5", "a1", "i9", "h8"],
    ),
    (&[("city", &["exists:false"])], &["d4"]),
    (
        &[("city", &["exists:true"])],
        &["a1", "b2", "c3", "e5", "f6", "g7", "h8", "i9"],
    ),
    (
        &[("city", &["ne:Delft"])],
        &["a1", "d4", "e5", "f6", "g7", "h8", "i9"],
    ),
    (&[("city", &["eq:prefix:De"])], &[]),
    (&[("age", &["36"])], &["a1", "c3", "i9"]),
    (&[("age", &["gte:36"])], &["a1", "c3", "i9", "h8"]),
    (&[("age", &["gt:36"])], &["h8"]),
    (&[("age", &["lt:36"])], &["f6", "b2"]),
    (&[("age", &["lte:7.50"])], &["f6", "b2"]),
    (&[("age", &["null"])], &["d4"]),
    (&[("age", &["true", "\"36\""])], &["g7", "e5"]),
    (&[("age", &["gte:0", "lt:36"])], &["b2"]),
    (&[("age", &["lt:8", "lt:0"])], &["f6"]),
    (&[("age", &["lt:0", "gt:100"])], &[]),
    (&[("age", &["gt:0", "lt:\"36\""])], &[]),
    (
        &[("age", &["gt:0", "36", "lt:36"])],
        &["b2", "a1", "c3", "i9"],
    ),
    (&[("age", &["36"]), ("city", &["London"])], &["a1", "i9"]),
    (&[("city", &["prefix:D"]), ("age", &["36"])], &["c3"]),
    (
        &[("age", &["gt:0"]), ("city", &["prefix:D"])],
        &["b2", "c3"],
    ),
    (
        &[("name", &["ne:ada"]), ("city", &["ne:Delft", "Delft"])],
        &["b2", "c3", "d4", "e5", "f6", "g7", "h8", "i9"],
    ),
    (
        &[("city", &["exists:true"]), ("name", &["gt:e"])],
        &["e5", "f6", "g7", "h8", "i9"],
    ),
];

/// Every comparison finds what it says, in the order of the index that carries it.
pub async fn filters_find_exactly_what_they_say<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    for (written, expected) in CASES {
        assert_eq!(
            found(store, &where_(written)).await,
            *expected,
            "{written:?}"
        );
    }
}

/// The order by an index: absent, null, false, true, numbers exactly, texts by code point, the rest;
/// ties by parent and id, in the direction of the first key.
pub async fn sorting_follows_every_key_and_then_the_id<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let ages = ["d4", "g7", "f6", "b2", "a1", "c3", "i9", "h8", "e5"];
    let cities = ["d4", "f6", "b2", "c3", "e5", "a1", "i9", "h8", "g7"];
    assert_eq!(found(store, &by(&["age"])).await, ages);
    assert_eq!(found(store, &by(&["city"])).await, cities);
    let backwards = |ids: &[&str]| {
        ids.iter()
            .rev()
            .map(|id| (*id).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(found(store, &by(&["-age"])).await, backwards(&ages));
    assert_eq!(found(store, &by(&["-city"])).await, backwards(&cities));
    assert_eq!(
        found(store, &by(&["city", "-name"])).await,
        ["d4", "f6", "c3", "b2", "e5", "i9", "a1", "h8", "g7"]
    );
    assert_eq!(
        found(store, &by(&["-city", "name"])).await,
        ["g7", "h8", "a1", "i9", "e5", "b2", "c3", "f6", "d4"]
    );
    let filtered = ListQuery {
        sort: sort(&["-name"]),
        ..where_(&[("age", &["36"])])
    };
    assert_eq!(found(store, &filtered).await, ["i9", "c3", "a1"]);
}

/// Numbers are compared as numbers, whatever their size and however they are written.
pub async fn numbers_beyond_any_machine_type_are_ordered_exactly<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define(
        store,
        "people",
        &json!({ "preconditions": "optional", "indexes": { "n": "/n" } }),
    )
    .await;
    let ascending = [
        "-1e400",
        "-123456789012345678901234567891",
        "-123456789012345678901234567890",
        "-9007199254740993",
        "-9007199254740992",
        "-1",
        "-1e-400",
        "0",
        "1e-400",
        "0.1",
        "0.10000000000000000000001",
        "1",
        "9007199254740992",
        "9007199254740993",
        "18446744073709551616",
        "18446744073709551616.5",
        "1e399",
        "9.9e399",
    ];
    for (place, number) in ascending.iter().enumerate().rev() {
        written(
            store,
            put_text(
                &key("people", &format!("n{place:02}")),
                &format!("{{\"n\":{number}}}"),
            ),
        )
        .await;
    }
    let expected: Vec<String> = (0..ascending.len())
        .map(|place| format!("n{place:02}"))
        .collect();
    assert_eq!(found(store, &by(&["n"])).await, expected);
    assert_eq!(
        found(store, &where_(&[("n", &["gt:9007199254740992"])])).await,
        expected.get(13..).expect("the rest")
    );
    assert_eq!(found(store, &where_(&[("n", &["100e-3"])])).await, ["n09"]);
    assert_eq!(found(store, &where_(&[("n", &["-0.0"])])).await, ["n07"]);
}

/// All names that aren't declared are told at once.
pub async fn undeclared_names_are_told_all_at_once<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let question = ListQuery {
        sort: sort(&["height"]),
        ..where_(&[("city", &["x"]), ("weight", &["1"])])
    };
    match refused(store, &question).await {
        ReadError::Undeclared {
            collection,
            mut names,
        } => {
            names.sort();
            assert_eq!(
                (collection, names),
                (
                    path("people"),
                    vec!["height".to_owned(), "weight".to_owned()]
                )
            );
        }
        other => panic!("{other:?}"),
    }
}

/// A listing follows every change of what it is ordered and filtered by.
pub async fn a_listing_follows_changes_deletes_and_re_creations<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let change = |id: &str, value: Value| put(&key("people", id), &value);
    written(
        store,
        change("b2", json!({ "name": "zoe", "city": "London" })),
    )
    .await;
    written(store, delete(&key("people", "a1"))).await;
    assert_eq!(found(store, &where_(&[("city", &["Delft"])])).await, ["c3"]);
    assert_eq!(
        found(store, &where_(&[("city", &["London"])])).await,
        ["b2", "i9"]
    );
    written(
        store,
        change("a1", json!({ "name": "ada", "city": "Delft" })),
    )
    .await;
    assert_eq!(
        found(store, &where_(&[("city", &["Delft"])])).await,
        ["a1", "c3"]
    );
    assert_eq!(
        found(store, &by(&["-name"]))
            .await
            .first()
            .map(String::as_str),
        Some("b2")
    );
    let both = vec![
        delete(&key("people", "c3")),
        change("d4", json!({ "city": "Delft" })),
    ];
    committed(store, both).await;
    assert_eq!(
        found(store, &where_(&[("city", &["Delft"])])).await,
        ["a1", "d4"]
    );
}
