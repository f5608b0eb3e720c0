//! Changes: what became of a collection since a position, in pages.

use std::{collections::BTreeMap, sync::Arc};

use milepost_semantics::Position;
use serde_json::{Value, json};

use super::{
    Fixture,
    vocabulary::{
        changes, committed, define, define_open, delete, follow, key, put, since, state, told,
        written,
    },
};
use crate::{ChangesPage, ChangesQuery, Operation, PageLimit, ReadError, Store};

/// Writes numbers into resources in turn: `t0`, `t1`, …, one commit each.
async fn write_numbers(store: &Arc<dyn Store>, resources: u64, count: u64) -> Vec<Position> {
    let mut positions = Vec::new();
    for number in 0..count {
        let key = key("things", &format!("t{}", number % resources));
        positions.push(written(store, put(&key, &json!(number))).await.position);
    }
    positions
}

fn items(query: &ChangesQuery, items: usize) -> ChangesQuery {
    ChangesQuery {
        limit: PageLimit {
            items,
            bytes: 1 << 20,
        },
        ..query.clone()
    }
}

/// What a follower holds who applies pages to what it held.
fn apply<'p>(
    held: &mut BTreeMap<String, Value>,
    pages: impl IntoIterator<Item = &'p Arc<ChangesPage>>,
) {
    for page in pages {
        for (id, value) in told(page) {
            match value {
                Some(value) => held.insert(id.to_owned(), value),
                None => held.remove(id),
            };
        }
    }
}

async fn expired(store: &Arc<dyn Store>, query: &ChangesQuery) -> Position {
    match store.changes(query).await {
        Err(ReadError::Expired { oldest }) => oldest,
        other => panic!("{query:?} should have expired, but: {other:?}"),
    }
}

/// A page tells state: each resource once, as of the page's end, in the order of commits; what was
/// deleted as a tombstone.
pub async fn a_page_tells_each_resource_once_as_of_its_end<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    let (one, two, three) = (
        key("things", "one"),
        key("things", "two"),
        key("things", "three"),
    );
    written(store, put(&one, &json!(1))).await;
    let middle = written(store, put(&two, &json!(2))).await.position;
    written(store, put(&three, &json!(3))).await;
    written(store, put(&one, &json!(4))).await;
    let end = written(store, delete(&two)).await.position;
    let page = changes(store, &since("things", begin)).await;
    assert_eq!(
        told(&page),
        [
            ("three", Some(json!(3))),
            ("one", Some(json!(4))),
            ("two", None)
        ]
    );
    assert_eq!((page.position, page.closed), (end, false));
    let page = changes(store, &since("things", middle)).await;
    assert_eq!(told(&page).len(), 3);
    assert_eq!(
        page.items.last().map(|item| item.version.position),
        Some(end)
    );
}

/// Every version in turn, tombstones included, where that is asked for.
pub async fn every_version_is_told_in_order_where_it_is_asked_for<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    let one = key("things", "one");
    for number in 0..5 {
        written(store, put(&one, &json!(number))).await;
    }
    written(store, delete(&one)).await;
    let query = ChangesQuery {
        versions: true,
        ..since("things", begin)
    };
    let expected: Vec<Option<Value>> = (0..5).map(|number| Some(json!(number))).collect();
    for size in [2, 100] {
        let pages = follow(store, &items(&query, size)).await;
        let versions: Vec<Option<Value>> = pages
            .iter()
            .flat_map(|page| told(page))
            .map(|(_, value)| value)
            .collect();
        assert_eq!(versions.split_last(), Some((&None, expected.as_slice())));
    }
}

/// A transaction is told by one page, even one that is too large for a page.
pub async fn a_transaction_is_never_split_over_pages<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    for number in 0..6 {
        let operation =
            |place: usize| put(&key("things", &format!("n{number}p{place}")), &json!(0));
        let operations: Vec<Operation> = (0..3 + number % 3).map(operation).collect();
        committed(store, operations).await;
    }
    for size in 1..20 {
        let pages = follow(store, &items(&since("things", begin), size)).await;
        let commits = pages.iter().map(|page| {
            let mut commits: Vec<u64> = page
                .items
                .iter()
                .map(|item| item.version.position.sequence())
                .collect();
            assert!(commits.len() <= size || commits.first() == commits.last());
            commits.dedup();
            commits
        });
        let commits: Vec<u64> = commits.flatten().collect();
        assert_eq!(commits.len(), 6, "each commit is on one page of {size}");
    }
}

