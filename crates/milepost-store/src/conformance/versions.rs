//! A resource's versions, one by one.

use serde_json::json;

use super::{
    Fixture,
    vocabulary::{below, define_open, delete, key, put, written},
};
use crate::Version;

/// Every retained version, newest first, tombstones among them, on pages of any size.
pub async fn versions_are_told_newest_first_page_by_page<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let one = key("things", "one");
    let mut made: Vec<Version> = Vec::new();
    for number in 0..7 {
        made.push(written(store, put(&one, &json!(number))).await);
        written(store, put(&key("things", "one2"), &json!(number))).await;
        if number % 3 == 2 {
            made.push(written(store, delete(&one)).await);
        }
    }
    made.reverse();
    for limit in 1..=made.len() + 1 {
        let mut told = Vec::new();
        let mut before = None;
        loop {
            let page = store
                .versions(&one, before, limit)
                .await
                .expect("versions can be asked for");
            assert!(page.versions.len() <= limit);
            told.extend(page.versions);
            before = page.before;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(told, made, "{limit} a page");
    }
}

/// A version is found by its position, and by no other.
pub async fn a_version_is_found_by_the_position_of_its_write<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    define_open(store, "things.parts").await;
    let one = key("things", "one");
    let part = below(&one, "parts", "one");
    let first = written(store, put(&one, &json!(1))).await;
    let other = written(store, put(&part, &json!("part"))).await;
    let second = written(store, put(&one, &json!(2))).await;
    written(store, delete(&part)).await;
    let gone = written(store, delete(&one)).await;
    for version in [first, second, gone] {
        let found = store
            .version(&one, version.position)
            .await
            .expect("a known position");
        assert_eq!(found, Some(version));
    }
    let found = store
        .version(&one, other.position)
        .await
        .expect("a known position");
    assert_eq!(found, None, "that write made no version of this resource");
    let found = store
        .version(&part, other.position)
        .await
        .expect("a known position");
    assert_eq!(found, Some(other));
}

/// What never was has no versions.
pub async fn a_resource_that_never_was_has_no_versions<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let page = store
        .versions(&key("things", "never"), None, 10)
        .await
        .expect("versions can be asked for");
    assert_eq!((page.versions, page.before), (Vec::new(), None));
}
