//! A store, its model and its followers: each step is taken, and each answer judged.

use std::collections::HashMap;

use bytes::Bytes;
use milepost_semantics::Preconditions;
use milepost_store::{
    Change, ChangesPage, ChangesQuery, CollectionPath, Document, Feed, Operation, Outcome,
    ResourceKey, Timestamp, Transaction, clock::Clock as _, conformance::Fixture,
};
use serde_json::{Value, json};

use super::{
    follower::{Follower, Read},
    model::{Model, Standing, collection},
    steps::{Following, Key, RETENTIONS, Shape, Step, What},
};

/// See the module.
pub(super) struct World<F> {
    fixture: F,
    model: Model,
    /// What the model was when the backup was taken.
    backup: Option<Model>,
    followers: Vec<Follower>,
    /// Pages that were said to be immutable, by their questions.
    closed: HashMap<String, ChangesPage>,
}

impl<F: Fixture> World<F> {
    pub(super) async fn begin(followers: Vec<Following>) -> Self {
        let mut world = Self {
            fixture: F::fresh().await,
            model: Model::default(),
            backup: None,
            followers: followers.into_iter().map(Follower::new).collect(),
            closed: HashMap::new(),
        };
        let shape = Shape {
            other_pointer: false,
            retention: 0,
        };
        world.define(shape).await;
        for who in 0..world.followers.len() {
            world.follow(who).await;
        }
        world
    }

    pub(super) async fn take(mut self, step: &Step) -> Self {
        match step {
            Step::Write(writes) => {
                let operations = writes.iter().map(|(key, what)| operation(*key, *what));
                self.write(operations.collect()).await;
            }
            Step::Pass { seconds } => {
                let clock = self.fixture.clock();
                let now = clock.now().0.saturating_add_signed(seconds * 1000);
                clock.set(Timestamp(now));
                self.fixture.settle().await;
            }
            Step::Define(shape) => self.define(*shape).await,
            Step::Reopen => self.fixture = self.fixture.reopened().await,
            Step::BackUp => {
                self.fixture.back_up().await;
                self.backup = Some(self.model.clone());
            }
            Step::Restore => {
                if let Some(backup) = self.backup.clone() {
                    self.fixture = self.fixture.restored().await;
                    self.model = backup;
                }
            }
            Step::Follow { who, pages } => {
                for _ in 0..*pages {
                    self.follow(who % self.followers.len()).await;
                }
            }
            Step::Rewind { who, pages } => {
                let who = who % self.followers.len();
                if let Some(follower) = self.followers.get_mut(who) {
                    follower.rewind(*pages);
                }
            }
        }
        self
    }

    async fn define(&mut self, shape: Shape) {
        let member = if shape.other_pointer { "m" } else { "n" };
        let (history, tombstones, age) = RETENTIONS.get(shape.retention).expect("a retention");
        let definition = json!({
            "preconditions": "optional", "onParentDelete": "cascade",
            "indexes": { "n": format!("/{member}") },
            "retention": {
                "history": { "count": history, "age": age },
                "tombstones": { "count": tombstones, "age": age },
            },
        });
        let mut operations = Vec::new();
        for child in [false, true] {
            let key = ResourceKey::definition(&collection(child)).expect("a name that is an id");
            let standing = self.fixture.store().read(&key, None).await;
            let standing = standing.expect("a definition can be read");
            let preconditions =
                standing.map(|version| Preconditions::if_match(version.entity_tag()));
            operations.push(Operation {
                preconditions: preconditions.unwrap_or_default(),
                ..change(key, Change::Put(document(&definition)))
            });
        }
        self.write(operations).await;
        if self.model.member != member {
            self.model.member = member;
            self.model.declared = self.fixture.store().head().sequence();
        }
        self.fixture.settle().await;
    }

    /// Makes a transaction, if it holds, and notes what was acknowledged.
    async fn write(&mut self, operations: Vec<Operation>) {
        let is_delete = |operation: &Operation| matches!(operation.change, Change::Delete);
        let deleted: Vec<ResourceKey> = operations
            .iter()
            .filter(|operation| is_delete(operation))
            .map(|operation| operation.key.clone())
            .collect();
        let transaction = Transaction {
            operations,
            record: None,
            guard: None,
        };
        let outcome = self.fixture.store().write(transaction).await;
        let Outcome::Committed(committed) = outcome.expect("storage that works") else {
            return;
        };
        let mut standing: Standing = self.model.now();
        for applied in committed.applied {
            let version = applied.version.filter(|version| !version.is_deleted());
            match version {
                Some(version) => {
                    let body: Bytes = version.body.expect("a representation");
                    standing.insert(applied.key, (version.position.sequence(), body));
                }
                None => {
                    standing.remove(&applied.key);
                }
            }
        }
        for parent in deleted {
            let child = parent.as_parent();
            standing.retain(|key, _| key.collection == parent.collection || key.parent != child);
        }
        self.model.commit(committed.position.sequence(), standing);
    }