/// No page is larger than asked for, and all of them together tell everything.
pub async fn a_page_is_limited_in_items_and_bytes<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    for number in 0..40 {
        let text = "x".repeat(number % 7 * 10);
        written(
            store,
            put(&key("things", &format!("t{number}")), &json!(text)),
        )
        .await;
    }
    for (size, bytes) in [(7, 1 << 20), (100, 150), (5, 100), (1, 1)] {
        let limit = PageLimit { items: size, bytes };
        let query = ChangesQuery {
            limit,
            ..since("things", begin)
        };
        let pages = follow(store, &query).await;
        for page in &pages {
            let shown = page
                .items
                .iter()
                .map(|item| item.version.body.as_ref().map_or(0, bytes::Bytes::len));
            assert!(page.items.len() <= size);
            assert!(page.items.len() == 1 || shown.sum::<usize>() <= bytes);
        }
        let mut held = BTreeMap::new();
        apply(&mut held, &pages);
        assert_eq!(held.len(), 40);
    }
}

/// Where nothing changed, the page is empty and ends where it began; also for a position that is
/// ahead of what the collection saw.
pub async fn no_news_is_told_at_the_same_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    write_numbers(store, 2, 3).await;
    let head = state(store, "things").await.head;
    define_open(store, "others").await;
    for position in [head, store.head()] {
        let page = changes(store, &since("things", position)).await;
        assert_eq!(told(&page), []);
        assert_eq!((page.position, page.closed), (position, false));
    }
    written(store, put(&key("things", "new"), &json!(1))).await;
    let page = changes(store, &since("things", head)).await;
    assert_eq!(told(&page), [("new", Some(json!(1)))]);
    assert_eq!(page.position, state(store, "things").await.head);
}

/// Wherever somebody starts, after one page it asks for the same pages as whoever started at the
/// beginning.
pub async fn pages_end_where_other_pages_end<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let begin = store.head();
    let positions = write_numbers(store, 200, 200).await;
    for size in [3, 10, 16, 50] {
        let query = items(&since("things", begin), size);
        let ends = |pages: &[Arc<ChangesPage>]| {
            let closed = pages.iter().filter(|page| page.closed);
            closed
                .map(|page| page.position.sequence())
                .collect::<Vec<_>>()
        };
        let usual = ends(&follow(store, &query).await);
        assert!(usual.len() >= 200 / size - 1);
        // From the last of them on the head is reached in one page.
        let last = usual.last().copied().unwrap_or(0);
        for position in &positions {
            let query = ChangesQuery {
                since: *position,
                ..query.clone()
            };
            let ends = ends(&follow(store, &query).await);
            let is_usual = |end: &u64| usual.contains(end) || *end > last;
            assert!(ends.iter().all(is_usual), "since {position}: {ends:?}");
        }
    }
}

/// A page that ends before the head is the same for as long as what it begins with is remembered,
/// whatever is written, also after a restart.
pub async fn a_closed_page_never_changes<F: Fixture>() {
    let mut fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let begin = fixture.store().head();
    write_numbers(fixture.store(), 9, 40).await;
    let mut closed: Vec<(ChangesQuery, Arc<ChangesPage>)> = Vec::new();
    for versions in [false, true] {
        let mut query = items(&since("things", begin), 8);
        query.versions = versions;
        for page in follow(fixture.store(), &query).await {
            assert_eq!(page.immutable, page.closed);
            let asked = query.clone();
            query.since = page.position;
            closed.extend(Some((asked, page)).filter(|(_, page)| page.closed));
        }
    }
    assert!(closed.len() > 4);
    for _ in 0..2 {
        write_numbers(fixture.store(), 9, 30).await;
        for (query, page) in &closed {
            let again = changes(fixture.store(), query).await;
            assert_eq!((&again.items, again.position), (&page.items, page.position));
            assert!(again.immutable);
        }
        fixture = fixture.reopened().await;
    }
}

