//! One consistent view of the database, for a question that takes several statements.

use std::sync::Arc;

use milepost_semantics::Position;
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::{
    super::{
        Cached, Shared, Standing,
        catalog::{self, Catalog, Collection, Counters},
        rows::{self, sequence_of},
    },
    unavailable,
};
use crate::{CollectionPath, ReadError, ResourceKey, Version};

/// A read transaction, and the catalog that belongs to it.
pub(super) struct Snapshot<'c> {
    pub(super) db: Transaction<'c>,
    pub(super) shared: &'c Shared,
    pub(super) catalog: Arc<Catalog>,
}

/// What a collection remembers, by sequences.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) head: u64,
    pub(super) counters: Counters,
}

impl<'c> Snapshot<'c> {
    /// Begins a view, with the catalog that belongs to it.
    ///
    /// A commit is in a view a moment before its catalog is published; then the view is begun again. A
    /// store that failed publishes nothing any more, and keeps the catalog that it has.
    pub(super) fn begin(db: &'c Connection, shared: &'c Shared) -> Result<Self, ReadError> {
        loop {
            let catalog = shared.catalog();
            let transaction = db.unchecked_transaction().map_err(unavailable)?;
            // A deferred transaction's view begins with its first read.
            let generation = catalog::generation(&transaction).map_err(unavailable)?;
            if generation == catalog.generation || shared.standing() == Standing::Poisoned {
                return Ok(Self {
                    db: transaction,
                    shared,
                    catalog,
                });
            }
            std::thread::yield_now();
        }
    }

    pub(super) fn collection(&self, path: &CollectionPath) -> Option<Arc<Collection>> {
        let defined =
            |collection: &&Arc<Collection>| collection.definition.is_some() || path.is_reserved();
        self.catalog.of(path).filter(defined).cloned()
    }

    /// What the collection remembers in this view.
    pub(super) fn remembered(&self, collection: &Collection) -> Result<Remembered, ReadError> {
        let newest = catalog::newest(&self.db, collection.collection).map_err(unavailable)?;
        let counters = Counters::load(&self.db, collection.collection).map_err(unavailable)?;
        let head = newest
            .max(collection.defined_at)
            .max(counters.history_floor)
            .max(counters.tombstone_floor);
        Ok(Remembered { head, counters })
    }

    /// The sequence of a position at which the collection's state is still known.
    pub(super) fn sequence_at(
        &self,
        remembered: &Remembered,
        at: Position,
    ) -> Result<u64, ReadError> {
        let floor = remembered.counters.history_floor;
        let expired = || ReadError::Expired {
            oldest: self.shared.lineage.position(floor),
        };
        let sequence = self.known(remembered, at).ok_or_else(expired)?;
        if sequence < floor {
            Err(expired())
        } else {
            Ok(sequence)
        }
    }

    /// The sequence of a position that was committed here.
    ///
    /// A commit is in a view a moment before the head is published, and whoever saw it there may ask
    /// for its position at once: what the view holds is known too.
    pub(super) fn known(&self, remembered: &Remembered, position: Position) -> Option<u64> {
        let head = self.shared.head().max(remembered.head);
        self.shared.lineage.sequence(position, head)
    }

    /// The newest version of a resource.
    pub(super) fn newest(
        &self,
        collection: &Collection,
        key: &ResourceKey,
    ) -> Result<Option<Cached>, ReadError> {
        let lineage = &self.shared.lineage;
        rows::newest(&self.db, lineage, collection.collection, key).map_err(unavailable)
    }

    /// The version of a row.
    pub(super) fn row(&self, row: i64) -> Result<Option<Cached>, ReadError> {
        self.db
            .prepare_cached("SELECT v.row, v.replaced, v.modified, v.body, v.digest, v.fields FROM versions v WHERE v.row = ?1")
            .and_then(|mut statement| statement.query_row([row], |row| rows::cached(row, &self.shared.lineage)).optional())
            .map_err(unavailable)
    }

    /// The row that stood at a sequence, found from a newer one of the same resource.
    pub(super) fn row_at(&self, newest: i64, sequence: u64) -> Result<Option<i64>, ReadError> {
        let mut row = newest;
        while sequence_of(row) > sequence {
            let replaced: Option<Option<i64>> = self
                .db
                .prepare_cached("SELECT replaced FROM versions WHERE row = ?1")
                .and_then(|mut statement| statement.query_row([row], |row| row.get(0)).optional())
                .map_err(unavailable)?;
            match replaced.flatten() {
                Some(replaced) => row = replaced,
                None => return Ok(None),
            }
        }
        Ok(Some(row))
    }

    /// The version that stood at a sequence, found from a newer one; tombstones included.
    pub(super) fn version_at(
        &self,
        newest: i64,
        sequence: u64,
    ) -> Result<Option<Version>, ReadError> {
        match self.row_at(newest, sequence)? {
            Some(row) => Ok(self.row(row)?.map(|cached| cached.version)),
            None => Ok(None),
        }
    }
}
