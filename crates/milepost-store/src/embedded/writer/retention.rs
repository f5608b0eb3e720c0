//! Forgetting: old versions, tombstones and recorded outcomes, when their bounds are reached.
//!
//! The order of forgetting is the order of commits, so that what is still answerable can be told
//! exactly by two positions per collection. A floor rises before the first row below it goes, in the
//! same commit: no answer is ever built from what is half gone.
//!
//! * *History.* Walking a collection's log, the version that each row replaced was superseded at that
//!   row's commit. It goes when history is over its bounds, oldest first.
//! * *Tombstones* go in the order they were made, but not before the walk above has passed them and
//!   what they replaced is gone from the log too: a tombstone is what leads to that version.
//! * *Recorded outcomes* of transactions are live resources; theirs is an age.

use std::sync::Arc;

use rusqlite::params;

use super::{
    super::{
        catalog::{Catalog, Collection, Counters, IndexState},
        rows::{field, sequence_of, signed, unsigned},
        schema::set_meta,
        values::values_of,
    },
    Ledger,
};
use crate::{
    CollectionPath, TRANSACTIONS,
    backend::{OUTCOMES, OWN_RETENTION},
    definition::{Bounds, Retention},
};

/// By how much history may be over its bounds before a writer takes some of it along: the walk to what
/// is due then pays off.
const SLACK_COUNT: u64 = 32;
const SLACK_BYTES: u64 = 32 << 10;

/// One row of a collection's log, as retention looks at it.
struct Logged {
    row: i64,
    deleted: bool,
    is_newest: bool,
    modified: u64,
}

/// A step of the walk over a collection's history: a row, and the version that it replaced.
struct Step {
    row: i64,
    modified: u64,
    replaced: Option<Replaced>,
}

/// A superseded version that is still kept.
struct Replaced {
    row: i64,
    /// Where its resource lies: parent and id.
    place: (String, String),
    bytes: u64,
    /// The values that its resource left with it.
    left: Left,
}

/// Values of indexes that a resource has left.
enum Left {
    /// By index.
    These(Vec<(i64, Vec<u8>)>),
    /// Some index is younger than the version, so they have to be read from its body.
    InBody,
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

