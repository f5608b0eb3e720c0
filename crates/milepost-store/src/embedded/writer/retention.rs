//! Forgetting: old versions, tombstones and recorded outcomes, when their bounds are reached.
//!
//! The order of forgetting is the order of commits, so that what is still answerable can be told
//! exactly by two positions per collection. A floor rises before the first row below it goes, in the
//! same commit: no answer is ever built from what is half gone.
//!
//! * *History.* Walking a collection's log, the version that each row replaced was superseded at that
//!   row's commit. It goes when history is over its bounds, oldest first.
//! * *Tombstones* go in the order they were made, but not before the walk above has passed them:
//!   a tombstone is what leads to the version it replaced.
//! * *Recorded outcomes* of transactions are live resources; theirs is an age.

use std::sync::Arc;

use rusqlite::params;

use super::{
    super::{
        catalog::{Catalog, Collection, Counters, IndexState},
        rows::{sequence_of, signed, unsigned},
        schema::set_meta,
        values::values_of,
    },
    Ledger,
};
use crate::{
    CollectionPath, TRANSACTIONS,
    definition::{Bounds, Retention},
};

/// How long a transaction's outcome is kept.
pub(crate) const OUTCOME_AGE_MS: u64 = 7 * 24 * 60 * 60 * 1000;
/// How many outcomes are kept.
pub(crate) const OUTCOMES_MAX: u64 = 1_000_000;
/// What holds for the service's own collections.
const OWN_RETENTION: Retention = Retention {
    history: Bounds {
        count: Some(10_000),
        age_ms: Some(90 * 24 * 60 * 60 * 1000),
        bytes: Some(64 << 20),
    },
    tombstones: Bounds {
        count: Some(10_000),
        age_ms: Some(90 * 24 * 60 * 60 * 1000),
        bytes: None,
    },
};

/// One row of a collection's log, as retention looks at it.
struct Logged {
    row: i64,
    deleted: bool,
    superseded: bool,
    replaced: Option<i64>,
    modified: u64,
}

/// The collections whose indexes are incomplete.
pub(super) fn building(catalog: &Catalog) -> Vec<CollectionPath> {
    let is_building = |collection: &&Arc<Collection>| {
        collection
            .indexes
            .iter()
            .chain(&collection.text)
            .any(|index| index.state == IndexState::Building)
    };
    catalog
        .iter()
        .filter(is_building)
        .map(|collection| collection.path.clone())
        .collect()
}

impl Ledger {
    /// Whether a collection that this batch touched holds more than its bounds allow.
    pub(super) fn is_over_bounds(&self) -> bool {
        let touched = self
            .catalog
            .iter()
            .filter(|collection| self.touched.contains(&collection.collection));
        let exceeded = |collection: &Arc<Collection>| {
            let counters = self.counters.get(&collection.collection);
            counters.is_some_and(|counters| exceeds(counters, retention(collection)))
        };
        touched.into_iter().any(exceeded)
    }

