//! Feeds: filtered ones, those of one parent, that of everything; and what proves them.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use super::{
    Fixture,
    vocabulary::{
        all, below, changes, committed, define, define_open, delete, filters, follow, key, outcome,
        page, path, put, since, state, told, written,
    },
};
use crate::{
    Changed, ChangesQuery, Feed, Outcome, PageLimit, ReadError, Record, Scope, SetDigest, Store,
    Transaction,
};

/// The changes of `things` that a filter as a URL writes it lets pass.
fn filtered(query: &ChangesQuery, written: &[(&str, &[&str])]) -> ChangesQuery {
    let feed = Feed::Collection {
        collection: path("things"),
        scope: Scope::Below(crate::ParentPath::top()),
        filters: filters(written),
    };
    ChangesQuery {
        feed,
        ..query.clone()
    }
}

async fn define_filtered(store: &Arc<dyn Store>, pointer: &str) {
    let definition = json!({ "preconditions": "optional", "indexes": { "n": pointer } });
    define(store, "things", &definition).await;
}

/// What leaves a filter is told as gone, whether it was changed or deleted; what was never in it is
/// not told at all.
pub async fn a_filter_tells_who_leaves_and_hides_the_rest<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_filtered(store, "/n").await;
    let thing = |id: &str| key("things", id);
    for id in ["stays", "leaves", "goes", "moves"] {
        written(store, put(&thing(id), &json!({ "n": 1 }))).await;
    }
    written(store, put(&thing("other"), &json!({ "n": 2 }))).await;
    let begin = store.head();
    written(store, put(&thing("stays"), &json!({ "n": 1, "more": 1 }))).await;
    written(store, put(&thing("leaves"), &json!({ "n": 2 }))).await;
    written(store, delete(&thing("goes"))).await;
    written(store, put(&thing("moves"), &json!({ "n": 3 }))).await;
    written(store, put(&thing("moves"), &json!({ "n": 1 }))).await;
    written(store, put(&thing("other"), &json!({ "n": 3 }))).await;
    written(store, put(&thing("passes"), &json!({ "n": 1 }))).await;
    written(store, put(&thing("passes"), &json!({ "n": 2 }))).await;
    let query = filtered(&since("things", begin), &[("n", &["1"])]);
    let told_now = changes(store, &query).await;
    assert_eq!(
        told(&told_now),
        [
            ("stays", Some(json!({ "n": 1, "more": 1 }))),
            ("leaves", None),
            ("goes", None),
            ("moves", Some(json!({ "n": 1 }))),
        ]
    );
    let versions = ChangesQuery {
        versions: true,
        ..query
    };
    let versions = changes(store, &versions).await;
    let of = |id: &str| {
        let told = told(&versions).into_iter().filter(|(told, _)| *told == id);
        told.map(|(_, value)| value.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(of("moves"), [false, true]);
    assert_eq!(of("passes"), [true, false]);
    assert_eq!(of("other"), [] as [bool; 0]);
}

/// The position moves on with what a filter or a scope hides.
pub async fn the_position_moves_past_what_is_hidden<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_filtered(store, "/n").await;
    let begin = store.head();
    for number in 0..30 {
        written(
            store,
            put(&key("things", &format!("t{number}")), &json!({ "n": 2 })),
        )
        .await;
    }
    let mut query = filtered(&since("things", begin), &[("n", &["1"])]);
    query.limit = PageLimit {
        items: 1,
        bytes: 1000,
    };
    let pages = follow(store, &query).await;
    assert!(pages.iter().all(|page| page.items.is_empty()));
    assert!(pages.len() < 10, "a page goes past more than it shows");
    let head = state(store, "things").await.head;
    assert_eq!(pages.last().map(|page| page.position), Some(head));
}

