//! Retention: what is forgotten is bounded by the definition, and what is left is told exactly.

use std::{collections::BTreeMap, sync::Arc};

use milepost_semantics::Position;
use serde_json::{Value, json};

use super::{
    Fixture,
    vocabulary::{
        When, all, define, define_open, delete, failure, key, page, put, read, state, written,
    },
};
use crate::{Failure, ListQuery, ReadError, Store};

const DAY_MS: u64 = 86_400_000;

async fn define_with(store: &Arc<dyn Store>, retention: Value) {
    define(
        store,
        "things",
        &json!({ "preconditions": "optional", "retention": retention }),
    )
    .await;
}

/// What stood at a position: the bodies by id.
type Standing = BTreeMap<String, Value>;

/// Writes `n` into one of five resources, or deletes it, and remembers what stood after each write.
async fn write_many(
    fixture: &impl Fixture,
    from: u64,
    to: u64,
    standing: &mut Standing,
) -> Vec<(Position, Standing)> {
    let store = fixture.store();
    let mut remembered = Vec::new();
    for number in from..to {
        fixture.clock().advance(1000);
        let id = format!("t{}", number * 7 % 5);
        let key = key("things", &id);
        let version = if number % 4 == 3 && standing.contains_key(&id) {
            standing.remove(&id);
            written(store, delete(&key)).await
        } else {
            standing.insert(id, json!(number));
            written(store, put(&key, &json!(number))).await
        };
        remembered.push((version.position, standing.clone()));
    }
    remembered
}

/// Asserts that each remembered position is answered completely, or refused below the told floor.
async fn floors_are_exact(store: &Arc<dyn Store>, remembered: &[(Position, Standing)]) {
    let oldest = state(store, "things").await.oldest_snapshot;
    for (position, standing) in remembered {
        let answer = store
            .list(&ListQuery {
                at: Some(*position),
                ..all("things")
            })
            .await;
        let read = store.read(&key("things", "t0"), Some(*position)).await;
        if position.sequence() < oldest.sequence() {
            let told = [answer.map(|_| ()), read.map(|_| ())];
            for told in told {
                assert!(
                    matches!(told, Err(ReadError::Expired { oldest: told }) if told == oldest),
                    "{position}: {told:?}"
                );
            }
            continue;
        }
        let value = |body: &[u8]| serde_json::from_slice::<Value>(body).expect("JSON");
        let shown = answer.expect("a retained position").items.into_iter();
        let shown = shown.map(|listed| {
            (
                listed.key.id.to_string(),
                value(listed.version.body.as_deref().expect("a body")),
            )
        });
        assert_eq!(shown.collect::<Standing>(), *standing, "at {position}");
        let version = read.expect("a retained position");
        let body = version.and_then(|version| version.body);
        assert_eq!(
            body.as_deref().map(value).as_ref(),
            standing.get("t0"),
            "at {position}"
        );
    }
}

/// The versions that were superseded and are still there, of all resources.
async fn superseded(store: &Arc<dyn Store>) -> (usize, usize) {
    let (mut count, mut bytes) = (0, 0);
    for number in 0..5 {
        let versions = store
            .versions(&key("things", &format!("t{number}")), None, 1000)
            .await;
        let versions = versions.expect("versions can be asked for").versions;
        for version in versions.iter().skip(1) {
            count += 1;
            bytes += version.body.as_ref().map_or(0, bytes::Bytes::len);
        }
    }
    (count, bytes)
}

/// Nothing is forgotten before a bound is reached.
pub async fn everything_is_remembered_within_the_bounds<F: Fixture>() {
    let fixture = F::fresh().await;
    define_with(fixture.store(), json!({})).await;
    let remembered = write_many(&fixture, 0, 40, &mut Standing::new()).await;
    fixture.settle().await;
    let oldest = state(fixture.store(), "things").await.oldest_snapshot;
    assert!(oldest.sequence() < remembered.first().expect("some").0.sequence());
    floors_are_exact(fixture.store(), &remembered).await;
}

/// At most so many superseded versions are kept, and as many as that; floors tell exactly from where.
pub async fn history_is_bounded_by_count<F: Fixture>() {
    let fixture = F::fresh().await;
    define_with(fixture.store(), json!({ "history": { "count": 10 } })).await;
    let mut standing = Standing::new();
    let mut remembered = write_many(&fixture, 0, 40, &mut standing).await;
    fixture.settle().await;
    assert_eq!(superseded(fixture.store()).await.0, 10);
    floors_are_exact(fixture.store(), &remembered).await;
    remembered.extend(write_many(&fixture, 40, 60, &mut standing).await);
    floors_are_exact(fixture.store(), &remembered).await;
    fixture.settle().await;
    floors_are_exact(fixture.store(), &remembered).await;
    assert_eq!(superseded(fixture.store()).await.0, 10);
}

/// What was superseded longer ago than the bound is forgotten; what stands is not, however old.
pub async fn history_is_bounded_by_age<F: Fixture>() {
    let fixture = F::fresh().await;
    define_with(fixture.store(), json!({ "history": { "age": "PT10S" } })).await;
    let mut standing = Standing::new();
    let remembered = write_many(&fixture, 0, 30, &mut standing).await;
    fixture.settle().await;
    floors_are_exact(fixture.store(), &remembered).await;
    let oldest = state(fixture.store(), "things")
        .await
        .oldest_snapshot
        .sequence();
    let head = fixture.store().head().sequence();
    assert!(
        (9..=12).contains(&(head - oldest)),
        "one write a second: {oldest} of {head}"
    );
    fixture.clock().advance(1000 * DAY_MS);
    fixture.settle().await;
    assert_eq!(superseded(fixture.store()).await.0, 0);
    floors_are_exact(fixture.store(), &remembered).await;
    assert_eq!(
        page(fixture.store(), &all("things")).await.items.len(),
        standing.len()
    );
}

