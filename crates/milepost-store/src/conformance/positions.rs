//! Positions: one order of commits, never used twice, and no gap that fills later.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use milepost_semantics::Position;
use serde_json::json;

use super::{
    Fixture,
    vocabulary::{
        When, all, applied, body, committed, define_open, delete, failure, key, page, put, read,
        rejected, walk, written,
    },
};
use crate::{Effect, Failure, ListQuery, ReadError, Store};

/// Each commit takes the next position; what is refused or changes nothing takes none.
pub async fn positions_are_dense_and_in_the_order_of_commits<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let mut last = store.head();
    for number in 0..20 {
        let key = key("things", &format!("t{}", number % 3));
        rejected(
            store,
            vec![
                put(&key, &json!(number))
                    .when(milepost_semantics::Preconditions::if_match(last.into())),
            ],
        )
        .await;
        let version = written(store, put(&key, &json!(number))).await;
        written(store, put(&key, &json!(number))).await;
        assert_eq!(version.position.sequence(), last.sequence() + 1);
        assert_eq!(version.position.history(), last.history());
        assert_eq!(store.head(), version.position);
        assert_eq!(store.at(last.sequence()), Some(last));
        last = version.position;
    }
    assert_eq!(store.at(last.sequence()), Some(last));
    assert_eq!(store.at(last.sequence() + 1), None);
}

/// Deleting and making again never makes an old entity tag true again.
pub async fn an_entity_tag_is_never_reused_after_delete_and_re_create<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let key = key("things", "one");
    let mut seen = Vec::new();
    for _ in 0..10 {
        let made = written(store, put(&key, &json!("the same"))).await;
        let gone = written(store, delete(&key)).await;
        for position in [made.position, gone.position] {
            assert!(!seen.contains(&position));
            seen.push(position);
        }
    }
    written(store, put(&key, &json!("the same"))).await;
    for position in seen {
        let stale = put(&key, &json!("other")).if_match(position);
        assert!(matches!(
            failure(store, stale).await,
            Failure::PreconditionFailed { .. }
        ));
    }
}

/// A restart continues the order where it was: positions stay known, and none is given twice.
pub async fn a_restart_continues_the_order<F: Fixture>() {
    let mut fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let key = key("things", "one");
    let mut seen: Vec<Position> = Vec::new();
    for round in 0..4 {
        for number in 0..3 {
            let version = written(fixture.store(), put(&key, &json!([round, number]))).await;
            assert!(
                seen.iter()
                    .all(|seen| seen.sequence() < version.position.sequence())
            );
            seen.push(version.position);
        }
        fixture = fixture.reopened().await;
        assert_eq!(Some(&fixture.store().head()), seen.last());
    }
    for position in seen {
        let version = fixture
            .store()
            .version(&key, position)
            .await
            .expect("a known position");
        assert_eq!(version.map(|version| version.position), Some(position));
    }
}

/// A position ahead of the head, of another store, or with another check is not known here.
pub async fn a_position_that_was_not_committed_here_is_expired<F: Fixture>() {
    let fixture = F::fresh().await;
    let other = F::fresh().await;
    for store in [fixture.store(), other.store()] {
        define_open(store, "things").await;
        for number in 0..5 {
            written(store, put(&key("things", "one"), &json!(number))).await;
        }
    }
    let store = fixture.store();
    let head = store.head();
    let ahead = Position::new(head.history(), head.sequence() + 1, head.check());
    let forged = Position::new(
        head.history(),
        head.sequence(),
        other.store().head().check(),
    );
    let mut unknown = vec![ahead, other.store().head()];
    unknown.extend(Some(forged).filter(|forged| *forged != head));
    for position in unknown {
        expired(store, position).await;
    }
}

/// Every question about a position that isn't known is answered by `Expired`.
async fn expired(store: &Arc<dyn Store>, position: Position) {
    let key = key("things", "one");
    let listed = store
        .list(&ListQuery {
            at: Some(position),
            ..all("things")
        })
        .await;
    assert!(
        matches!(listed, Err(ReadError::Expired { .. })),
        "{position}: {listed:?}"
    );
    let read = store.read(&key, Some(position)).await;
    assert!(
        matches!(read, Err(ReadError::Expired { .. })),
        "{position}: {read:?}"
    );
    let version = store.version(&key, position).await;
    assert!(
        matches!(version, Err(ReadError::Expired { .. })),
        "{position}: {version:?}"
    );
    let versions = store.versions(&key, Some(position), 10).await;
    assert!(
        matches!(versions, Err(ReadError::Expired { .. })),
        "{position}: {versions:?}"
    );
}

