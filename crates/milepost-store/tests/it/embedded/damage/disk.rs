//! A disk that is full: refused, nothing half-written, reads go on, and writes too once there is room.

use milepost_store::{Health, ListQuery, PageLimit, WriteError, embedded::Options};
use serde_json::json;

use super::{define, key, open, put, runtime, standing, write};
use crate::embedded::{assert_whole, temporary};

/// Room for the tables and some dozens of documents.
const SMALL_BYTES: u64 = 600 << 10;

fn options(bytes_max: Option<u64>) -> Options {
    Options {
        bytes_max,
        ..Options::default()
    }
}

#[test]
fn a_full_disk_refuses_writes_and_nothing_else() {
    let directory = temporary();
    runtime().block_on(async {
        let store = open(directory.path(), options(Some(SMALL_BYTES)));
        define(&store).await;
        let mut written = 0;
        let refused = loop {
            let pair = ["left", "right"]
                .map(|side| put(&key(&format!("{side}{written}")), &json!("x".repeat(5000))));
            match write(&store, pair.into()).await {
                Ok(()) => written += 1,
                Err(error) => break error,
            }
            assert!(written < 1000, "the disk never fills");
        };
        assert!(matches!(refused, WriteError::Full), "{refused:?}");
        assert!(
            matches!(store.health(), Health::ReadOnly(_)),
            "{:?}",
            store.health()
        );
        assert!(written > 5);
        let head = store.head();
        for side in ["left", "right"] {
            assert!(
                standing(&store, &format!("{side}{}", written - 1))
                    .await
                    .is_some()
            );
            assert_eq!(standing(&store, &format!("{side}{written}")).await, None);
        }
        let limit = PageLimit {
            items: 1000,
            bytes: 1 << 30,
        };
        let listed = store
            .list(&ListQuery::all(key("x").collection, limit))
            .await
            .expect("a page");
        assert_eq!(listed.items.len(), 2 * written);
        let again = write(&store, vec![put(&key("more"), &json!("x".repeat(50_000)))]).await;
        assert!(matches!(again, Err(WriteError::Full)), "{again:?}");
        assert_eq!(store.head(), head);
        drop(store);
        let store = open(directory.path(), options(None));
        assert_eq!(store.head(), head);
        write(&store, vec![put(&key("more"), &json!("room"))])
            .await
            .expect("room");
        assert_eq!(store.health(), Health::Up);
        assert_eq!(store.head().sequence(), head.sequence() + 1);
    });
    assert_whole(directory.path());
}

#[test]
fn a_store_that_was_full_takes_what_still_fits() {
    let directory = temporary();
    runtime().block_on(async {
        let store = open(directory.path(), options(Some(SMALL_BYTES)));
        define(&store).await;
        let huge = write(
            &store,
            vec![put(&key("huge"), &json!("x".repeat(900 << 10)))],
        )
        .await;
        assert!(matches!(huge, Err(WriteError::Full)), "{huge:?}");
        write(&store, vec![put(&key("small"), &json!("fits"))])
            .await
            .expect("room for a small one");
        assert_eq!(store.health(), Health::Up);
        assert_eq!(standing(&store, "huge").await, None);
        assert_eq!(standing(&store, "small").await, Some(json!("fits")));
    });
    assert_whole(directory.path());
}
