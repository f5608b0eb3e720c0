//! What a node's readers, its sequencer and its background work have in common.
//!
//! Nothing here is truth: the catalog is what the database said last, and whoever uses it compares
//! its epoch with the database's within its own transaction.

use std::sync::{Arc, Mutex, PoisonError, RwLock};

use milepost_semantics::Position;
use milepost_store::Health;
use tokio::sync::watch;

use crate::{
    catalog::Catalog,
    connect::{Connector, Pool},
    nodes::KeyMarks,
    options::Options,
    primary::Targets,
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
    /// Why the database can't be used; `None` where it can.
    trouble: Mutex<Option<String>>,
}

impl Shared {
    pub(crate) fn new(
        options: Options,
        way: (Connector, Targets),
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
            trouble: Mutex::default(),
        }
    }

    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// A catalog was read, maybe an older one than another reader's.
    pub(crate) fn publish(&self, catalog: &Arc<Catalog>) {
        let mut current = self.catalog.write().unwrap_or_else(PoisonError::into_inner);
        if current.epoch < catalog.epoch {
            *current = Arc::clone(catalog);
        }
    }

    /// The head was seen, in a database whose catalog is this one.
    pub(crate) fn saw(&self, catalog: &Catalog, head: u64) {
        self.commits.send_if_modified(|seen| {
            let is_news = seen.sequence() < head;
            if is_news {
                *seen = catalog.lineage.position(head);
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
