//! The state that one batch works on: the storage transaction, and beside it what the batch has
//! changed so far, so that the next transaction in it sees that.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use foldhash::fast::RandomState;
use rusqlite::{Connection, params};

use super::super::{
    Cached, Shared,
    catalog::{Catalog, Counters},
    rows, schema,
};
use crate::{
    CollectionPath, Definitions, ParentPath, Record, ResourceKey, Timestamp,
    decision::{Current, State},
};

/// About what a written row adds to the log: the pages of its tables.
const PAGES_BYTES: u64 = 3 * 4096;

/// See the module.
pub(in crate::embedded) struct Ledger {
    pub(super) db: Connection,
    pub(super) shared: Arc<Shared>,
    pub(super) catalog: Catalog,
    pub(super) definitions: Arc<Definitions>,
    /// Whether the catalog differs from the published one.
    pub(super) redefined: bool,
    pub(super) counters: HashMap<i64, Counters, RandomState>,
    /// Collections whose counters this batch changed.
    pub(super) touched: BTreeSet<i64>,
    /// Collections whose marks this batch moves, and how far their heads.
    pub(super) heads: HashMap<CollectionPath, u64, RandomState>,
    /// What this batch wrote.
    pub(super) dirty: HashMap<ResourceKey, Cached, RandomState>,
    /// Resources of which this batch forgot the last that was known.
    pub(super) gone: Vec<ResourceKey>,
    pub(super) head: u64,
    pub(super) now: Timestamp,
    /// Rows changed in all, up to the last commit.
    changes: u64,
    /// Rows that this batch wrote: how much maintenance it may carry along.
    pub(super) written: usize,
    pub(super) work: super::maintenance::Work,
    pub(super) trim: super::trim::Trim,
}

impl Ledger {
    pub(in crate::embedded) fn open(db: Connection, shared: Arc<Shared>) -> rusqlite::Result<Self> {
        let mut ledger = Self {
            db,
            catalog: Catalog::default(),
            definitions: Arc::default(),
            redefined: false,
            counters: HashMap::default(),
            touched: BTreeSet::new(),
            heads: HashMap::default(),
            dirty: HashMap::default(),
            gone: Vec::new(),
            head: 0,
            now: shared.clock.now(),
            changes: 0,
            written: 0,
            work: super::maintenance::Work::default(),
            trim: super::trim::Trim::default(),
            shared,
        };
        ledger.reload()?;
        ledger.publish();
        Ok(ledger)
    }

    pub(super) fn begin(&mut self) -> rusqlite::Result<()> {
        self.now = self.shared.clock.now();
        self.written = 0;
        self.db
            .prepare_cached("BEGIN IMMEDIATE")?
            .execute([])
            .map(|_| ())
    }

    /// Makes the batch durable, and then visible.
    pub(super) fn commit(&mut self) -> rusqlite::Result<()> {
        if self.redefined {
            self.catalog.generation += 1;
            schema::set_meta(&self.db, "catalog", self.catalog.generation)?;
        }
        for collection in std::mem::take(&mut self.touched) {
            if let Some(counters) = self.counters.get(&collection) {
                counters.save(&self.db, collection)?;
            }
        }
        for key in self.dirty.keys() {
            self.shared.cache.take_out(key);
        }
        self.db.prepare_cached("COMMIT")?.execute([])?;
        for (key, cached) in self.dirty.drain() {
            self.shared.cache.put_in(&key, cached);
        }
        // Again: a reader may have offered meanwhile what it still saw.
        self.gone
            .drain(..)
            .for_each(|key| self.shared.cache.take_out(&key));
        let changes = self.db.total_changes();
        if std::mem::replace(&mut self.changes, changes) != changes {
            self.shared
                .log_grew(PAGES_BYTES * (1 + u64::try_from(self.written).unwrap_or(0)));
        }
        self.publish();
        Ok(())
    }

    /// Undoes the batch, in memory too.
    pub(super) fn roll_back(&mut self) -> rusqlite::Result<()> {
        if !self.db.is_autocommit() {
            self.db.execute_batch("ROLLBACK")?;
        }
        self.dirty.clear();
        self.gone.clear();
        self.touched.clear();
        self.heads.clear();
        self.reload()
    }

