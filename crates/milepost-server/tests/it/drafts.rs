//! Drafts go when nobody has changed them for as long as their definition says, and nothing else goes.
//!
//! Time is the test's: a look is taken when the test says so.

use std::sync::Arc;

use milepost_semantics::{Preconditions, precondition::IfMatch};
use milepost_server::{Service, Sweeper};
use milepost_store::{
    Change, CollectionPath, Feed, Operation, PageLimit, ResourceKey, Store, Timestamp, Transaction,
    clock::{Clock, ManualClock},
    embedded::{Embedded, Options},
    memory::MemoryStore,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

use crate::{meddled::MeddledStore, scene::request};

const START: Timestamp = Timestamp(1_700_000_000_000);
const DAY_MS: u64 = 86_400_000;

/// A store, and a service over it.
struct Place {
    clock: Arc<ManualClock>,
    store: Arc<dyn Store>,
    service: Service,
    _directory: Option<TempDir>,
}

impl Place {
    fn over(clock: &Arc<ManualClock>, store: Arc<dyn Store>, directory: Option<TempDir>) -> Self {
        let builder = Service::builder(Arc::clone(&store));
        Self {
            service: builder.clock(Arc::clone(clock) as Arc<dyn Clock>).build(),
            clock: Arc::clone(clock),
            store,
            _directory: directory,
        }
    }

    fn in_memory() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let store = Arc::new(MemoryStore::with_clock(clock.clone()));
        Self::over(&clock, store, None)
    }

    fn embedded() -> Self {
        let clock = Arc::new(ManualClock::new(START));
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            clock: clock.clone(),
            ..Options::default()
        };
        let store = Embedded::open(directory.path(), options).unwrap();
        Self::over(&clock, Arc::new(store), Some(directory))
    }

    /// Over each store that comes with the crate, with files of which drafts are kept for a day.
    async fn each() -> [Self; 2] {
        let places = [Self::in_memory(), Self::embedded()];
        for place in &places {
            place.define(&files()).await;
        }
        places
    }

    async fn define(&self, definition: &Value) {
        let status = self.put("/v1/-/collections/files", definition).await;
        assert!(status == 201 || status == 200, "{status}");
    }

    /// Writes, whatever stands there.
    async fn put(&self, url: &str, value: &Value) -> u16 {
        for fields in [&[("if-none-match", "*")], &[("if-match", "*")]] {
            let mut all = vec![("content-type", "application/json")];
            all.extend_from_slice(fields);
            let request = request("PUT", url, &all, &value.to_string());
            let reply = self.service.clone().oneshot(request).await.unwrap();
            if reply.status() != 412 {
                return reply.status().as_u16();
            }
        }
        panic!("{url} is there and is not there");
    }

    async fn file(&self, id: &str, is_draft: bool) {
        let value = json!({ "name": id, "draft": is_draft });
        let status = self.put(&format!("/v1/files/{id}"), &value).await;
        assert!(status < 300, "{status}");
    }

    async fn fill(&self, count: usize, is_draft: bool) {
        for at in 0..count {
            self.file(&format!("d{at:03}"), is_draft).await;
        }
    }

    /// The files that are there.
    async fn names(&self) -> Vec<String> {
        let limit = PageLimit {
            items: 1000,
            bytes: 1 << 20,
        };
        let query = milepost_store::ListQuery::all(collection(), limit);
        let page = self.store.list(&query).await.unwrap();
        let items = page.items.iter();
        items.map(|item| item.key.id.to_string()).collect()
    }

    fn advance(&self, milliseconds: u64) {
        self.clock.advance(milliseconds);
    }
}

fn files() -> Value {
    json!({ "indexes": { "draft": "/draft" }, "drafts": { "index": "draft", "age": "P1D" } })
}

fn collection() -> CollectionPath {
    CollectionPath::parse("files").unwrap()
}

#[tokio::test]
async fn a_draft_is_deleted_once_nobody_has_changed_it_for_as_long_as_its_definition_says() {
    for place in Place::each().await {
        let mut sweeper = Sweeper::of(&place.service);
        place.file("kept", false).await;
        place.file("early", true).await;
        place.advance(1000);
        place.file("late", true).await;
        place.file("changed", true).await;
        let swept = sweeper.sweep().await;
        assert_eq!(
            (swept.deleted, swept.next),
            (0, Some(Timestamp(START.0 + DAY_MS)))
        );
        place.advance(DAY_MS - 1001);
        assert_eq!(sweeper.sweep().await.deleted, 0, "a millisecond too early");
        let changed = json!({ "name": "another", "draft": true });
        place.put("/v1/files/changed", &changed).await;
        place.advance(1);
        let swept = sweeper.sweep().await;
        assert_eq!(
            (swept.deleted, swept.next),
            (1, Some(Timestamp(START.0 + DAY_MS + 1000)))
        );
        assert_eq!(place.names().await, ["changed", "kept", "late"]);
        place.advance(DAY_MS);
        assert_eq!(sweeper.sweep().await.deleted, 2);
        assert_eq!(place.names().await, ["kept"]);
    }
}

