//! Taking what was forgotten out of the log.
//!
//! A version goes from `versions` as soon as history is over its bounds. Its row in the log is narrow,
//! and lies anywhere among those of others: taken away one by one, each would change a page of its
//! own. So these rows are gathered by walking on over what replaced them, and taken away a few with
//! every commit, in their order in the table: neighbours go together.
//!
//! How far that has come is stored only when what was gathered is gone. Whoever was cut off gathers
//! it again, and what is gone already stays gone.

use std::collections::BTreeMap;

use rusqlite::params;

use super::{super::catalog::Counters, Ledger};

/// From how many forgotten versions of a collection on their rows are gathered while others write.
const GATHERED_MIN: usize = 2048;
/// The most rows that are walked over to gather some.
const WALKED_MAX: usize = 4 * GATHERED_MIN;

/// What is to go from the logs.
#[derive(Debug, Default)]
pub(super) struct Trim {
    /// Collections with forgotten versions whose rows are still in the log.
    due: BTreeMap<i64, Due>,
    /// Whose turn it was last.
    last: i64,
}

/// One collection's part.
#[derive(Debug, Default)]
struct Due {
    /// How many versions were forgotten since rows were last gathered.
    forgotten: usize,
    /// Whether something waits for it, however few they are.
    is_wanted: bool,
    gathered: Option<Gathered>,
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
        self.due.entry(collection).or_default().forgotten += 1;
    }

    /// Something waits until this collection's log is trimmed.
    pub(super) fn want(&mut self, collection: i64) {
        self.due.entry(collection).or_default().is_wanted = true;
    }

    /// Whether anything is to go.
    pub(super) fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Whose turn it is: in turns, so that nobody's log grows while another's is always due.
    fn next(&mut self, wants_all: bool) -> Option<i64> {
        let is_worth_it = |due: &Due| {
            let is_many = due.forgotten >= GATHERED_MIN;
            wants_all || due.is_wanted || is_many || due.gathered.is_some()
        };
        let behind = self.due.range(self.last + 1..);
        let mut turns = behind.chain(self.due.range(..=self.last));
        let next = turns.find_map(|(collection, due)| is_worth_it(due).then_some(*collection))?;
        self.last = next;
        Some(next)
    }
}

impl Ledger {
    /// Finds out which logs are to be trimmed. How much is left in them is not known, so it may be much.
    pub(super) fn look_for_trimming(&mut self) {
        let due = |(collection, counters): (&i64, &Counters)| {
            let due = Due {
                forgotten: GATHERED_MIN,
                ..Due::default()
            };
            (counters.log_cursor < counters.history_cursor).then_some((*collection, due))
        };
        self.trim = Trim {
            due: self.counters.iter().filter_map(due).collect(),
            ..Trim::default()
        };
    }

    /// Takes up to so many rows away. `wants_all`: also where only few were forgotten.
    pub(super) fn trim_step(&mut self, rows: usize, wants_all: bool) -> rusqlite::Result<()> {
        let Some(collection) = self.trim.next(wants_all) else {
            return Ok(());
        };
        let due = self.trim.due.get_mut(&collection);
        let mut gathered = match due.and_then(|due| due.gathered.take()) {
            Some(gathered) => gathered,
            None => self.gather(collection)?,
        };
        let left = gathered.rows.len().saturating_sub(rows);
        for row in gathered.rows.drain(left..).rev() {
            self.db
                .prepare_cached("DELETE FROM log WHERE collection = ?1 AND row = ?2")?
                .execute(params![collection, row])?;
        }
        if gathered.rows.is_empty() {
            self.trimmed(collection, gathered.until);
        } else if let Some(due) = self.trim.due.get_mut(&collection) {
            due.gathered = Some(gathered);
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
        if let Some(due) = self.trim.due.get_mut(&collection) {
            due.forgotten = due.forgotten.saturating_sub(rows.len());
            due.is_wanted = false;
        }
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

#[cfg(test)]
mod tests {
    use super::{GATHERED_MIN, Trim};

    #[test]
    fn who_is_always_due_takes_turns_with_others() {
        let mut trim = Trim::default();
        for _ in 0..3 * GATHERED_MIN {
            trim.forgot(1);
        }
        trim.want(2);
        trim.forgot(3);
        let turns: Vec<_> = (0..4).map(|_| trim.next(false)).collect();
        assert_eq!(turns, [Some(1), Some(2), Some(1), Some(2)]);
        assert_eq!(trim.next(true), Some(3));
    }
}