/// Two stores that grew from one agree on what was before and find each other's later positions out.
pub async fn positions_of_a_fork_are_unknown_to_the_other_branch<F: Fixture>() {
    let fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let key = key("things", "one");
    let shared = written(fixture.store(), put(&key, &json!(0))).await;
    let (one, other) = fixture.forked().await;
    let mut of_one = Vec::new();
    for number in 1..=5 {
        of_one.push(written(one.store(), put(&key, &json!(number))).await);
        written(other.store(), put(&key, &json!(number))).await;
    }
    for version in &of_one {
        expired(other.store(), version.position).await;
    }
    let read = other
        .store()
        .read(&key, Some(shared.position))
        .await
        .expect("what both remember");
    assert_eq!(read, Some(shared));
    let last = of_one.last().expect("five versions");
    let stale = put(&key, &json!("x")).if_match(last.position);
    assert!(matches!(
        failure(other.store(), stale).await,
        Failure::PreconditionFailed { .. }
    ));
}

/// What is restored from a backup is a new history: no position or tag of before is taken for its own.
pub async fn a_restored_store_knows_no_position_of_before<F: Fixture>() {
    let mut fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let kept = key("things", "one");
    let before = written(fixture.store(), put(&kept, &json!("kept"))).await;
    fixture.back_up().await;
    let lost = written(fixture.store(), put(&kept, &json!("lost"))).await;
    written(fixture.store(), put(&key("things", "two"), &json!("lost"))).await;
    let fixture = fixture.restored().await;
    let store = fixture.store();
    assert_eq!(
        body(store, &kept).await.as_deref(),
        Some(b"\"kept\"".as_slice())
    );
    assert_eq!(body(store, &key("things", "two")).await, None);
    assert_ne!(store.head().history(), before.position.history());
    written(store, put(&key("things", "three"), &json!("new future"))).await;
    for version in [before, lost] {
        expired(store, version.position).await;
        let stale = put(&kept, &json!("x")).if_match(version.position);
        assert!(matches!(
            failure(store, stale).await,
            Failure::PreconditionFailed { .. }
        ));
    }
    let standing = read(store, &kept).await.expect("it stands");
    let next = put(&kept, &json!("next")).if_match(standing.position);
    assert_eq!(applied(store, next).await.effect, Effect::Replaced);
}

/// Whoever is told a head finds everything up to it, however many write at once; and what was
/// acknowledged lies at the head or before.
pub async fn a_position_becomes_visible_only_after_every_smaller_one<F: Fixture>() {
    const WRITERS: usize = 6;
    const WRITES: usize = 40;
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let base = store.head();
    let ended = Arc::new(AtomicUsize::new(0));
    for writer in 0..WRITERS {
        let (store, ended) = (Arc::clone(store), Arc::clone(&ended));
        tokio::spawn(async move {
            for number in 0..WRITES {
                let key = key("things", &format!("w{writer}-{number}"));
                let version = written(&store, put(&key, &json!(number))).await;
                assert!(store.head().sequence() >= version.position.sequence());
            }
            ended.fetch_add(1, Ordering::SeqCst);
        });
    }
    let mut last = base;
    while ended.load(Ordering::SeqCst) < WRITERS || last != store.head() {
        let head = store.head();
        assert!(head.sequence() >= last.sequence(), "the head went back");
        last = head;
        let listed = walk(
            store,
            &ListQuery {
                at: Some(head),
                ..all("things")
            },
            50,
        )
        .await;
        let mut sequences: Vec<u64> = listed
            .iter()
            .map(|listed| listed.version.position.sequence())
            .collect();
        sequences.sort_unstable();
        assert!(
            sequences
                .into_iter()
                .eq(base.sequence() + 1..=head.sequence()),
            "a gap before {head}"
        );
        tokio::task::yield_now().await;
    }
    assert_eq!(last.sequence(), base.sequence() + (WRITERS * WRITES) as u64);
    assert_eq!(
        page(store, &all("things")).await.items.len(),
        WRITERS * WRITES
    );
}

/// One transaction is seen whole or not at all, by every kind of read.
pub async fn a_transaction_is_never_seen_in_part<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let keys: Vec<_> = (0..10)
        .map(|number| key("things", &format!("t{number}")))
        .collect();
    let round = |round: usize| {
        keys.iter()
            .map(|key| put(key, &json!(round)))
            .collect::<Vec<_>>()
    };
    committed(store, round(0)).await;
    let writer = tokio::spawn({
        let (store, rounds) = (Arc::clone(store), (1..60).map(round).collect::<Vec<_>>());
        async move {
            for operations in rounds {
                committed(&store, operations).await;
            }
        }
    });
    while !writer.is_finished() {
        let items = page(store, &all("things")).await.items;
        let mut bodies: Vec<_> = items.iter().map(|listed| &listed.version.body).collect();
        bodies.dedup();
        assert_eq!((items.len(), bodies.len()), (10, 1));
        tokio::task::yield_now().await;
    }
    writer.await.expect("a writer that ends well");
}