/// One parent's children, or all children: each is a feed.
pub async fn a_feed_can_be_one_parents<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "accounts").await;
    define_open(store, "accounts.cards").await;
    for id in ["a", "b"] {
        written(store, put(&key("accounts", id), &json!({}))).await;
    }
    let begin = store.head();
    for (account, card) in [("a", "1"), ("b", "1"), ("a", "2"), ("b", "1")] {
        let card = below(&key("accounts", account), "cards", card);
        let number = store.head().sequence();
        written(store, put(&card, &json!(number))).await;
    }
    let ids = |feed: Feed| {
        let query = ChangesQuery {
            feed,
            ..since("accounts.cards", begin)
        };
        async move {
            let page = changes(store, &query).await;
            let told = page.items.iter().map(|item| item.key.as_parent());
            told.map(|path| path.as_str().to_owned())
                .collect::<Vec<_>>()
        }
    };
    let of = |account: &str| Feed::Collection {
        collection: path("accounts.cards"),
        scope: Scope::Of(key("accounts", account).as_parent()),
        filters: Vec::new(),
    };
    assert_eq!(ids(of("a")).await, ["a/1", "a/2"]);
    assert_eq!(ids(of("b")).await, ["b/1"]);
    let whole = Feed::of(path("accounts.cards"));
    assert_eq!(ids(whole).await, ["a/1", "a/2", "b/1"]);
}

/// Who holds what by an index says nothing once the index stands for something else: then there is
/// no delta.
pub async fn a_feed_is_not_followed_over_a_change_of_its_index<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_filtered(store, "/n").await;
    written(
        store,
        put(&key("things", "one"), &json!({ "n": 1, "m": 2 })),
    )
    .await;
    let before = store.head();
    define_filtered(store, "/m").await;
    let declared = store.head();
    let by_n = |position| filtered(&since("things", position), &[("n", &["1"])]);
    let answer = store.changes(&by_n(before)).await;
    assert!(
        matches!(answer, Err(ReadError::Expired { oldest }) if oldest == declared),
        "{answer:?}"
    );
    changes(store, &since("things", before)).await;
    written(
        store,
        put(&key("things", "one"), &json!({ "n": 2, "m": 1 })),
    )
    .await;
    let page = changes(store, &by_n(declared)).await;
    assert_eq!(told(&page).len(), 1);
    let definition = json!({ "preconditions": "optional", "indexes": { "n": "/m" }, "title": "T" });
    define(store, "things", &definition).await;
    changes(store, &by_n(declared)).await;
    // The same words mean another value from here on.
    let schema = json!({ "properties": { "m": { "type": "string" } } });
    let definition =
        json!({ "preconditions": "optional", "indexes": { "n": "/m" }, "schema": schema });
    define(store, "things", &definition).await;
    let answer = store.changes(&by_n(declared)).await;
    assert!(
        matches!(answer, Err(ReadError::Expired { oldest }) if oldest == store.head()),
        "{answer:?}"
    );
}

/// A filter by what is not declared, and a collection that is not defined, are told.
pub async fn what_cannot_be_filtered_by_is_told<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_filtered(store, "/n").await;
    let query = since("things", store.head());
    let answer = store
        .changes(&filtered(
            &query,
            &[("n", &["1"]), ("x", &["1"]), ("y", &["1"])],
        ))
        .await;
    assert!(
        matches!(&answer, Err(ReadError::Undeclared { names, .. }) if names == &["x", "y"]),
        "{answer:?}"
    );
    let answer = store.changes(&since("nothings", store.head())).await;
    assert!(
        matches!(answer, Err(ReadError::CollectionNotDefined { .. })),
        "{answer:?}"
    );
}

/// The feed of everything tells all collections in the order of commits, definitions included, and
/// no transaction in part.
pub async fn the_feed_of_everything_is_in_the_order_of_commits<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let begin = store.head();
    define_open(store, "things").await;
    define_open(store, "others").await;
    let pair = |number: u64| {
        [("things", number), ("others", number + 1)].map(|(collection, number)| {
            put(
                &key(collection, &format!("k{}", number % 3)),
                &json!(number),
            )
        })
    };
    for number in 0..6 {
        committed(store, pair(number).into()).await;
    }
    let end = written(store, delete(&key("others", "k0"))).await.position;
    let query = ChangesQuery {
        feed: Feed::Everything,
        ..since("things", begin)
    };
    let page = changes(store, &query).await;
    let name = |item: &Changed| format!("{} {}", item.key.collection, item.key.id);
    assert_eq!(
        page.items.iter().map(name).collect::<Vec<_>>(),
        [
            "-.collections things",
            "-.collections others",
            "things k0",
            "others k1",
            "things k1",
            "others k2",
            "things k2",
            "others k0",
        ]
    );
    assert_eq!(
        (page.position, page.closed, page.digest),
        (end, false, None)
    );
    for items in [1, 2, 3] {
        let limit = PageLimit {
            items,
            bytes: 1 << 20,
        };
        let pages = follow(
            store,
            &ChangesQuery {
                limit,
                ..query.clone()
            },
        )
        .await;
        let commits = pages
            .iter()
            .flat_map(|page| &page.items)
            .map(|item| item.version.position.sequence());
        assert!(commits.is_sorted());
        assert_eq!(pages.last().map(|page| page.position), Some(end));
    }
}

