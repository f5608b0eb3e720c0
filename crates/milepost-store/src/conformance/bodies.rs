//! Single resources: their bytes, their time, and what a delete leaves.

use serde_json::json;

use super::{
    Fixture,
    vocabulary::{applied, body, define_open, delete, key, put, put_text, read, written},
};
use crate::{Effect, Timestamp};

/// The stored bytes are the ones that were sent: white space, order of members, escapes, numbers.
pub async fn a_body_comes_back_byte_for_byte<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let bodies = [
        "null",
        " {\"b\" : 1,\n\t\"a\": [ ] } ",
        r#"{"text":"\u00e9é\ud83d\ude00\/"}"#,
        r#"{"n":[1,1.0,1e0,-0,123456789012345678901234567890.10,1e-400]}"#,
        r#"["\u0000"]"#,
    ];
    for (index, text) in bodies.iter().enumerate() {
        let key = key("things", &format!("t{index}"));
        let version = written(store, put_text(&key, text)).await;
        assert_eq!(version.body.as_deref(), Some(text.as_bytes()));
        assert_eq!(body(store, &key).await.as_deref(), Some(text.as_bytes()));
    }
    let fixture = fixture.reopened().await;
    for (index, text) in bodies.iter().enumerate() {
        let read = body(fixture.store(), &key("things", &format!("t{index}"))).await;
        assert_eq!(read.as_deref(), Some(text.as_bytes()));
    }
}

/// What was acknowledged is what the next read says, also through a cache that held another version.
pub async fn a_read_after_an_acknowledged_write_sees_it<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    assert_eq!(read(store, &key).await, None);
    for round in 0..50 {
        let version = written(store, put(&key, &json!(round))).await;
        assert_eq!(read(store, &key).await, Some(version.clone()));
        assert_eq!(read(store, &key).await, Some(version));
        let gone = written(store, delete(&key)).await;
        assert_eq!(read(store, &key).await, Some(gone));
    }
}

/// A delete is a version too: it says what it replaced, and where in the order it stands.
pub async fn a_delete_leaves_a_tombstone_of_its_own_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    let made = written(store, put(&key, &json!(1))).await;
    let deleted = applied(store, delete(&key)).await;
    let tombstone = deleted.version.expect("a tombstone");
    assert_eq!(deleted.effect, Effect::Deleted);
    assert!(tombstone.is_deleted());
    assert_eq!(tombstone.replaced, Some(made.position));
    assert_eq!(tombstone.position, store.head());
    let again = applied(store, put(&key, &json!(1))).await;
    assert_eq!(again.effect, Effect::Created);
    let again = again.version.expect("a version");
    assert_eq!(again.replaced, Some(tombstone.position));
    assert_ne!(again.position, made.position);
}

/// The clock may go back; the time of a resource's versions does not.
pub async fn a_version_is_never_older_than_the_one_it_replaced<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    fixture.clock().set(Timestamp(1_800_000_000_000));
    let first = written(store, put(&key, &json!(1))).await;
    assert_eq!(first.modified, Timestamp(1_800_000_000_000));
    fixture.clock().set(Timestamp(1_700_000_000_000));
    let second = written(store, put(&key, &json!(2))).await;
    assert!(second.modified >= first.modified);
    fixture.clock().set(Timestamp(1_900_000_000_000));
    let third = written(store, delete(&key)).await;
    assert_eq!(third.modified, Timestamp(1_900_000_000_000));
}