#[tokio::test]
async fn what_has_become_lasting_stays() {
    for place in Place::each().await {
        let mut sweeper = Sweeper::of(&place.service);
        place.file("a", true).await;
        sweeper.sweep().await;
        place.advance(DAY_MS / 2);
        place.file("a", false).await;
        place.advance(10 * DAY_MS);
        assert_eq!(sweeper.sweep().await.deleted, 0);
        assert_eq!(place.names().await, ["a"]);
    }
}

#[tokio::test]
async fn who_begins_to_sweep_anew_deletes_what_others_left() {
    for place in Place::each().await {
        for at in 0..150 {
            place.file(&format!("d{at}"), true).await;
            place.file(&format!("k{at}"), false).await;
        }
        Sweeper::of(&place.service).sweep().await;
        place.advance(DAY_MS);
        let swept = Sweeper::of(&place.service).sweep().await;
        assert_eq!(swept.deleted, 150);
        assert_eq!(place.names().await.len(), 150);
    }
}

#[tokio::test]
async fn of_sweepers_that_race_each_draft_is_deleted_by_one() {
    for place in Place::each().await {
        place.fill(200, true).await;
        place.advance(DAY_MS);
        let before = place.store.head().sequence();
        let mut one = Sweeper::of(&place.service);
        let mut other = Sweeper::of(&place.service);
        let (one, other) = tokio::join!(one.sweep(), other.sweep());
        assert_eq!(one.deleted + other.deleted, 200, "{one:?} {other:?}");
        assert_eq!(place.names().await, [""; 0]);
        assert!(place.store.head().sequence() <= before + 8, "by batches");
    }
}

/// A service over a store to which this is written just before the first draft is deleted.
fn overtaken(place: &Place, key: &ResourceKey, value: &Value) -> Service {
    let store = MeddledStore::over(Arc::clone(&place.store));
    let first = Operation {
        key: key.clone(),
        preconditions: Preconditions {
            if_match: Some(IfMatch::Any),
            ..Preconditions::default()
        },
        change: Change::Put(value.clone().into()),
    };
    *store.first.lock().unwrap() = Some(Transaction::single(first));
    let builder = Service::builder(Arc::new(store));
    builder
        .clock(Arc::clone(&place.clock) as Arc<dyn Clock>)
        .build()
}

#[tokio::test]
async fn a_draft_that_is_changed_while_it_is_swept_stays() {
    for place in Place::each().await {
        place.fill(3, true).await;
        place.advance(DAY_MS);
        let key = ResourceKey::top(collection(), "d001".parse().unwrap());
        let changed = json!({ "name": "changed", "draft": true });
        let service = overtaken(&place, &key, &changed);
        let swept = Sweeper::of(&service).sweep().await;
        assert_eq!(
            (swept.deleted, place.names().await),
            (2, vec!["d001".to_owned()])
        );
    }
}

#[tokio::test]
async fn nothing_is_deleted_once_the_definition_is_changed_that_orders_it() {
    for place in Place::each().await {
        place.fill(3, true).await;
        place.advance(DAY_MS);
        let key = ResourceKey::definition(&collection()).unwrap();
        let mut longer = files();
        longer["drafts"]["age"] = json!("P9D");
        let service = overtaken(&place, &key, &longer);
        let mut sweeper = Sweeper::of(&service);
        assert_eq!(sweeper.sweep().await.deleted, 0);
        assert_eq!(sweeper.sweep().await.deleted, 0, "nor by the new one");
        assert_eq!(place.names().await.len(), 3);
        place.advance(8 * DAY_MS);
        assert_eq!(sweeper.sweep().await.deleted, 3);
    }
}

#[tokio::test]
async fn what_lies_below_a_draft_is_swept_before_it() {
    for place in Place::each().await {
        place.put("/v1/-/collections/files.pages", &files()).await;
        place.file("a", true).await;
        let page = json!({ "draft": true });
        place.put("/v1/files/a/pages/1", &page).await;
        place.advance(DAY_MS);
        assert_eq!(Sweeper::of(&place.service).sweep().await.deleted, 2);
    }
}

