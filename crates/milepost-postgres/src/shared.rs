//! What a node's readers, its sequencer and its background work have in common.
//!
//! Nothing here is truth: the catalog is what the database said last, and whoever uses it compares
//! its epoch with the database's within its own transaction.

use std::sync::{
    Arc, Mutex, PoisonError, RwLock,
    atomic::{AtomicU64, Ordering},
};

use milepost_semantics::Position;
use milepost_store::Health;
use tokio::sync::watch;

use crate::{
    catalog::Catalog,
    connect::{Connector, Pool},
    fresh::Freshness,
    nodes::KeyMarks,
    options::Options,
    primary::Targets,
    replicas::Replicas,
    trouble::Trouble,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) pool: Pool,
    pub(crate) connector: Connector,
    pub(crate) targets: Targets,
    /// What this node is called among nodes, drawn when it started.
    pub(crate) sequencer: i64,
    /// What this node seals with, as it changes.
    pub(crate) keys: watch::Sender<Option<KeyMarks>>,
    catalog: RwLock<Arc<Catalog>>,
    commits: watch::Sender<Position>,
    /// Counts what was published; see [`Shared::moment`].
    moments: AtomicU64,
    /// When the catalog was last published, and when the head was.
    published: AtomicU64,
    seen: AtomicU64,
    pub(crate) freshness: Freshness,
    pub(crate) replicas: Replicas,
    /// Why the database can't be used; `None` where it can.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        (way, replicas): ((Connector, Targets), Replicas),
        sequencer: i64,
        (catalog, head): (Catalog, u64),
    ) -> Self {
        let (connector, targets) = way;
        Self {
            pool: connector.pool(options.readers_max, options.read_deadline),
            connector,
            targets,
            sequencer,
            keys: watch::Sender::new(options.node.keys.clone()),
            options,
            commits: watch::Sender::new(catalog.lineage.position(head)),
            catalog: RwLock::new(Arc::new(catalog)),
            moments: AtomicU64::new(1),
            published: AtomicU64::new(0),
            seen: AtomicU64::new(0),
            freshness: Freshness::default(),
            replicas,
            trouble: Mutex::default(),
        }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Now, in this node's own count: what is read from here on is not older than what was published.
    pub(crate) fn moment(&self) -> u64 {
        self.moments.load(Ordering::Acquire)
    }

    /// A catalog was read by who began at a moment, maybe an older one than another reader's. One with a
    /// smaller epoch is news where it was read after all that is known: the database has lost commits.
    pub(crate) fn publish(&self, catalog: &Arc<Catalog>, began: u64) {
        let mut current = self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        let known = current.epoch;
        let is_later = began > self.published.load(Ordering::Acquire);
        if known < catalog.epoch || (known != catalog.epoch && is_later) {
            *current = Arc::clone(catalog);
            let moment = self.moments.fetch_add(1, Ordering::AcqRel);
            self.published.store(moment, Ordering::Release);
        }
    }

    /// The head was seen by who began at a moment, in a database whose catalog is this one.
    pub(crate) fn saw(&self, catalog: &Catalog, head: u64, began: u64) {
        let position = catalog.lineage.position(head);
        self.commits.send_if_modified(|seen| {
            let is_later = began > self.seen.load(Ordering::Acquire);
            let is_news = seen.sequence() < head || (*seen != position && is_later);
            if is_news {
                *seen = position;
                let moment = self.moments.fetch_add(1, Ordering::AcqRel);
                self.seen.store(moment, Ordering::Release);
            }
            is_news
        });
    }

    pub(crate) fn head(&self) -> Position {
        *self.commits.borrow()
    }

    pub(crate) fn commits(&self) -> watch::Receiver<Position> {
        self.commits.subscribe()
    }

    pub(crate) fn health(&self) -> Health {
        if !self.targets.is_certain() {
            return Health::Down(Trouble::Nowhere.to_string());
        }
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        match trouble.as_ref() {
            None => Health::Up,
            Some(why) => Health::Down(why.clone()),
        }
    }

    /// Remembers whether the database could be used when it was last tried.
    pub(crate) fn tried(&self, trouble: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }
}