    /// Makes definitions and head visible. After the commit, before anybody is told of it.
    fn publish(&mut self) {
        for (path, head) in self.heads.drain() {
            let Some(collection) = self.catalog.of(&path) else {
                continue;
            };
            let counters = self
                .counters
                .get(&collection.collection)
                .copied()
                .unwrap_or_default();
            collection.marks.advance(head, &counters);
        }
        if std::mem::take(&mut self.redefined) {
            self.shared.publish(
                Arc::new(self.catalog.clone()),
                Arc::clone(&self.definitions),
            );
        }
        self.shared.set_head(self.head);
    }

    fn reload(&mut self) -> rusqlite::Result<()> {
        self.catalog = Catalog::load(&self.db)?;
        self.definitions = Arc::new(definitions(&self.catalog, &self.shared));
        self.redefined = true;
        self.counters.clear();
        let collections: Vec<i64> = self
            .catalog
            .iter()
            .map(|collection| collection.collection)
            .collect();
        for collection in collections {
            self.counters
                .insert(collection, Counters::load(&self.db, collection)?);
        }
        self.head = schema::head(&self.db)?;
        self.look_for_work();
        Ok(())
    }

    /// The counters of a collection, which this batch will store.
    pub(super) fn count(&mut self, collection: i64) -> &mut Counters {
        self.touched.insert(collection);
        self.counters.entry(collection).or_default()
    }

    /// The outcome that is recorded under a transaction's id.
    pub(super) fn recorded(&mut self, record: &Record) -> rusqlite::Result<Option<Current>> {
        let key = ResourceKey::top(CollectionPath::transactions(), record.id.clone());
        Ok(self
            .current(&key)?
            .filter(|current| !current.version.is_deleted()))
    }

    fn stored(&self, key: &ResourceKey) -> rusqlite::Result<Option<Cached>> {
        match self.catalog.of(&key.collection) {
            Some(collection) => {
                let lineage = &self.shared.lineage;
                rows::newest(&self.db, lineage, collection.collection, key)
            }
            None => Ok(None),
        }
    }
}

fn definitions(catalog: &Catalog, shared: &Shared) -> Definitions {
    let mut definitions = Definitions::default();
    for collection in catalog.iter() {
        if let Some(definition) = &collection.definition {
            let position = shared.lineage.position(collection.defined_at);
            let defined = crate::definition::Defined {
                definition: Arc::clone(definition),
                position,
            };
            definitions.insert(collection.path.clone(), defined);
        }
    }
    definitions
}

impl State for Ledger {
    type Error = rusqlite::Error;

    fn current(&mut self, key: &ResourceKey) -> rusqlite::Result<Option<Current>> {
        if let Some(cached) = self.dirty.get(key) {
            return Ok(Some(cached.clone().into()));
        }
        match self.shared.cache.look_up(key) {
            Ok(cached) => Ok(Some(cached.into())),
            Err(_) => Ok(self.stored(key)?.map(Current::from)),
        }
    }

    fn live_below(
        &mut self,
        collection: &CollectionPath,
        parent: &ParentPath,
        limit: usize,
    ) -> rusqlite::Result<Vec<ResourceKey>> {
        let Some(stored) = self.catalog.of(collection) else {
            return Ok(Vec::new());
        };
        self.db
            .prepare_cached(
                "SELECT parent, id FROM keys WHERE collection = ?1 AND live = 1 AND parent = ?2 ORDER BY id LIMIT ?3",
            )?
            .query_map(
                params![stored.collection, parent.as_str(), i64::try_from(limit).unwrap_or(i64::MAX)],
                |row| rows::key(row, 0, collection),
            )?
            .collect()
    }

    fn live_count(&mut self, collection: &CollectionPath) -> rusqlite::Result<u64> {
        let stored = self.catalog.of(collection);
        let counters = stored.and_then(|stored| self.counters.get(&stored.collection));
        Ok(counters.map_or(0, |counters| counters.live))
    }

    fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions)
    }
}
