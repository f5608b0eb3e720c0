//! The embedded store's files: one process, one format, backups, checks, and a log that stays small.

use std::{
    fs,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use milepost_store::{
    MaintenanceError, Store, WriteError,
    embedded::{Embedded, Leaving, Options, backup, check, restore},
    transfer::Source as _,
};
use rusqlite::Connection;
use serde_json::json;

use super::{
    DATABASE, LOG, assert_whole,
    damage::{define, key, open, put, runtime, standing, write},
    temporary,
};

#[test]
fn a_directory_belongs_to_one_process_until_it_is_let_go() {
    let directory = temporary();
    let store = open(directory.path(), Options::default());
    let second = Embedded::open(directory.path(), Options::default());
    assert!(
        matches!(second, Err(MaintenanceError::InUse { .. })),
        "{second:?}"
    );
    drop(store);
    open(directory.path(), Options::default());
}

#[test]
fn a_store_of_a_newer_format_is_refused_by_the_version_it_needs() {
    let directory = temporary();
    drop(open(directory.path(), Options::default()));
    let db = Connection::open(directory.path().join(DATABASE)).expect("a database");
    db.pragma_update(None, "user_version", 999)
        .expect("a pragma");
    drop(db);
    let opened = Embedded::open(directory.path(), Options::default());
    assert!(
        matches!(
            opened,
            Err(MaintenanceError::NewerFormat { found: 999, .. })
        ),
        "{opened:?}"
    );
}

#[test]
fn a_store_whose_history_is_lost_is_not_copied_under_another_one() {
    let directory = temporary();
    drop(open(directory.path(), Options::default()));
    let db = Connection::open(directory.path().join(DATABASE)).expect("a database");
    db.execute("DELETE FROM meta WHERE name = 'history'", [])
        .expect("a store");
    drop(db);
    let mut leaving = Leaving::from(directory.path()).expect("a store");
    let refused = runtime().block_on(leaving.outline());
    assert!(
        matches!(refused, Err(MaintenanceError::Damaged { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_file_that_is_no_store_is_left_alone() {
    let directory = temporary();
    let path = directory.path().join(DATABASE);
    let garbage = vec![b'x'; 10_000];
    fs::write(&path, &garbage).expect("a file");
    let opened = Embedded::open(directory.path(), Options::default());
    assert!(
        matches!(opened, Err(MaintenanceError::NotAStore { .. })),
        "{opened:?}"
    );
    assert_eq!(fs::read(&path).expect("a file"), garbage);
    fs::remove_file(&path).expect("a file");
    let other = Connection::open(&path).expect("a database");
    other
        .execute_batch("CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)")
        .expect("a table");
    let opened = Embedded::open(directory.path(), Options::default());
    assert!(
        matches!(opened, Err(MaintenanceError::NotAStore { .. })),
        "{opened:?}"
    );
    let theirs: i64 = other
        .query_row("SELECT a FROM theirs", [], |row| row.get(0))
        .expect("a row");
    assert_eq!(theirs, 1);
}

#[test]
fn a_backup_taken_while_many_write_is_one_moment_of_the_store() {
    let (directory, target) = (temporary(), temporary());
    let file = target.path().join("backup");
    runtime().block_on(async {
        let store = open(directory.path(), Options::default());
        define(&store).await;
        let writer = tokio::spawn(write_pairs(Arc::clone(&store), 400));
        while standing(&store, "left").await.is_none() {
            tokio::task::yield_now().await;
        }
        backup(directory.path(), &file).expect("a backup");
        writer.await.expect("a writer that ends");
        let again = backup(directory.path(), &file);
        assert!(
            matches!(again, Err(MaintenanceError::AlreadyExists { .. })),
            "{again:?}"
        );
    });
    let restored = temporary();
    restore(&file, restored.path()).expect("a store");
    let again = restore(&file, restored.path());
    assert!(
        matches!(again, Err(MaintenanceError::AlreadyExists { .. })),
        "{again:?}"
    );
    assert_whole(restored.path());
    runtime().block_on(async {
        let store = open(restored.path(), Options::default());
        let left = standing(&store, "left").await;
        assert!(left.is_some());
        assert_eq!(left, standing(&store, "right").await);
    });
}

#[test]
fn what_is_no_backup_is_not_restored() {
    let directory = temporary();
    let file = directory.path().join("backup");
    for contents in [None, Some(Vec::new()), Some(vec![7; 5000])] {
        if let Some(contents) = contents {
            fs::write(&file, contents).expect("a file");
        }
        let target = temporary();
        let restored = restore(&file, target.path());
        assert!(
            matches!(restored, Err(MaintenanceError::NotAStore { .. })),
            "{restored:?}"
        );
        assert!(!target.path().join(DATABASE).exists());
    }
}

#[test]
fn a_check_tells_what_was_taken_away() {
    let directory = temporary();
    runtime().block_on(async {
        let store = open(directory.path(), Options::default());
        define(&store).await;
        for number in 0..5 {
            write(
                &store,
                vec![put(&key(&format!("t{number}")), &json!(number))],
            )
            .await
            .expect("a commit");
        }
    });
    let whole = check(directory.path()).expect("a store");
    // Five things, and the definition of their collection.
    assert_eq!(
        (whole.resources, whole.versions, whole.faults),
        (6, 6, Vec::new())
    );
    let db = Connection::open(directory.path().join(DATABASE)).expect("a database");
    db.execute(
        "DELETE FROM versions WHERE row = (SELECT max(row) FROM versions)",
        [],
    )
    .expect("a delete");
    drop(db);
    let damaged = check(directory.path()).expect("a store");
    assert_eq!(damaged.versions, 5);
    assert_eq!(damaged.faults.len(), 2, "{:?}", damaged.faults);
    let nothing = check(temporary().path());
    assert!(
        matches!(nothing, Err(MaintenanceError::NotAStore { .. })),
        "{nothing:?}"
    );
}

#[test]
fn the_log_stays_bounded_while_writers_never_rest() {
    let directory = temporary();
    runtime().block_on(async {
        let store = open(directory.path(), Options::default());
        define(&store).await;
        let large = json!("x".repeat(900 << 10));
        for number in 0..300 {
            let operation = put(&key(&format!("t{}", number % 3)), &large);
            let other = put(&key("n"), &json!(number));
            write(&store, vec![operation, other])
                .await
                .expect("a commit");
        }
        let log = fs::metadata(directory.path().join(LOG))
            .expect("a log")
            .len();
        assert!(log < 160 << 20, "{log} bytes of log after 270 MB of writes");
    });
    assert_whole(directory.path());
}

#[test]
fn more_writes_than_may_wait_are_refused_and_not_written() {
    let directory = temporary();
    runtime().block_on(async {
        let options = Options {
            queue_max: 1,
            ..Options::default()
        };
        let store = open(directory.path(), options);
        define(&store).await;
        let operation = |number: usize| vec![put(&key(&format!("t{number}")), &json!(number))];
        // As long as this holds the database's lock, the writer waits for it.
        let db = Connection::open(directory.path().join(DATABASE)).expect("a database");
        db.execute_batch("BEGIN IMMEDIATE").expect("the lock");
        let mut waiting = Vec::new();
        let refused = loop {
            let mut asked = Box::pin(write(&store, operation(waiting.len())));
            match asked.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
                Poll::Pending => waiting.push(asked),
                Poll::Ready(outcome) => break outcome,
            }
        };
        assert!(
            matches!(refused, Err(WriteError::Overloaded)),
            "{refused:?}"
        );
        db.execute_batch("ROLLBACK").expect("the lock let go");
        let waited = waiting.len();
        for asked in waiting {
            asked.await.expect("a commit");
        }
        for number in 0..waited {
            assert_eq!(
                standing(&store, &format!("t{number}")).await,
                Some(json!(number))
            );
        }
        assert_eq!(standing(&store, &format!("t{waited}")).await, None);
        write(&store, operation(waited)).await.expect("room again");
    });
}

/// Writes the same number into each of two things, `count` times.
async fn write_pairs(store: Arc<dyn Store>, count: u64) {
    for number in 0..count {
        let pair = ["left", "right"].map(|id| put(&key(id), &json!(number)));
        write(&store, pair.into()).await.expect("a commit");
    }
}

/// A transaction whose asker has gone away is carried out whole all the same.
#[test]
fn a_write_whose_asker_is_gone_stands_whole_or_not_at_all() {
    let directory = temporary();
    runtime().block_on(async {
        let store: Arc<dyn Store> = open(directory.path(), Options::default());
        define(&store).await;
        for number in 0..50 {
            let pair =
                ["left", "right"].map(|side| put(&key(&format!("{side}{number}")), &json!(number)));
            let asker = Arc::clone(&store);
            let asked = tokio::spawn(async move { write(&asker, pair.into()).await });
            tokio::task::yield_now().await;
            asked.abort();
        }
        write(&store, vec![put(&key("last"), &json!(1))])
            .await
            .expect("a commit");
        for number in 0..50 {
            let left = standing(&store, &format!("left{number}")).await;
            assert_eq!(left, standing(&store, &format!("right{number}")).await);
        }
    });
    assert_whole(directory.path());
}
