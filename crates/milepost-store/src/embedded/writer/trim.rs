//! Taking what was forgotten out of the log.
//!
//! A version goes from `versions` as soon as history is over its bounds. Its row in the log is narrow,
//! and lies anywhere among those of others: taken away one by one, each would change a page of its
//! own. So these rows are gathered by walking on over what replaced them, and taken away a few with
//! every commit, in their order in the table: neighbours go together.
//!
//! How far that has come is stored only when what was gathered is gone. Whoever was cut off gathers
//! it again, and what is gone already stays gone.

use std::collections::{BTreeSet, HashMap};

use rusqlite::params;

use super::Ledger;

/// From how many forgotten versions on their rows are gathered while others write.
const GATHERED_MIN: usize = 2048;
/// The most rows that are walked over to gather some.
const WALKED_MAX: usize = 4 * GATHERED_MIN;

/// What is to go from the logs.
#[derive(Debug, Default)]
pub(super) struct Trim {
    /// Collections with forgotten versions whose rows are still in the log.
    due: BTreeSet<i64>,
    /// What was gathered, by collection.
    gathered: HashMap<i64, Gathered>,
    /// How many versions were forgotten since rows were last gathered.
    forgotten: usize,
}

/// Rows to take away.
#[derive(Debug)]
struct Gathered {
    /// Descending: the last goes next.
    rows: Vec<i64>,
    /// How far the log was walked for them.
    until: i64,
}

impl Trim {
    /// A version of this collection was forgotten.
    pub(super) fn forgot(&mut self, collection: i64) {
        self.due.insert(collection);
        self.forgotten += 1;
    }

    /// Whether anything is to go.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }
}

impl Ledger {
    /// Finds out which logs are to be trimmed.
    pub(super) fn look_for_trimming(&mut self) {
        let is_behind = |counters: &super::super::catalog::Counters| {
            counters.log_cursor < counters.history_cursor
        };
        let behind = self
            .counters
            .iter()
            .filter(|(_, counters)| is_behind(counters));
        self.trim = Trim {
            due: behind.map(|(collection, _)| *collection).collect(),
            ..Trim::default()
        };
    }

    /// Takes up to so many rows away. `wants_all`: also where only few were forgotten.
    pub(super) fn trim_step(&mut self, rows: usize, wants_all: bool) -> rusqlite::Result<()> {
        let Some(collection) = self.trim.due.first().copied() else {
            return Ok(());
        };
        let is_worth_it = wants_all || self.trim.forgotten >= GATHERED_MIN;
        let mut gathered = match self.trim.gathered.remove(&collection) {
            Some(gathered) => gathered,
            None if is_worth_it => self.gather(collection)?,
            None => return Ok(()),
        };
        let left = gathered.rows.len().saturating_sub(rows);
        for row in gathered.rows.drain(left..).rev() {
            self.db
                .prepare_cached("DELETE FROM log WHERE collection = ?1 AND row = ?2")?
                .execute(params![collection, row])?;
        }
        if gathered.rows.is_empty() {
            self.trimmed(collection, gathered.until);
        } else {
            self.trim.gathered.insert(collection, gathered);
        }
        Ok(())
    }

    fn gather(&mut self, collection: i64) -> rusqlite::Result<Gathered> {
        let counters = self.counters.get(&collection).copied().unwrap_or_default();
        let mut statement = self.db.prepare_cached(
            "SELECT row, replaced FROM log WHERE collection = ?1 AND row > ?2 AND row <= ?3 ORDER BY row LIMIT ?4",
        )?;
        let limit = i64::try_from(WALKED_MAX).unwrap_or(i64::MAX);
        let walked = statement
            .query_map(
                params![
                    collection,
                    counters.log_cursor,
                    counters.history_cursor,
                    limit
                ],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )?
            .collect::<rusqlite::Result<Vec<(i64, Option<i64>)>>>()?;
        let is_all = walked.len() < WALKED_MAX;
        let last = walked.last().map(|(row, _)| *row).filter(|_| !is_all);
        let mut rows: Vec<i64> = walked
            .into_iter()
            .filter_map(|(_, replaced)| replaced)
            .collect();
        rows.sort_unstable_by(|a, b| b.cmp(a));
        self.trim.forgotten = self.trim.forgotten.saturating_sub(rows.len());
        Ok(Gathered {
            rows,
            until: last.unwrap_or(counters.history_cursor),
        })
    }

    fn trimmed(&mut self, collection: i64, until: i64) {
        let counters = self.count(collection);
        counters.log_cursor = counters.log_cursor.max(until);
        if counters.log_cursor >= counters.history_cursor {
            self.trim.due.remove(&collection);
        }
        // Tombstones may have waited for this.
        self.sweep_everything();
    }
}
