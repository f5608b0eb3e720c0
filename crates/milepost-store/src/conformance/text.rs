//! Text search, where it is declared.

use std::sync::Arc;

use serde_json::json;

use super::{
    Fixture,
    vocabulary::{
        all, committed, define, define_open, delete, filters, found, ids, key, put, refused, walk,
        written,
    },
};
use crate::{ListQuery, ReadError, Store};

async fn define_articles(store: &Arc<dyn Store>) {
    let definition = json!({
        "preconditions": "optional", "text": ["/title", "/tags"], "indexes": { "year": "/year" },
    });
    define(store, "articles", &definition).await;
    let articles = [
        (
            "a",
            json!({ "title": "The Quick Fox", "tags": ["animal", "red hair"], "year": 1 }),
        ),
        (
            "b",
            json!({ "title": "A quick, brown dog!", "body": "fox", "year": 2 }),
        ),
        (
            "c",
            json!({ "title": "Foxes; and quick-witted dogs", "year": 1 }),
        ),
        ("d", json!({ "title": 7, "tags": "fox", "year": 2 })),
    ];
    for (id, article) in articles {
        written(store, put(&key("articles", id), &article)).await;
    }
}

fn search(words: &str) -> ListQuery {
    ListQuery {
        text: Some(words.to_owned()),
        ..all("articles")
    }
}

/// All words must stand there, whole, in any case, in a declared member; the newest change is first.
pub async fn all_words_are_found_whole_and_newest_first<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_articles(store).await;
    fixture.settle().await;
    assert_eq!(found(store, &search("quick")).await, ["c", "b", "a"]);
    assert_eq!(found(store, &search("FOX")).await, ["d", "a"]);
    assert_eq!(found(store, &search("fox quick")).await, ["a"]);
    assert_eq!(found(store, &search("hair animal")).await, ["a"]);
    assert!(found(store, &search("qui")).await.is_empty());
    assert!(found(store, &search("cat")).await.is_empty());
    written(
        store,
        put(&key("articles", "a"), &json!({ "title": "quick again" })),
    )
    .await;
    assert_eq!(found(store, &search("quick")).await, ["a", "c", "b"]);
    assert_eq!(found(store, &search("fox")).await, ["d"]);
    written(store, delete(&key("articles", "c"))).await;
    assert_eq!(found(store, &search("quick")).await, ["a", "b"]);
    let fixture = fixture.reopened().await;
    assert_eq!(found(fixture.store(), &search("quick")).await, ["a", "b"]);
}

/// What means something to a search engine's own language is only words here, or refused.
pub async fn no_text_is_taken_for_an_engines_own_language<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_articles(store).await;
    fixture.settle().await;
    assert_eq!(found(store, &search("\"fox\" (quick)")).await, ["a"]);
    assert_eq!(found(store, &search("quick*")).await, ["c", "b", "a"]);
    assert_eq!(
        found(store, &search("title:quick -fox")).await,
        Vec::<String>::new()
    );
    for odd in [
        "quick OR",
        "NEAR(fox quick)",
        "fox AND",
        "'; DROP",
        "^fox",
        "{fox}",
        "fox\u{0}quick",
        "a\"b",
        "NOT",
    ] {
        let answer = store.list(&search(odd)).await;
        assert!(
            matches!(answer, Ok(_) | Err(ReadError::MalformedText { .. })),
            "{odd:?}: {answer:?}"
        );
    }
    for nothing in ["", "  ", "?!"] {
        assert!(
            matches!(
                refused(store, &search(nothing)).await,
                ReadError::MalformedText { .. }
            ),
            "{nothing:?}"
        );
    }
}

/// Filters narrow a search, and pages make it up.
pub async fn a_search_can_be_filtered_and_paged<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_articles(store).await;
    fixture.settle().await;
    let filtered = ListQuery {
        filters: filters(&[("year", &["1"])]),
        ..search("quick")
    };
    assert_eq!(found(store, &filtered).await, ["c", "a"]);
    let many = (0..25).map(|number| {
        put(
            &key("articles", &format!("m{number:02}")),
            &json!({ "title": "many" }),
        )
    });
    committed(store, many.collect()).await;
    let whole = found(store, &search("many")).await;
    assert_eq!(whole.len(), 25);
    for items in [1, 2, 7, 24, 25, 26] {
        assert_eq!(ids(&walk(store, &search("many"), items).await), whole);
    }
    assert_eq!(ids(&walk(store, &filtered, 1).await), ["c", "a"]);
}

/// Text that is declared later is found once it is indexed, and text no longer declared is refused.
pub async fn a_changed_declaration_of_text_is_followed<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "articles").await;
    written(
        store,
        put(
            &key("articles", "a"),
            &json!({ "title": "fox", "body": "dog" }),
        ),
    )
    .await;
    match refused(store, &search("fox")).await {
        ReadError::Undeclared { names, .. } => assert_eq!(names, ["q"]),
        other => panic!("{other:?}"),
    }
    define(
        store,
        "articles",
        &json!({ "preconditions": "optional", "text": ["/title"] }),
    )
    .await;
    fixture.settle().await;
    assert_eq!(found(store, &search("fox")).await, ["a"]);
    assert!(found(store, &search("dog")).await.is_empty());
    define(
        store,
        "articles",
        &json!({ "preconditions": "optional", "text": ["/body"] }),
    )
    .await;
    fixture.settle().await;
    assert!(found(store, &search("fox")).await.is_empty());
    assert_eq!(found(store, &search("dog")).await, ["a"]);
    define_open(store, "articles").await;
    assert!(matches!(
        refused(store, &search("dog")).await,
        ReadError::Undeclared { .. }
    ));
}
