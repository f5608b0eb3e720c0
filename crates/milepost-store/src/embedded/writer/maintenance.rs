//! What the writer does beside writing, by steps so small that no writer waits for them: completing
//! indexes, taking away dropped ones, and retention.
//!
//! While clients write, each batch carries a little of it along under the sync that it pays for
//! anyway; when nobody does, the steps follow one another until nothing is due.

use rusqlite::params;

use super::Ledger;
use crate::CollectionPath;

/// How many rows a step may take away when nobody else writes.
const STEP_ALONE: usize = 512;
/// How many rows a batch takes away beyond two for each that it writes.
const STEP_BESIDE: usize = 32;

/// What is to be done. Found anew when a store is opened; nothing here needs to survive.
#[derive(Debug, Default)]
pub(super) struct Work {
    building: Vec<CollectionPath>,
    dropped: Vec<i64>,
    sweep: Sweep,
    next_sweep_ms: u64,
    /// Nobody has written for a while: what was put off can be done.
    pub(super) is_idle: bool,
}

/// What retention is to look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sweep {
    #[default]
    Nothing,
    /// Collections that are over their bounds.
    Excess,
    /// All, since with time anything may have become too old.
    Everything,
}

impl Ledger {
    /// Whether anything is left to do.
    pub(super) fn has_work(&self) -> bool {
        let work = &self.work;
        !work.building.is_empty()
            || !work.dropped.is_empty()
            || work.sweep != Sweep::Nothing
            || (work.is_idle && self.trim.is_due())
    }

    /// Finds out what is to be done.
    pub(super) fn look_for_work(&mut self) {
        self.work.building = super::retention::building(&self.catalog);
        let dropped = self
            .db
            .prepare_cached("SELECT index_id FROM indexes WHERE state = 2")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect());
        // What can't be read now is found the next time.
        self.work.dropped = dropped.unwrap_or_default();
        self.sweep_everything();
        self.work.is_idle = true;
        self.look_for_trimming();
    }

    /// Looks at everything that retention may take.
    pub(super) fn sweep_everything(&mut self) {
        self.work.sweep = Sweep::Everything;
    }

    /// A little maintenance within a batch.
    pub(super) fn maintain_beside(&mut self) -> rusqlite::Result<()> {
        self.sweep_if_time();
        if self.work.sweep == Sweep::Nothing && self.is_over_bounds() {
            self.work.sweep = Sweep::Excess;
        }
        let rows = 2 * self.written + STEP_BESIDE;
        if self.has_work() {
            self.step(rows)?;
        }
        self.trim_step(rows, false)
    }

    /// A step of maintenance, in a transaction of its own.
    pub(super) fn maintain_alone(&mut self) -> rusqlite::Result<()> {
        self.now = self.shared.clock.now();
        self.sweep_if_time();
        if !self.has_work() {
            return Ok(());
        }
        self.begin()?;
        self.step(STEP_ALONE)?;
        if self.work.is_idle {
            self.trim_step(STEP_ALONE, true)?;
        }
        self.commit()
    }

    fn sweep_if_time(&mut self) {
        if self.now.0 >= self.work.next_sweep_ms {
            self.work.sweep = Sweep::Everything;
            self.work.next_sweep_ms = self.now.0.saturating_add(1000);
        }
    }

    fn step(&mut self, rows: usize) -> rusqlite::Result<()> {
        let building = self.work.building.first().cloned();
        let dropped = self.work.dropped.first().copied();
        match (building, dropped) {
            (Some(path), _) if !self.build_step(&path)? => {
                self.work.building.remove(0);
            }
            (None, Some(index_id)) if self.drop_step(index_id, rows)? == 0 => {
                self.work.dropped.remove(0);
            }
            _ => {}
        }
        let by_age = self.work.sweep == Sweep::Everything;
        let has_more = self.work.sweep != Sweep::Nothing && self.sweep_step(rows, by_age)?;
        if !has_more {
            self.work.sweep = Sweep::Nothing;
        }
        Ok(())
    }

    /// Takes away some rows of an index that is no longer declared. Answers how many.
    fn drop_step(&mut self, index_id: i64, rows: usize) -> rusqlite::Result<usize> {
        let limit = i64::try_from(rows).unwrap_or(i64::MAX);
        let mut taken = 0;
        for table in ["entries", "past"] {
            let columns = if table == "past" {
                "index_id, value, parent, id, superseded"
            } else {
                "index_id, value, parent, id"
            };
            taken += self
                .db
                .prepare_cached(&format!(
                    "DELETE FROM {table} WHERE ({columns}) IN (SELECT {columns} FROM {table} WHERE index_id = ?1 LIMIT ?2)"
                ))?
                .execute(params![index_id, limit])?;
        }
        if taken == 0 {
            self.db
                .execute_batch(&format!("DROP TABLE IF EXISTS text_{index_id}"))?;
            self.db
                .execute("DELETE FROM indexes WHERE index_id = ?1", [index_id])?;
        }
        Ok(taken)
    }
}
