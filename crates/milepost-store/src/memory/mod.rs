//! A store in memory, for tests: strict, complete and slow.
//!
//! It keeps every version of every resource in one map under one lock, answers each question by
//! looking at all of them, and forgets only when told to ([`MemoryStore::sweep`],
//! [`MemoryStore::prune_history`]). So it is right by inspection, and stands as the model that the
//! other backends are compared with. It deliberately has no indexes, no cache and no limits, and
//! keeps nothing when it is dropped.

mod changes;
mod commit;
mod listing;
mod restart;
mod retention;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use milepost_semantics::Position;
use tokio::sync::watch;

use self::table::Table;
use crate::{
    ChangesPage, ChangesQuery, CollectionPath, Definitions, ListQuery, Outcome, Page, ReadError,
    ResourceKey, Transaction, Version, VersionPage, WriteError,
    clock::{Clock, SystemClock},
    decision::{Limits, Prepared, decide, prepare},
    store::{CollectionState, Health, Kind, Store},
    transaction::Record,
};

/// A store in memory. See the module.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    table: Mutex<Table>,
    commits: watch::Sender<Position>,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store, by the operating system's clock.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that asks `clock` for the time.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self::of(clock, Table::empty())
    }

    fn of(clock: Arc<dyn Clock>, table: Table) -> Self {
        Self {
            clock,
            commits: watch::Sender::new(table.head()),
            table: Mutex::new(table),
        }
    }

    /// The same store once more, which gives what it commits the same positions as this one does: for tests that compare
    /// two courses of events to the letter.
    #[must_use]
    pub fn twin(&self) -> Self {
        Self::of(Arc::clone(&self.clock), self.lock().clone())
    }

    /// The store that opening a copy of this one's data would give: everything is there, positions
    /// stay known, and what it commits from here on is unknown to this one and to other copies.
    #[must_use]
    pub fn restarted(&self) -> Self {
        Self::of(Arc::clone(&self.clock), self.lock().reopened())
    }

    /// The store that restoring a backup made at `position` would give: what came later is gone, and
    /// the history is a new one, so that no position or entity tag handed out before is known to it.
    ///
    /// # Errors
    /// [`ReadError::Expired`] where this store doesn't know the position, or no longer everything of
    /// then.
    pub fn restored_at(&self, position: Position) -> Result<Self, ReadError> {
        let table = self.lock().restored_at(position)?;
        Ok(Self::of(Arc::clone(&self.clock), table))
    }

    /// Forgets the versions of a collection that were superseded at `to` or before: snapshots before
    /// `to` are no longer answered. A position that isn't known changes nothing.
    pub fn prune_history(&self, collection: &CollectionPath, to: Position) {
        let mut table = self.lock();
        if let Some(sequence) = table.sequence(to) {
            table.prune_history(collection, sequence);
        }
    }

    /// Forgets what was deleted from a collection at `to` or before: changes since positions before
    /// `to` are no longer answered. A position that isn't known changes nothing.
    pub fn prune_tombstones(&self, collection: &CollectionPath, to: Position) {
        let mut table = self.lock();
        if let Some(sequence) = table.sequence(to) {
            table.prune_tombstones(collection, sequence);
        }
    }

    /// Forgets, by the clock's time, whatever lies outside its collection's declared retention.
    pub fn sweep(&self) {
        let now = self.clock.now();
        self.lock().sweep(now);
    }

    /// The table is whole between any two statements that can panic, so a poisoned lock is still good.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn carry_out(
        &self,
        table: &mut Table,
        operations: &[Prepared],
        record: Option<Record>,
    ) -> Outcome {
        if let Some(record) = &record
            && let Some((digest, version)) = table.recorded(&record.id)
        {
            return if digest == record.digest {
                Outcome::Recorded(version)
            } else {
                Outcome::RecordMismatch
            };
        }
        match decide(operations, table, Limits::default()) {
            Ok(Ok(decision)) => {
                Outcome::Committed(table.commit(&decision, record, self.clock.now()))
            }
            Ok(Err(rejected)) => Outcome::Rejected(rejected),
            Err(never) => match never {},
        }
    }
}

#[async_trait]
impl Store for MemoryStore {
    fn head(&self) -> Position {
        self.lock().head()
    }

    fn at(&self, sequence: u64) -> Option<Position> {
        let table = self.lock();
        (sequence <= table.head().sequence()).then(|| table.position(sequence))
    }

    fn definitions(&self) -> Arc<Definitions> {
        self.lock().definitions()
    }

    fn health(&self) -> Health {
        Health::Up
    }

    fn kind(&self) -> Kind {
        Kind {
            name: "memory",
            has_primary: false,
        }
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        Ok(self.lock().collection(collection))
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        let table = self.lock();
        let at = at.map(|at| table.as_of(&key.collection, at)).transpose()?;
        Ok(table.version_as_of(key, at))
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        let table = self.lock();
        let sequence = table.known(&key.collection, position)?;
        Ok(table.version_made_at(key, sequence))
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        let table = self.lock();
        let before = before
            .map(|before| table.known(&key.collection, before))
            .transpose()?;
        Ok(table.versions(key, before, limit))
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        listing::list(&self.lock(), query)
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        changes::changes(&self.lock(), query).map(Arc::new)
    }

    fn tells(&self, query: &ChangesQuery) -> bool {
        changes::tells(&self.lock(), query)
    }

    fn commits(&self) -> watch::Receiver<Position> {
        self.commits.subscribe()
    }

    async fn write(&self, transaction: Transaction) -> Result<Outcome, WriteError> {
        let mut table = self.lock();
        let definitions = table.definitions();
        let operations = transaction.operations.into_iter();
        let prepared: Vec<Prepared> = operations
            .map(|operation| prepare(operation, transaction.guard.as_ref(), &definitions))
            .collect();
        let outcome = self.carry_out(&mut table, &prepared, transaction.record);
        let head = table.head();
        drop(table);
        self.commits.send_if_modified(|seen| {
            let is_news = seen.sequence() < head.sequence();
            if is_news {
                *seen = head;
            }
            is_news
        });
        Ok(outcome)
    }
}