/// However much is written elsewhere in between, a quiet collection needs no more pages than its
/// changes do.
pub async fn a_quiet_collection_is_caught_up_in_one_page<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    define_open(store, "quiet").await;
    let begin = store.head();
    for number in 0..6 {
        written(
            store,
            put(&key("quiet", &format!("q{number}")), &json!(number)),
        )
        .await;
        write_numbers(store, 50, 50).await;
    }
    let query = since("quiet", begin);
    let page = changes(store, &items(&query, 6)).await;
    assert_eq!((page.items.len(), page.closed), (6, false));
    let pages = follow(store, &items(&query, 1)).await;
    assert!(pages.iter().all(|page| page.items.len() == 1));
    assert_eq!(pages.len(), 6);
}

/// For every position the answer is the complete delta, or that there is none any more.
pub async fn changes_are_complete_or_expired<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let retention = json!({ "history": { "count": 3 }, "tombstones": { "count": 2 } });
    let definition = json!({ "preconditions": "optional", "retention": retention });
    define(store, "things", &definition).await;
    let mut held = BTreeMap::new();
    let mut remembered = vec![(store.head(), held.clone())];
    for number in 0..60_u64 {
        let id = format!("t{}", number * 7 % 11);
        let key = key("things", &id);
        let version = if number % 3 == 2 && held.remove(&id).is_some() {
            written(store, delete(&key)).await
        } else {
            held.insert(id, json!(number));
            written(store, put(&key, &json!(number))).await
        };
        remembered.push((version.position, held.clone()));
        fixture.settle().await;
    }
    let oldest = state(store, "things").await.oldest_change;
    let forgotten = |(position, _): &&(Position, _)| position.sequence() < oldest.sequence();
    assert!((5..60).contains(&remembered.iter().filter(forgotten).count()));
    for (position, standing) in remembered {
        let query = since("things", position);
        if position.sequence() < oldest.sequence() {
            assert_eq!(expired(store, &query).await, oldest);
            continue;
        }
        for size in [1, 3, 100] {
            let mut follower = standing.clone();
            apply(&mut follower, &follow(store, &items(&query, size)).await);
            assert_eq!(follower, held, "since {position}, by {size}");
        }
    }
}

/// Where every version is asked for, none is left out: since a position of which history was
/// forgotten there is no answer.
pub async fn versions_are_complete_or_expired<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let definition =
        json!({ "preconditions": "optional", "retention": { "history": { "count": 5 } } });
    define(store, "things", &definition).await;
    let positions = write_numbers(store, 3, 20).await;
    fixture.settle().await;
    let oldest = state(store, "things").await.oldest_snapshot;
    let mut complete = 0;
    for (number, position) in (1_usize..).zip(&positions) {
        let query = ChangesQuery {
            versions: true,
            ..since("things", *position)
        };
        if position.sequence() < oldest.sequence() {
            assert_eq!(expired(store, &query).await, oldest);
            let page = changes(store, &since("things", *position)).await;
            assert!(!page.closed, "the state can still be told");
        } else {
            let page = changes(store, &query).await;
            assert_eq!(page.items.len(), positions.len() - number);
            complete += 1;
        }
    }
    assert!((5..20).contains(&complete));
}

/// Changes since a position ahead of the head, of another store, of another fork or with another
/// check are not told.
pub async fn changes_since_a_position_of_elsewhere_are_expired<F: Fixture>() {
    let fixture = F::fresh().await;
    define_open(fixture.store(), "things").await;
    let shared = write_numbers(fixture.store(), 2, 5).await;
    let (one, other) = (fixture.forked().await, F::fresh().await);
    let (one, fork) = one;
    let of_fork = write_numbers(fork.store(), 2, 3).await;
    write_numbers(one.store(), 2, 3).await;
    define_open(other.store(), "things").await;
    let store = one.store();
    let head = store.head();
    let ahead = Position::new(head.history(), head.sequence() + 1, head.check());
    let of_other = write_numbers(other.store(), 2, 3).await;
    for position in of_fork.into_iter().chain(of_other).chain([ahead]) {
        expired(store, &since("things", position)).await;
    }
    for position in shared {
        changes(store, &since("things", position)).await;
    }
}

/// Whoever waits for the head to move is woken when it has.
pub async fn a_commit_wakes_whoever_waits<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let mut commits = store.commits();
    commits.mark_unchanged();
    let waiting = tokio::spawn(async move {
        commits.changed().await.expect("a store that is there");
        *commits.borrow_and_update()
    });
    let position = write_numbers(store, 1, 1).await;
    let woken = waiting.await.expect("a head");
    assert_eq!(Some(&woken), position.last());
    assert_eq!(store.head(), woken, "what woke is there to be read");
}