#[tokio::test]
async fn who_begins_to_sweep_reads_nothing_but_drafts() {
    for place in Place::each().await {
        place.fill(100, false).await;
        place.file("draft", true).await;
        let store = Arc::new(MeddledStore::over(Arc::clone(&place.store)));
        let builder = Service::builder(store.clone());
        let clock = Arc::clone(&place.clock) as Arc<dyn Clock>;
        let mut sweeper = Sweeper::of(&builder.clock(clock).build());
        sweeper.sweep().await;
        assert_eq!(store.asked(), ["list", "changes"]);
        sweeper.sweep().await;
        assert_eq!(
            store.asked(),
            [""; 0],
            "nothing is due, and no time has passed"
        );
    }
}

#[tokio::test]
async fn a_deleted_draft_leaves_a_tombstone_and_a_follower_equal() {
    for place in Place::each().await {
        place.file("gone", true).await;
        place.file("kept", false).await;
        let since = place.store.head();
        place.advance(DAY_MS);
        Sweeper::of(&place.service).sweep().await;
        let query = milepost_store::ChangesQuery {
            feed: Feed::of(collection()),
            since,
            versions: false,
            limit: PageLimit {
                items: 10,
                bytes: 1000,
            },
        };
        let page = place.store.changes(&query).await.unwrap();
        let told = page.items.iter();
        let told: Vec<_> = told
            .map(|item| (item.key.id.to_string(), item.version.is_deleted()))
            .collect();
        assert_eq!(told, [("gone".to_owned(), true)]);
        let key = ResourceKey::top(collection(), "kept".parse().unwrap());
        let kept = place.store.read(&key, None).await.unwrap().unwrap();
        let mut digest = milepost_store::SetDigest::default();
        digest.add(&key, kept.position);
        assert_eq!(page.digest, Some(digest));
    }
}

#[tokio::test]
async fn drafts_that_the_feed_no_longer_remembers_are_deleted_too() {
    let clock = Arc::new(ManualClock::new(START));
    let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    let place = Place::over(&clock, store.clone(), None);
    place.define(&files()).await;
    place.file("old", true).await;
    let mut sweeper = Sweeper::of(&place.service);
    sweeper.sweep().await;
    place.file("other", false).await;
    let head = place.store.head();
    store.prune_history(&collection(), head);
    store.prune_tombstones(&collection(), head);
    let due = Timestamp(START.0 + DAY_MS);
    for sweeper in [&mut sweeper, &mut Sweeper::of(&place.service)] {
        assert_eq!(sweeper.sweep().await.next, Some(due));
    }
    place.advance(DAY_MS);
    assert_eq!(sweeper.sweep().await.deleted, 1);
    assert_eq!(place.names().await, ["other"]);
}

#[tokio::test]
async fn what_cannot_be_deleted_is_tried_again_and_holds_nobody_else_up() {
    for place in Place::each().await {
        place.put("/v1/-/collections/files.pages", &json!({})).await;
        place.file("full", true).await;
        place.file("empty", true).await;
        place.put("/v1/files/full/pages/1", &json!(1)).await;
        place.advance(DAY_MS);
        let mut sweeper = Sweeper::of(&place.service);
        assert_eq!(sweeper.sweep().await.deleted, 1);
        assert_eq!(place.names().await, ["full"]);
        let key = "/v1/files/full/pages/1";
        let deletion = request("DELETE", key, &[("if-match", "*")], "");
        place.service.clone().oneshot(deletion).await.unwrap();
        place.advance(DAY_MS);
        assert_eq!(sweeper.sweep().await.deleted, 1);
    }
}

#[tokio::test]
async fn a_changed_definition_holds_from_the_next_look_on() {
    for place in Place::each().await {
        let mut sweeper = Sweeper::of(&place.service);
        place.file("a", true).await;
        sweeper.sweep().await;
        place.advance(60_000);
        let mut definition = files();
        definition["drafts"]["age"] = json!("PT1M");
        place.define(&definition).await;
        assert_eq!(sweeper.sweep().await.deleted, 1);
        place.file("b", true).await;
        place.define(&json!({})).await;
        place.advance(DAY_MS);
        let swept = sweeper.sweep().await;
        assert_eq!(
            (swept.deleted, swept.next),
            (0, None),
            "nothing to look for"
        );
    }
}

#[tokio::test]
async fn a_clock_that_is_set_back_deletes_nothing_early() {
    for place in Place::each().await {
        place.file("a", true).await;
        let mut sweeper = Sweeper::of(&place.service);
        sweeper.sweep().await;
        place.clock.set(Timestamp(START.0 - DAY_MS));
        place.file("b", true).await;
        place.clock.set(Timestamp(START.0 + DAY_MS - 1));
        assert_eq!(
            sweeper.sweep().await.deleted,
            0,
            "a stands before b, and is not due"
        );
        place.advance(1);
        assert_eq!(sweeper.sweep().await.deleted, 2);
    }
}
