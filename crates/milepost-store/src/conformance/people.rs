//! A small collection to list: what filters and orders are tried on.

use std::sync::Arc;

use serde_json::json;

use super::vocabulary::{all, define, filters, key, put_text, sort, written};
use crate::{ListQuery, Store};

/// People, some without a city, ages of several types.
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("a1", r#"{"name":"ada","city":"London","age":36}"#),
    ("b2", r#"{"name":"bob","city":"Delft","age":7.5}"#),
    ("c3", r#"{"name":"cyd","city":"Delft","age":36.0}"#),
    ("d4", r#"{"name":"dan","age":null}"#),
    ("e5", r#"{"name":"eve","city":"Deventer","age":"36"}"#),
    ("f6", r#"{"name":"fay","city":"","age":-1e2}"#),
    ("g7", r#"{"name":"gus","city":["Delft"],"age":true}"#),
    ("h8", r#"{"name":"hal","city":"delft","age":1e400}"#),
    ("i9", r#"{"name":"ida","city":"London","age":36}"#),
];

pub(super) async fn define_people(store: &Arc<dyn Store>) {
    let indexes = json!({ "name": "/name", "city": "/city", "age": "/age" });
    define(
        store,
        "people",
        &json!({ "preconditions": "optional", "indexes": indexes }),
    )
    .await;
    for (id, text) in PEOPLE {
        written(store, put_text(&key("people", id), text)).await;
    }
}

pub(super) fn where_(written: &[(&str, &[&str])]) -> ListQuery {
    ListQuery {
        filters: filters(written),
        ..all("people")
    }
}

pub(super) fn by(written: &[&str]) -> ListQuery {
    ListQuery {
        sort: sort(written),
        ..all("people")
    }
}