/// The superseded representations take no more bytes than the bound.
pub async fn history_is_bounded_by_bytes<F: Fixture>() {
    let fixture = F::fresh().await;
    define_with(fixture.store(), json!({ "history": { "bytes": 20 } })).await;
    let remembered = write_many(&fixture, 0, 40, &mut Standing::new()).await;
    fixture.settle().await;
    let (count, bytes) = superseded(fixture.store()).await;
    assert!(
        bytes <= 20 && count > 4,
        "{bytes} bytes of {count} versions"
    );
    floors_are_exact(fixture.store(), &remembered).await;
}

/// A bound that is changed holds from then on, for what is there already too.
pub async fn a_changed_bound_is_applied_to_what_is_there<F: Fixture>() {
    let fixture = F::fresh().await;
    define_with(fixture.store(), json!({})).await;
    let remembered = write_many(&fixture, 0, 40, &mut Standing::new()).await;
    define_with(fixture.store(), json!({ "history": { "count": 3 } })).await;
    fixture.settle().await;
    assert_eq!(superseded(fixture.store()).await.0, 3);
    floors_are_exact(fixture.store(), &remembered).await;
    define_with(fixture.store(), json!({})).await;
    fixture.settle().await;
    floors_are_exact(fixture.store(), &remembered).await;
}

/// Tombstones go by their own bounds, once history no longer needs them to find what they replaced:
/// what was deleted is forgotten, and the floor says since when.
pub async fn tombstones_are_bounded_by_count_and_age<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let history = json!({ "count": 1, "age": "PT1S" });
    let tombstones = json!({ "count": 4, "age": "P1D" });
    define_with(
        store,
        json!({ "history": history, "tombstones": tombstones }),
    )
    .await;
    let mut deleted = Vec::new();
    for number in 0..10 {
        let key = key("things", &format!("t{number}"));
        written(store, put(&key, &json!(number))).await;
        deleted.push((key.clone(), written(store, delete(&key)).await));
    }
    fixture.settle().await;
    let oldest = state(store, "things").await.oldest_change;
    assert_eq!(oldest, deleted.get(5).expect("ten").1.position);
    for (index, (key, tombstone)) in deleted.iter().enumerate() {
        let expected = (index >= 6).then_some(tombstone);
        assert_eq!(read(store, key).await.as_ref(), expected, "{key:?}");
    }
    fixture.clock().advance(2 * DAY_MS);
    fixture.settle().await;
    let last = deleted.last().expect("ten").1.position;
    assert_eq!(state(store, "things").await.oldest_change, last);
    assert_eq!(
        state(store, "things").await.head,
        last,
        "forgetting is no change"
    );
    for (key, _) in &deleted {
        assert_eq!(read(store, key).await, None);
        assert!(matches!(
            failure(store, delete(key).if_match(last)).await,
            Failure::NotFound
        ));
    }
    let again = written(store, put(&deleted.first().expect("ten").0, &json!(0))).await;
    assert!(again.position.sequence() > last.sequence());
}

/// A tombstone that was followed by a new creation is history, and no longer a tombstone.
pub async fn a_re_created_resource_has_no_tombstone_to_forget<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let second = json!({ "age": "PT1S" });
    define_with(store, json!({ "history": second, "tombstones": second })).await;
    let before = state(store, "things").await.oldest_change;
    let one = key("things", "one");
    written(store, put(&one, &json!(1))).await;
    written(store, delete(&one)).await;
    let again = written(store, put(&one, &json!(2))).await;
    fixture.clock().advance(10_000);
    fixture.settle().await;
    assert_eq!(read(store, &one).await, Some(again));
    assert_eq!(state(store, "things").await.oldest_change, before);
}

/// One collection's writes and bounds never cost another its memory.
pub async fn collections_are_forgotten_independently<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_with(
        store,
        json!({ "history": { "count": 1 }, "tombstones": { "count": 1 } }),
    )
    .await;
    define_open(store, "others").await;
    let other = key("others", "x");
    let kept = written(store, put(&other, &json!("kept"))).await;
    written(store, put(&other, &json!("newer"))).await;
    let before = state(store, "others").await;
    write_many(&fixture, 0, 50, &mut Standing::new()).await;
    fixture.settle().await;
    let after = state(store, "others").await;
    assert_eq!(
        (after.oldest_snapshot, after.oldest_change),
        (before.oldest_snapshot, before.oldest_change)
    );
    assert_eq!(after.head, before.head);
    let read = store
        .read(&other, Some(kept.position))
        .await
        .expect("a retained position");
    assert_eq!(read, Some(kept));
}

/// Floors are on disk: a restart neither forgets nor remembers more.
pub async fn floors_survive_a_restart<F: Fixture>() {
    let fixture = F::fresh().await;
    let retention = json!({ "history": { "count": 7 }, "tombstones": { "count": 2 } });
    define_with(fixture.store(), retention).await;
    let remembered = write_many(&fixture, 0, 60, &mut Standing::new()).await;
    fixture.settle().await;
    let before = state(fixture.store(), "things").await;
    let fixture = fixture.reopened().await;
    let after = state(fixture.store(), "things").await;
    assert_eq!(
        (after.oldest_snapshot, after.oldest_change),
        (before.oldest_snapshot, before.oldest_change)
    );
    floors_are_exact(fixture.store(), &remembered).await;
    fixture.settle().await;
    floors_are_exact(fixture.store(), &remembered).await;
}