    /// A follower reads once. Answers whether there may be more.
    async fn follow(&mut self, who: usize) -> bool {
        let store = self.fixture.store();
        let follower = self.followers.get_mut(who).expect("a follower");
        let (feed, versions) = (follower.following.feed, follower.following.versions);
        let read = follower.read(store).await;
        let (until, is_exact, is_closed) = match &read {
            Read::Again(position) => (*position, true, false),
            Read::Page(_, page) => (page.position, page.immutable || !page.closed, page.closed),
            Read::Expired(query, told) => {
                let oldest = self.oldest(query).await;
                assert_eq!(told.sequence(), oldest, "{query:?}");
                let known = query.since.history() == self.fixture.store().head().history();
                assert!(
                    !known || query.since.sequence() < oldest,
                    "{query:?} is answerable since {oldest}"
                );
                return true;
            }
        };
        if is_exact {
            let follower = self.followers.get(who).expect("a follower");
            let expected = self.model.followed(feed, until.sequence());
            assert_eq!(follower.held(), expected, "{read:?} {versions}");
        }
        if let Read::Page(query, page) = read {
            self.judge(who, &query, &page).await;
        }
        is_closed
    }

    async fn judge(&mut self, who: usize, query: &ChangesQuery, page: &ChangesPage) {
        let follower = self.followers.get(who).expect("a follower");
        assert!(
            query.since.sequence() >= self.oldest(query).await,
            "{query:?} is not answerable any more: {page:?}"
        );
        assert!(
            !page.closed || page.position.sequence() > query.since.sequence(),
            "a page that ends before the head moves on"
        );
        let sequences: Vec<u64> = page
            .items
            .iter()
            .map(|item| item.version.position.sequence())
            .collect();
        assert!(sequences.is_sorted(), "in the order of commits: {page:?}");
        let is_one_commit = sequences.first() == sequences.last();
        assert!(
            page.items.len() <= query.limit.items || is_one_commit,
            "too many items: {page:?}"
        );
        if let Some(digest) = page.digest {
            assert_eq!(digest, follower.digest(), "{query:?} {page:?}");
        }
        if page.immutable {
            let key = format!("{query:?}");
            let before = self.closed.entry(key).or_insert_with(|| page.clone());
            assert_eq!(
                (&before.items, before.position),
                (&page.items, page.position)
            );
        }
    }

    /// From where on the feed is complete, by what the store says of itself; if it is filtered, not
    /// before the index was what it is.
    async fn oldest(&self, query: &ChangesQuery) -> u64 {
        let (collections, declared) = match &query.feed {
            Feed::Collection {
                collection,
                filters,
                ..
            } => {
                let is_filtered = !filters.is_empty();
                let declared = if is_filtered { self.model.declared } else { 0 };
                (vec![collection.clone()], declared)
            }
            Feed::Everything => {
                let definitions = CollectionPath::collections();
                (vec![collection(false), collection(true), definitions], 0)
            }
        };
        let mut oldest = declared;
        for collection in collections {
            let state = self.fixture.store().collection(&collection).await;
            let state = state.expect("an answer").expect("a collection");
            oldest = oldest.max(state.oldest_change.sequence());
            if query.versions {
                oldest = oldest.max(state.oldest_snapshot.sequence());
            }
        }
        oldest
    }

    /// Everybody reads on until there is no more, and holds what the store holds.
    pub(super) async fn everybody_arrives(mut self) {
        for who in 0..self.followers.len() {
            while self.follow(who).await {}
            let follower = self.followers.get(who).expect("a follower");
            let expected = self.model.followed(follower.following.feed, u64::MAX);
            assert_eq!(follower.held(), expected, "{:?}", follower.following);
        }
    }
}

fn operation(key: Key, what: What) -> Operation {
    let top = ResourceKey::top(
        collection(false),
        format!("r{}", key.id).parse().expect("an id"),
    );
    let key = match key.child {
        None => top,
        Some(child) => ResourceKey {
            collection: collection(true),
            parent: top.as_parent(),
            id: format!("c{child}").parse().expect("an id"),
        },
    };
    match what {
        What::Put(number) => change(key, Change::Put(document(&value(number)))),
        What::Delete => change(key, Change::Delete),
    }
}

/// Two members of which either may be missing.
fn value(number: u8) -> Value {
    let mut members = serde_json::Map::new();
    if number < 3 {
        members.insert("n".to_owned(), json!(number));
    }
    if number > 0 {
        members.insert("m".to_owned(), json!(4 - number));
    }
    Value::Object(members)
}

fn change(key: ResourceKey, change: Change) -> Operation {
    Operation {
        key,
        preconditions: Preconditions::default(),
        change,
    }
}

fn document(value: &Value) -> Document {
    Document {
        bytes: value.to_string().into(),
        value: value.clone(),
    }
}