    /// Forgets up to `rows` versions, in collections that hold too many or, where `by_age`, in all.
    /// Answers whether there may be more to forget now.
    pub(super) fn sweep_step(&mut self, rows: usize, by_age: bool) -> rusqlite::Result<bool> {
        let collections: Vec<Arc<Collection>> = self.catalog.iter().cloned().collect();
        let mut left = rows;
        for collection in collections {
            if !by_age && !exceeds(&self.counters(&collection), retention(&collection)) {
                continue;
            }
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
        let mut counters = self.counters(collection);
        if counters.history_count == 0 || rows == 0 {
            return Ok(0);
        }
        let due = self.due(collection, counters, rows)?;
        for step in &due {
            if let Some(replaced) = &step.replaced {
                self.forget(collection, replaced, sequence_of(step.row))?;
                counters.history_count = counters.history_count.saturating_sub(1);
                counters.history_bytes = counters.history_bytes.saturating_sub(replaced.bytes);
                counters.history_floor = sequence_of(step.row);
            }
            counters.history_cursor = step.row;
        }
        self.keep(collection, counters);
        Ok(due.len())
    }

    /// Walks on over a collection's history, up to so many rows, as long as versions are to go.
    fn due(
        &self,
        collection: &Collection,
        counters: Counters,
        rows: usize,
    ) -> rusqlite::Result<Vec<Step>> {
        let bounds = retention(collection).history;
        let (mut count, mut bytes) = (counters.history_count, counters.history_bytes);
        let mut statement = self.db.prepare_cached(
            "SELECT l.row, v.modified, v.fields, o.row, o.parent, o.id, length(o.body), o.fields
             FROM log l JOIN versions v ON v.row = l.row LEFT JOIN versions o ON o.row = v.replaced
             WHERE l.collection = ?1 AND l.row > ?2 ORDER BY l.row",
        )?;
        let mut found = statement.query(params![collection.collection, counters.history_cursor])?;
        let mut due = Vec::new();
        while due.len() < rows
            && let Some(row) = found.next()?
        {
            let step = step(row, collection)?;
            let replaced = step.replaced.as_ref();
            if replaced.is_some() && !is_over(bounds, count, bytes, step.modified, self.now.0) {
                break;
            }
            count = count.saturating_sub(u64::from(replaced.is_some()));
            bytes = bytes.saturating_sub(replaced.map_or(0, |replaced| replaced.bytes));
            due.push(step);
        }
        Ok(due)
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
            .take_while(|entry| entry.row <= counters.log_cursor)
        {
            let is_tombstone = entry.deleted && entry.is_newest;
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
        let waiting = |entry: &&Logged| {
            let range = counters.log_cursor + 1..=counters.history_cursor;
            range.contains(&entry.row)
        };
        let oldest = logged.iter().find(waiting);
        if oldest.is_some_and(|oldest| {
            let count = counters.tombstone_count;
            is_over(bounds, count, 0, oldest.modified, self.now.0)
        }) {
            self.trim.want(collection.collection);
        }
        self.keep(collection, counters);
        Ok(walked)
    }

    fn sweep_outcomes(&mut self, collection: &Collection, rows: usize) -> rusqlite::Result<usize> {
        let mut counters = self.counters(collection);
        let mut taken = 0;
        for entry in self.logged(collection.collection, 0, rows)? {
            if !is_over(OUTCOMES, counters.live, 0, entry.modified, self.now.0) {
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
                "SELECT l.row, l.deleted, v.modified, NOT l.deleted OR l.row IN
                     (SELECT k.row FROM keys k WHERE k.collection = l.collection AND k.live = 0
                      AND k.parent = v.parent AND k.id = v.id)
                 FROM log l JOIN versions v ON v.row = l.row
                 WHERE l.collection = ?1 AND l.row > ?2 ORDER BY l.row LIMIT ?3",
            )?
            .query_map(
                params![collection, after, i64::try_from(rows).unwrap_or(i64::MAX)],
                |row| {
                    Ok(Logged {
                        row: row.get(0)?,
                        deleted: row.get(1)?,
                        modified: unsigned(row.get(2)?),
                        is_newest: row.get(3)?,
                    })
                },
            )?
            .collect()
    }

    /// Takes away a superseded version, and the values that were left with it. Its row in the log goes
    /// later: see [`super::trim`].
    fn forget(
        &mut self,
        collection: &Collection,
        replaced: &Replaced,
        superseded: u64,
    ) -> rusqlite::Result<()> {
        let (parent, id) = &replaced.place;
        let forget_value = |index_id: i64, value: &[u8]| {
            self.db
                .prepare_cached("DELETE FROM past WHERE index_id = ?1 AND value = ?2 AND parent = ?3 AND id = ?4 AND superseded = ?5")?
                .execute(params![index_id, value, parent, id, signed(superseded)])
        };
        match &replaced.left {
            Left::These(values) => {
                for (index_id, value) in values {
                    forget_value(*index_id, value)?;
                }
            }
            Left::InBody => {
                let values = values_of(&self.db, collection, replaced.row)?;
                for (index, value) in collection.indexes.iter().zip(values) {
                    forget_value(index.index_id, &value)?;
                }
            }
        }
        self.trim.forgot(collection.collection);
        self.take_away_version(replaced.row)
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
        self.take_away_version(row)?;
        self.db
            .prepare_cached("DELETE FROM log WHERE collection = ?1 AND row = ?2")?
            .execute(params![collection.collection, row])?;
        self.shared.cache.take_out(&key);
        self.dirty.remove(&key);
        self.gone.push(key);
        // The newest row may be among those that go, and its sequence must not be given out again.
        set_meta(&self.db, "head", signed(self.head))
    }

    fn take_away_version(&self, row: i64) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("DELETE FROM versions WHERE row = ?1")?
            .execute([row])
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
    let over = |bound: Option<u64>, slack: u64, have: u64| {
        bound.is_some_and(|bound| have > bound.saturating_add(slack))
    };
    over(retention.history.count, SLACK_COUNT, counters.history_count)
        || over(retention.history.bytes, SLACK_BYTES, counters.history_bytes)
        || over(
            retention.tombstones.count,
            SLACK_COUNT,
            counters.tombstone_count,
        )
}

/// The values of an old version that its successor doesn't have.
fn left(collection: &Collection, old: Option<&[u8]>, new: Option<&[u8]>) -> Left {
    let mut values = Vec::new();
    for index in &collection.indexes {
        let Some(value) = field(old.unwrap_or_default(), index.index_id) else {
            return Left::InBody;
        };
        if field(new.unwrap_or_default(), index.index_id) != Some(value) {
            values.push((index.index_id, value.to_vec()));
        }
    }
    Left::These(values)
}

/// Reads a step as [`Ledger::due`] selects it.
fn step(row: &rusqlite::Row<'_>, collection: &Collection) -> rusqlite::Result<Step> {
    let new = row.get_ref(2)?.as_blob_or_null()?;
    let replaced = match row.get(3)? {
        Some(number) => Some(Replaced {
            row: number,
            place: (row.get(4)?, row.get(5)?),
            bytes: row.get::<_, Option<i64>>(6)?.map_or(0, unsigned),
            left: left(collection, row.get_ref(7)?.as_blob_or_null()?, new),
        }),
        None => None,
    };
    Ok(Step {
        row: row.get(0)?,
        modified: unsigned(row.get(1)?),
        replaced,
    })
}

/// Whether the oldest of `count` things, of `bytes` together and made at `made`, is one too many.
fn is_over(bounds: Bounds, count: u64, bytes: u64, made_ms: u64, now_ms: u64) -> bool {
    bounds.count.is_some_and(|bound| count > bound)
        || bounds.bytes.is_some_and(|bound| bytes > bound)
        || bounds
            .age_ms
            .is_some_and(|age| now_ms.saturating_sub(made_ms) > age)
}
