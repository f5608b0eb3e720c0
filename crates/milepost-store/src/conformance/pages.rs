//! Pages: of any size they make up the listing, and none is too large.

use serde_json::json;

use super::{
    Fixture,
    people::{by, define_people, where_},
    vocabulary::{
        EVERYTHING, all, define_open, delete, found, ids, key, page, put, put_text, refused, sort,
        walk, written,
    },
};
use crate::{Cursor, ListQuery, PageLimit, ParentPath, ReadError};

/// Pages of any size, followed by their cursors, are the listing: nothing twice, nothing left out.
pub async fn pages_make_up_the_whole_listing<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let questions = [
        all("people"),
        where_(&[("city", &["Delft", "London"])]),
        where_(&[("city", &["prefix:D"])]),
        where_(&[("city", &["ne:Delft"])]),
        where_(&[("age", &["lt:36", "gt:36", "36"])]),
        where_(&[("age", &["36"]), ("city", &["exists:true"])]),
        by(&["age"]),
        by(&["-age"]),
        by(&["city", "-name"]),
        by(&["-city", "name", "age"]),
        ListQuery {
            sort: sort(&["-city"]),
            ..where_(&[("age", &["gt:0"])])
        },
    ];
    for question in questions {
        let whole = found(store, &question).await;
        for items in 1..=whole.len() + 1 {
            assert_eq!(
                ids(&walk(store, &question, items).await),
                whole,
                "{items} a page of {question:?}"
            );
        }
    }
}

/// A page goes on where the last one ended, also where what was last shown is gone or changed since.
pub async fn a_cursor_outlives_the_resource_it_names<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let limit = PageLimit {
        items: 2,
        ..EVERYTHING
    };
    for question in [all("people"), by(&["name"]), where_(&[("name", &["gt:a"])])] {
        let first = page(
            store,
            &ListQuery {
                limit,
                ..question.clone()
            },
        )
        .await;
        let next = first.next.expect("there is more");
        assert_eq!(next.id.as_str(), "b2");
        written(store, delete(&key("people", "b2"))).await;
        let rest = found(
            store,
            &ListQuery {
                after: Some(next),
                ..question
            },
        )
        .await;
        assert_eq!(rest, ["c3", "d4", "e5", "f6", "g7", "h8", "i9"]);
        written(store, put_text(&key("people", "b2"), r#"{"name":"bob"}"#)).await;
    }
}

/// A page holds as many items and bytes as it may, and never none while there are some.
pub async fn a_page_is_limited_in_items_and_bytes_but_never_empty<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    for (id, bytes) in [("a", 100), ("b", 100), ("c", 1000), ("d", 10)] {
        written(
            store,
            put(&key("things", id), &json!("x".repeat(bytes - 2))),
        )
        .await;
    }
    let limited = |items, bytes| ListQuery {
        limit: PageLimit { items, bytes },
        ..all("things")
    };
    assert_eq!(found(store, &limited(100, 200)).await, ["a", "b"]);
    assert_eq!(found(store, &limited(100, 199)).await, ["a"]);
    assert_eq!(found(store, &limited(1, 10_000)).await, ["a"]);
    assert_eq!(found(store, &limited(100, 1)).await, ["a"]);
    assert_eq!(
        found(store, &limited(100, 1210)).await,
        ["a", "b", "c", "d"]
    );
    let mut question = limited(100, 1);
    let mut pages = Vec::new();
    while let Some(next) = page(store, &question).await.next {
        pages.push(next.id.as_str().to_owned());
        question.after = Some(next);
    }
    assert_eq!(
        pages,
        ["a", "b", "c"],
        "the last page knows that it is the last"
    );
}

/// A cursor of another listing is found out rather than followed.
pub async fn a_cursor_with_other_values_than_the_order_has_is_refused<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    let cursor = |values| {
        Some(Cursor {
            values,
            parent: ParentPath::top(),
            id: "a1".parse().expect("an id"),
        })
    };
    let unordered = ListQuery {
        after: cursor(vec![vec![1]]),
        ..all("people")
    };
    assert!(matches!(
        refused(store, &unordered).await,
        ReadError::MalformedCursor
    ));
    let ordered = ListQuery {
        after: cursor(Vec::new()),
        ..by(&["name"])
    };
    assert!(matches!(
        refused(store, &ordered).await,
        ReadError::MalformedCursor
    ));
}

/// A count, where there is one, is right, whatever page it is asked for; the whole is always counted.
pub async fn a_total_counts_what_matches<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_people(store).await;
    written(store, delete(&key("people", "e5"))).await;
    let counted = |question: ListQuery| ListQuery {
        total: true,
        limit: PageLimit {
            items: 2,
            ..EVERYTHING
        },
        ..question
    };
    let first = page(store, &counted(all("people"))).await;
    assert_eq!(first.total, Some(8));
    let second = page(
        store,
        &ListQuery {
            after: first.next,
            ..counted(all("people"))
        },
    )
    .await;
    assert!(second.total.is_none_or(|total| total == 8));
    let filtered = page(store, &counted(where_(&[("city", &["prefix:De"])]))).await;
    assert!(filtered.total.is_none_or(|total| total == 2));
    assert_eq!(page(store, &all("people")).await.total, None);
}
