//! Who waits for news now: one entry per open request, bounded in number, and one look at the store
//! per commit however many wait.
//!
//! **The problem.** Ten thousand requests may wait while thousands of commits a second are made, most
//! of them in other collections. Woken by every commit, each would look for itself.
//!
//! **The choice.** Requests gather by topic: a collection, or everything. One task, there only while
//! anybody waits, hears of commits, looks which topics' heads have moved (no disk is asked), and
//! wakes those who wait for them. Commits that come while it looks are one look later. What the woken
//! read is shared by [`Pages`](super::Pages).
//!
//! The task holds neither the store nor this, so that both go when their owner lets go.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use milepost_semantics::Position;
use milepost_store::{CollectionPath, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// What news can be of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Topic {
    /// A collection, whoever its resources' parents are.
    Collection(CollectionPath),
    /// The whole store.
    Everything,
}

/// Room for open requests of one kind.
#[derive(Debug)]
pub(crate) struct Room {
    count: usize,
    free: Arc<Semaphore>,
    refused: AtomicU64,
}

/// All who wait.
#[derive(Debug)]
pub(crate) struct Waits {
    store: Arc<dyn Store>,
    /// For requests that are held until there is news.
    pub(crate) held: Room,
    /// For streams of events.
    pub(crate) streams: Room,
    is_ended: watch::Sender<bool>,
    topics: Mutex<Topics>,
}

#[derive(Debug, Default)]
struct Topics {
    heads: HashMap<Topic, watch::Sender<Option<Position>>>,
    is_watched: bool,
}

/// News of one topic, from the moment on that it was asked for.
#[derive(Debug)]
pub(crate) struct News {
    head: watch::Receiver<Option<Position>>,
    is_ended: watch::Receiver<bool>,
}

impl Room {
    fn new(count: usize) -> Self {
        let count = count.min(Semaphore::MAX_PERMITS);
        Self {
            count,
            free: Arc::new(Semaphore::new(count)),
            refused: AtomicU64::new(0),
        }
    }

    /// Room for one more, until it is dropped; `None` where there is none.
    pub(crate) fn enter(&self) -> Option<OwnedSemaphorePermit> {
        let entered = Arc::clone(&self.free).try_acquire_owned().ok();
        if entered.is_none() {
            self.refused.fetch_add(1, Relaxed);
        }
        entered
    }

    /// How many are in.
    pub(crate) fn taken(&self) -> usize {
        self.count.saturating_sub(self.free.available_permits())
    }

    /// How many were refused.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}

impl Waits {
    pub(crate) fn new(store: Arc<dyn Store>, held_max: usize, streams_max: usize) -> Self {
        Self {
            store,
            held: Room::new(held_max),
            streams: Room::new(streams_max),
            is_ended: watch::Sender::new(false),
            topics: Mutex::default(),
        }
    }

    /// Ends all waiting, now and from now on.
    pub(crate) fn end(&self) {
        self.is_ended.send_replace(true);
    }

    /// Listens for news. What was committed before is not told: read after this was called.
    pub(crate) fn listen(self: &Arc<Self>, topic: Topic) -> News {
        let mut topics = self.lock();
        let head = topics
            .heads
            .entry(topic)
            .or_insert_with(|| watch::Sender::new(None))
            .subscribe();
        if !topics.is_watched {
            topics.is_watched = true;
            let watching = Watching(Arc::downgrade(self));
            tokio::spawn(watch_commits(watching, self.store.commits()));
        }
        News {
            head,
            is_ended: self.is_ended.subscribe(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wakes those whose topic has moved; whether anybody waits at all.
    async fn look(&self) -> bool {
        let waiting = {
            let mut topics = self.lock();
            topics.heads.retain(|_, head| head.receiver_count() > 0);
            if topics.heads.is_empty() {
                topics.is_watched = false;
                return false;
            }
            let heads = topics.heads.iter();
            heads
                .map(|(topic, head)| (topic.clone(), head.clone()))
                .collect::<Vec<_>>()
        };
        for (topic, told) in waiting {
            if let Some(head) = self.head_of(&topic).await {
                told.send_if_modified(|told| told.replace(head) != Some(head));
            }
        }
        true
    }

    /// Where a topic stands, if that can be told. A collection that is gone has moved too: whoever is
    /// woken finds out.
    async fn head_of(&self, topic: &Topic) -> Option<Position> {
        match topic {
            Topic::Collection(collection) => match self.store.collection(collection).await {
                Ok(Some(state)) => Some(state.head),
                Ok(None) => Some(self.store.head()),
                Err(_) => None,
            },
            Topic::Everything => Some(self.store.head()),
        }
    }
}

impl News {
    /// Whether waiting is over, for everybody.
    pub(crate) fn is_over(&self) -> bool {
        *self.is_ended.borrow()
    }

    /// Waits until the topic moves beyond `position`; `false` where waiting is over.
    ///
    /// Waits for what happens, not for how things stand: a read that finds nothing is not repeated
    /// before the next commit. May be dropped and called again without missing anything.
    pub(crate) async fn beyond(&mut self, position: Position) -> bool {
        loop {
            tokio::select! {
                biased;
                _over = self.is_ended.wait_for(|is_ended| *is_ended) => return false,
                changed = self.head.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                }
            }
            let head = *self.head.borrow_and_update();
            if head.is_some_and(|head| head.sequence() > position.sequence()) {
                return true;
            }
        }
    }
}

/// Says that nobody watches any more, however the task ends: with its runtime, too.
struct Watching(Weak<Waits>);

impl Drop for Watching {
    fn drop(&mut self) {
        if let Some(waits) = self.0.upgrade() {
            waits.lock().is_watched = false;
        }
    }
}

async fn watch_commits(mut watching: Watching, mut commits: watch::Receiver<Position>) {
    while commits.changed().await.is_ok() {
        let Some(waits) = watching.0.upgrade() else {
            return;
        };
        if !waits.look().await {
            // Somebody may have begun to watch anew already.
            watching.0 = Weak::new();
            return;
        }
    }
}
