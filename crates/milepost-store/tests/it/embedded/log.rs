//! The table that names each collection's versions in order: what was forgotten leaves it too, a little
//! at a time, and one of an earlier format is understood.

use std::{path::Path, sync::Arc};

use milepost_semantics::Position;
use milepost_store::{
    Change, ChangesPage, ChangesQuery, CollectionPath, Feed, MaintenanceError, Operation,
    PageLimit, ParentPath, ResourceKey, Scope, Store,
    clock::ManualClock,
    embedded::{Embedded, Options, check},
};
use rusqlite::Connection;
use serde_json::json;

use super::{
    DATABASE, assert_whole, copy_in_use,
    damage::{define, define_as, key, put, runtime, write},
    temporary,
};
use crate::NOW;

/// Opened as what can also be told to settle.
fn open(directory: &Path) -> Arc<Embedded> {
    Arc::new(Embedded::open(directory, Options::default()).expect("a store"))
}

fn count(directory: &Path, table: &str) -> i64 {
    let db = Connection::open(directory.join(DATABASE)).expect("a database");
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
        row.get(0)
    })
    .expect("a count")
}

/// Updates things, 64 with each commit.
async fn update(store: &Arc<dyn Store>, rounds: u64) {
    for round in 0..rounds {
        let things = (0..64).map(|number| put(&key(&format!("t{}", number * 7)), &json!(round)));
        write(store, things.collect()).await.expect("a commit");
    }
}

#[test]
fn what_was_forgotten_leaves_the_log_also_when_that_was_cut_off() {
    let (directory, crashed) = (temporary(), temporary());
    runtime().block_on(async {
        let store = open(directory.path()) as Arc<dyn Store>;
        let retention = json!({ "history": { "count": 10 } });
        let definition = json!({ "preconditions": "optional", "retention": retention });
        define_as(&store, &definition).await;
        update(&store, 100).await;
        copy_in_use(directory.path(), crashed.path());
    });
    let (kept, logged) = (
        count(crashed.path(), "versions"),
        count(crashed.path(), "log"),
    );
    assert!(
        logged > kept,
        "{logged} rows for {kept} versions: nothing was left to do"
    );
    assert!(
        logged < 6400,
        "{logged} rows: nothing was taken away beside the writes"
    );
    assert_whole(crashed.path());
    runtime().block_on(async {
        let embedded = open(crashed.path());
        update(&(Arc::clone(&embedded) as Arc<dyn Store>), 1).await;
        embedded.settle().await;
    });
    assert_whole(crashed.path());
    // The newest of 64 things and ten before them, and the definition.
    assert_eq!(count(crashed.path(), "versions"), 75);
    assert_eq!(count(crashed.path(), "log"), 75);
}

#[test]
fn a_quiet_collections_tombstones_go_while_another_is_never_at_rest() {
    let directory = temporary();
    let clock = Arc::new(ManualClock::new(NOW));
    runtime().block_on(async {
        let options = Options {
            clock: Arc::clone(&clock) as _,
            ..Options::default()
        };
        let embedded = Embedded::open(directory.path(), options).expect("a store");
        let store = Arc::new(embedded) as Arc<dyn Store>;
        let retention = json!({ "history": { "count": 10 } });
        let busy = json!({ "preconditions": "optional", "retention": retention });
        define_as(&store, &busy).await;
        let retention = json!({ "history": { "count": 1 }, "tombstones": { "count": 2 } });
        let quiet = json!({ "preconditions": "optional", "retention": retention });
        let others = CollectionPath::parse("others").expect("a name");
        let definition = ResourceKey::definition(&others).expect("a name that is an id");
        write(&store, vec![put(&definition, &quiet)])
            .await
            .expect("a definition");
        for number in 0..50 {
            let id = format!("o{number}").parse().expect("an id");
            let other = ResourceKey::top(others.clone(), id);
            write(&store, vec![put(&other, &json!(number))])
                .await
                .expect("a commit");
            let delete = Operation {
                change: Change::Delete,
                ..put(&other, &json!(null))
            };
            write(&store, vec![delete]).await.expect("a commit");
        }
        for _ in 0..10 {
            clock.advance(1000);
            update(&store, 10).await;
        }
    });
    let tombstones = count(directory.path(), "keys WHERE live = 0");
    assert!(tombstones <= 2, "{tombstones} tombstones are left");
    assert_whole(directory.path());
}

/// Makes of a store what the first format would have been.
fn age(directory: &Path) {
    let db = Connection::open(directory.join(DATABASE)).expect("a database");
    db.execute_batch(
        "ALTER TABLE log RENAME COLUMN replaced TO superseded;
         UPDATE log SET superseded =
             (SELECT v.row >> 20 FROM versions v WHERE v.replaced = log.row);
         ALTER TABLE collections DROP COLUMN log_cursor;
         PRAGMA user_version = 1;",
    )
    .expect("an older store");
}

async fn changes_since(store: &Arc<Embedded>, since: Position) -> Arc<ChangesPage> {
    let query = ChangesQuery {
        feed: Feed::Collection {
            collection: key("any").collection,
            scope: Scope::Of(ParentPath::top()),
            filters: Vec::new(),
        },
        since,
        versions: false,
        limit: PageLimit {
            items: 1000,
            bytes: 1 << 20,
        },
    };
    store.changes(&query).await.expect("a page")
}

#[test]
fn a_store_of_the_first_format_is_brought_up_to_date_when_it_is_opened() {
    let directory = temporary();
    let (beginning, before) = runtime().block_on(async {
        let embedded = open(directory.path());
        let store = Arc::clone(&embedded) as Arc<dyn Store>;
        define(&store).await;
        let beginning = store.head();
        update(&store, 3).await;
        (beginning, changes_since(&embedded, beginning).await)
    });
    age(directory.path());
    let checked = check(directory.path());
    assert!(
        matches!(checked, Err(MaintenanceError::OlderFormat { found: 1, .. })),
        "{checked:?}"
    );
    runtime().block_on(async {
        let embedded = open(directory.path());
        assert_eq!(before.items.len(), 64);
        assert_eq!(changes_since(&embedded, beginning).await, before);
    });
    assert_whole(directory.path());
}