/// The recorded outcomes of transactions have no feed of their own, and are not in that of everything.
pub async fn outcomes_of_transactions_are_in_no_feed<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    let id = "0198a5f0-0000-7000-8000-000000000001";
    let record = Record {
        id: id.parse().expect("an id"),
        digest: [1; 16],
        render: Box::new(|_| Bytes::from_static(b"{}")),
    };
    let transaction = Transaction {
        operations: vec![put(&key("things", "one"), &json!(1))],
        record: Some(record),
        guard: None,
    };
    let made = outcome(store, transaction).await;
    assert!(matches!(made, Outcome::Committed(_)), "{made:?}");
    let query = ChangesQuery {
        feed: Feed::Everything,
        ..since("things", begin)
    };
    let page = changes(store, &query).await;
    assert_eq!(told(&page), [("one", Some(json!(1)))]);
    assert_eq!(page.position, store.head());
    let own = ChangesQuery {
        feed: Feed::of(crate::CollectionPath::transactions()),
        ..query
    };
    let answer = store.changes(&own).await;
    assert!(
        matches!(answer, Err(ReadError::CollectionNotDefined { .. })),
        "{answer:?}"
    );
}

async fn listed_digest(store: &Arc<dyn Store>) -> SetDigest {
    let mut digest = SetDigest::default();
    for listed in page(store, &all("things")).await.items {
        digest.add(&listed.key, listed.version.position);
    }
    digest
}

/// A page at the head proves what is there: of a whole collection, unfiltered, also after a restart.
pub async fn the_digest_is_that_of_what_is_there<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_filtered(store, "/n").await;
    let begin = store.head();
    let nothing = changes(store, &since("things", begin)).await;
    assert_eq!(nothing.digest, Some(SetDigest::default()));
    for number in 0..12 {
        let key = key("things", &format!("t{}", number % 5));
        written(store, put(&key, &json!({ "n": number }))).await;
    }
    written(store, delete(&key("things", "t1"))).await;
    let expected = listed_digest(store).await;
    assert_ne!(expected, SetDigest::default());
    for position in [begin, store.head()] {
        let query = since("things", position);
        assert_eq!(changes(store, &query).await.digest, Some(expected));
        let by_n = filtered(&query, &[("n", &["1"])]);
        assert_eq!(changes(store, &by_n).await.digest, None);
    }
    let mut query = since("things", begin);
    query.limit.items = 2;
    let first = changes(store, &query).await;
    assert_eq!((first.closed, first.digest), (true, None));
    let fixture = fixture.reopened().await;
    let page = changes(fixture.store(), &since("things", begin)).await;
    assert_eq!(page.digest, Some(expected));
}

/// After a restore every entity tag is another, and the digest is of these.
pub async fn a_restored_store_has_the_digest_of_its_new_entity_tags<F: Fixture>() {
    let mut fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    written(fixture.store(), put(&key("things", "one"), &json!(1))).await;
    let before = listed_digest(fixture.store()).await;
    fixture.back_up().await;
    let fixture = fixture.restored().await;
    let store = fixture.store();
    let head = state(store, "things").await.head;
    let page = changes(store, &since("things", head)).await;
    assert_eq!(page.digest, Some(listed_digest(store).await));
    assert_ne!(page.digest, Some(before));
    written(store, put(&key("things", "two"), &json!(2))).await;
    let page = changes(store, &since("things", head)).await;
    assert_eq!(page.digest, Some(listed_digest(store).await));
}
