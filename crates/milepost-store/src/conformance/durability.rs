//! What was acknowledged is there after a restart, all of it.

use std::{fmt::Write as _, sync::Arc};

use bytes::Bytes;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    Fixture,
    vocabulary::{
        EVERYTHING, below, body, committed, define, define_open, delete, key, merge_patch, outcome,
        page, put, written,
    },
};
use crate::{CollectionPath, ListQuery, Record, Store, Transaction};

/// Everything that can be asked of a store, as a text to compare.
async fn everything(store: &Arc<dyn Store>) -> String {
    let mut text = format!("head {}\n", store.head());
    let definitions = store.definitions();
    let declared = definitions.iter().map(|(path, _)| path.clone());
    for collection in declared.chain([
        CollectionPath::collections(),
        CollectionPath::transactions(),
    ]) {
        if let Some(state) = store
            .collection(&collection)
            .await
            .expect("a collection can be asked for")
        {
            let floors = (state.oldest_snapshot, state.oldest_change);
            writeln!(
                text,
                "{collection}: {} {} {floors:?}",
                state.defined_at, state.head
            )
            .expect("memory");
        }
        let listed = page(store, &ListQuery::all(collection, EVERYTHING))
            .await
            .items;
        for listed in listed {
            let versions = store
                .versions(&listed.key, None, 1000)
                .await
                .expect("versions can be asked for");
            writeln!(
                text,
                "{:?}\n{:?}\n{:?}",
                listed.key, listed.version, versions.versions
            )
            .expect("memory");
        }
    }
    text
}

/// Resources, versions, tombstones, definitions, outcomes, positions: after a restart all is as it was.
pub async fn a_restart_changes_nothing<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let definition =
        json!({ "preconditions": "optional", "indexes": { "n": "/n" }, "text": ["/t"] });
    define(store, "things", &definition).await;
    define_open(store, "things.parts").await;
    for number in 0..30 {
        let thing = key("things", &format!("t{}", number % 8));
        written(store, put(&thing, &json!({ "n": number, "t": "words" }))).await;
        written(store, put(&below(&thing, "parts", "p"), &json!(number))).await;
    }
    written(
        store,
        merge_patch(&key("things", "t1"), json!({ "n": null })),
    )
    .await;
    written(store, delete(&below(&key("things", "t2"), "parts", "p"))).await;
    let render = Box::new(|committed: &crate::Committed| {
        Bytes::from(format!("{:?}", committed.position.to_string()))
    });
    let record = Record {
        id: "0198a5f0-0000-7000-8000-000000000001"
            .parse()
            .expect("an id"),
        digest: [7; 16],
        render,
    };
    let operations = vec![put(&key("things", "t0"), &json!("recorded"))];
    outcome(
        store,
        Transaction {
            operations,
            record: Some(record),
            guard: None,
        },
    )
    .await;
    fixture.settle().await;
    let before = everything(store).await;
    let fixture = fixture.reopened().await;
    assert_eq!(everything(fixture.store()).await, before);
    let fixture = fixture.reopened().await;
    assert_eq!(everything(fixture.store()).await, before);
}

/// Writers that were acknowledged find their writes after a crash; whatever else is there is whole.
pub async fn no_acknowledged_write_is_lost_and_none_is_half_there<F: Fixture>() {
    let fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let mut writers = JoinSet::new();
    for writer in 0..8 {
        let store = Arc::clone(fixture.store());
        writers.spawn(async move {
            for number in 0..15 {
                let pair = ["left", "right"]
                    .map(|side| put(&key("things", &format!("{side}{writer}")), &json!(number)));
                committed(&store, pair.into()).await;
            }
        });
    }
    writers.join_all().await;
    let head = fixture.store().head();
    let fixture = fixture.reopened().await;
    assert_eq!(fixture.store().head(), head);
    for writer in 0..8 {
        for side in ["left", "right"] {
            let body = body(fixture.store(), &key("things", &format!("{side}{writer}"))).await;
            assert_eq!(body.as_deref(), Some(b"14".as_slice()));
        }
    }
}