    /// Forgets up to `rows` versions. Answers whether there may be more to forget now.
    pub(super) fn sweep_step(&mut self, rows: usize) -> rusqlite::Result<bool> {
        let collections: Vec<Arc<Collection>> = self.catalog.iter().cloned().collect();
        let mut left = rows;
        for collection in collections {
            left = left.saturating_sub(self.sweep_history(&collection, left)?);
            left = left.saturating_sub(self.sweep_tombstones(&collection, left)?);
            if collection.path.as_str() == TRANSACTIONS {
                left = left.saturating_sub(self.sweep_outcomes(&collection, left)?);
            }
            if left == 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn sweep_history(&mut self, collection: &Collection, rows: usize) -> rusqlite::Result<usize> {
        let bounds = retention(collection).history;
        let mut counters = self.counters(collection);
        if counters.history_count == 0 || rows == 0 {
            return Ok(0);
        }
        let logged = self.logged(collection.collection, counters.history_cursor, rows)?;
        let mut walked = 0;
        for entry in &logged {
            let (count, bytes) = (counters.history_count, counters.history_bytes);
            let is_due = is_over(bounds, count, bytes, entry.modified, self.now.0);
            if entry.replaced.is_some() && !is_due {
                break;
            }
            if let Some(replaced) = entry.replaced {
                let bytes = self.forget(collection, replaced, sequence_of(entry.row))?;
                counters.history_count = counters.history_count.saturating_sub(1);
                counters.history_bytes = counters.history_bytes.saturating_sub(bytes);
                counters.history_floor = sequence_of(entry.row);
            }
            counters.history_cursor = entry.row;
            walked += 1;
        }
        self.keep(collection, counters);
        Ok(walked)
    }

    fn sweep_tombstones(
        &mut self,
        collection: &Collection,
        rows: usize,
    ) -> rusqlite::Result<usize> {
        let bounds = retention(collection).tombstones;
        let mut counters = self.counters(collection);
        if counters.tombstone_count == 0 || rows == 0 {
            return Ok(0);
        }
        let logged = self.logged(collection.collection, counters.tombstone_cursor, rows)?;
        let mut walked = 0;
        for entry in logged
            .iter()
            .take_while(|entry| entry.row <= counters.history_cursor)
        {
            let is_tombstone = entry.deleted && !entry.superseded;
            let count = counters.tombstone_count;
            if is_tombstone && !is_over(bounds, count, 0, entry.modified, self.now.0) {
                break;
            }
            if is_tombstone {
                self.take_away(collection, entry.row, false)?;
                counters.tombstone_count = counters.tombstone_count.saturating_sub(1);
                counters.tombstone_floor = sequence_of(entry.row);
            }
            counters.tombstone_cursor = entry.row;
            walked += 1;
        }
        self.keep(collection, counters);
        Ok(walked)
    }

    fn sweep_outcomes(&mut self, collection: &Collection, rows: usize) -> rusqlite::Result<usize> {
        let mut counters = self.counters(collection);
        let bounds = Bounds {
            count: Some(OUTCOMES_MAX),
            age_ms: Some(OUTCOME_AGE_MS),
            bytes: None,
        };
        let mut taken = 0;
        for entry in self.logged(collection.collection, 0, rows)? {
            if !is_over(bounds, counters.live, 0, entry.modified, self.now.0) {
                break;
            }
            self.take_away(collection, entry.row, true)?;
            counters.live = counters.live.saturating_sub(1);
            taken += 1;
        }
        self.keep(collection, counters);
        Ok(taken)
    }

    fn counters(&self, collection: &Collection) -> Counters {
        self.counters
            .get(&collection.collection)
            .copied()
            .unwrap_or_default()
    }

    fn keep(&mut self, collection: &Collection, counters: Counters) {
        if self.counters(collection) != counters {
            *self.count(collection.collection) = counters;
            self.heads.entry(collection.path.clone()).or_default();
        }
    }

    fn logged(&self, collection: i64, after: i64, rows: usize) -> rusqlite::Result<Vec<Logged>> {
        self.db
            .prepare_cached(
                "SELECT l.row, l.deleted, l.superseded IS NOT NULL, v.replaced, v.modified
                 FROM log l JOIN versions v ON v.row = l.row
                 WHERE l.collection = ?1 AND l.row > ?2 ORDER BY l.row LIMIT ?3",
            )?
            .query_map(
                params![collection, after, i64::try_from(rows).unwrap_or(i64::MAX)],
                |row| {
                    Ok(Logged {
                        row: row.get(0)?,
                        deleted: row.get(1)?,
                        superseded: row.get(2)?,
                        replaced: row.get(3)?,
                        modified: unsigned(row.get(4)?),
                    })
                },
            )?
            .collect()
    }

    /// Takes away a superseded version, and the values that were left with it. Answers its size.
    fn forget(
        &mut self,
        collection: &Collection,
        row: i64,
        superseded: u64,
    ) -> rusqlite::Result<u64> {
        let bytes = self.forget_values(collection, row, superseded)?;
        self.take_away_version(collection.collection, row)?;
        Ok(bytes)
    }

    fn forget_values(
        &mut self,
        collection: &Collection,
        row: i64,
        superseded: u64,
    ) -> rusqlite::Result<u64> {
        let found = self
            .db
            .prepare_cached("SELECT parent, id, body FROM versions WHERE row = ?1")?
            .query_row([row], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, Option<Vec<u8>>>(2)?,
                ))
            });
        let (parent, id, body) = match found {
            Ok(found) => found,
            Err(rusqlite::Error::QueryReturnedNoRows) => return Ok(0),
            Err(error) => return Err(error),
        };
        if !collection.indexes.is_empty() && body.is_some() {
            let values = values_of(&self.db, collection, row)?;
            for (index, value) in collection.indexes.iter().zip(values) {
                self.db
                    .prepare_cached("DELETE FROM past WHERE index_id = ?1 AND value = ?2 AND parent = ?3 AND id = ?4 AND superseded = ?5")?
                    .execute(params![index.index_id, value, parent, id, signed(superseded)])?;
            }
        }
        Ok(body.map_or(0, |body| u64::try_from(body.len()).unwrap_or(0)))
    }

    /// Takes away a resource's newest version, and with it the last that was known of it.
    fn take_away(
        &mut self,
        collection: &Collection,
        row: i64,
        is_live: bool,
    ) -> rusqlite::Result<()> {
        let key = self
            .db
            .prepare_cached("SELECT parent, id FROM versions WHERE row = ?1")?
            .query_row([row], |row| {
                super::super::rows::key(row, 0, &collection.path)
            })?;
        self.db
            .prepare_cached(
                "DELETE FROM keys WHERE collection = ?1 AND live = ?2 AND parent = ?3 AND id = ?4",
            )?
            .execute(params![
                collection.collection,
                is_live,
                key.parent.as_str(),
                key.id.as_str()
            ])?;
        self.take_away_version(collection.collection, row)?;
        self.shared.cache.take_out(&key);
        self.dirty.remove(&key);
        self.gone.push(key);
        // The newest row may be among those that go, and its sequence must not be given out again.
        set_meta(&self.db, "head", signed(self.head))
    }

    fn take_away_version(&self, collection: i64, row: i64) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("DELETE FROM versions WHERE row = ?1")?
            .execute([row])?;
        self.db
            .prepare_cached("DELETE FROM log WHERE collection = ?1 AND row = ?2")?
            .execute(params![collection, row])
            .map(|_| ())
    }
}

fn retention(collection: &Collection) -> Retention {
    collection
        .definition
        .as_ref()
        .map_or(OWN_RETENTION, |definition| definition.retention)
}

fn exceeds(counters: &Counters, retention: Retention) -> bool {
    let over = |bound: Option<u64>, have: u64| bound.is_some_and(|bound| have > bound);
    over(retention.history.count, counters.history_count)
        || over(retention.history.bytes, counters.history_bytes)
        || over(retention.tombstones.count, counters.tombstone_count)
}

/// Whether the oldest of `count` things, of `bytes` together and made at `made`, is one too many.
fn is_over(bounds: Bounds, count: u64, bytes: u64, made_ms: u64, now_ms: u64) -> bool {
    bounds.count.is_some_and(|bound| count > bound)
        || bounds.bytes.is_some_and(|bound| bytes > bound)
        || bounds
            .age_ms
            .is_some_and(|age| now_ms.saturating_sub(made_ms) > age)
}
