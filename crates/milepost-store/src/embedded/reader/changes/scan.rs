//! Going through the log: which versions a page may be about, and where it may end.
//!
//! Only narrow rows are read here. A version stands at an end if no later one replaced it by then; so
//! one pass tells, for every candidate end, how many changes a page up to there would be about. That
//! number grows with the end (each changed resource counts once), so the pass can stop early.
//!
//! Rows that are to be forgotten and were not yet, because that is done in steps, count as forgotten.

use std::collections::HashSet;

use rusqlite::{Row, Rows};

use super::{Subject, Telling};
use crate::{
    Changed, ReadError, TRANSACTIONS,
    embedded::{
        reader::unavailable,
        rows::{last_row_of, sequence_of},
    },
    page_end::ends,
};

/// A version that the page may be about.
pub(super) struct Entry {
    pub(super) row: i64,
    /// The number of its collection.
    pub(super) collection: i64,
    /// The commit that replaced it, as far as the pass has come.
    superseded: u64,
    pub(super) told: Told,
}

/// What a version turned out to be.
pub(super) enum Told {
    NotYet,
    Hidden,
    Shown(Changed),
}

/// What was found.
pub(super) struct Scan {
    pub(super) entries: Vec<Entry>,
    /// Where the page may end, ascending; at least one. No later end would fit.
    pub(super) ends: Vec<u64>,
    versions: bool,
}

impl Entry {
    /// A version that nothing has ended.
    fn standing(row: i64, collection: i64) -> Self {
        Self {
            row,
            collection,
            superseded: u64::MAX,
            told: Told::NotYet,
        }
    }

    pub(super) fn sequence(&self) -> u64 {
        sequence_of(self.row)
    }
}

impl Scan {
    pub(super) fn of(telling: &Telling<'_, '_>) -> Result<Self, ReadError> {
        let after = last_row_of(telling.since);
        let db = &telling.snapshot.db;
        match &telling.subject {
            Subject::One(one) => {
                let mut statement = db
                    .prepare_cached("SELECT row, replaced FROM log WHERE collection = ?1 AND row > ?2 ORDER BY row")
                    .map_err(unavailable)?;
                let number = one.collection.collection;
                let rows = statement.query([number, after]).map_err(unavailable)?;
                let forgotten = telling.forgotten(telling.subject.history_floors())?;
                Self::gather(telling, rows, &forgotten, |_| Ok(number))
            }
            Subject::Every(_) => {
                let mut statement = db
                    .prepare_cached(
                        "SELECT row, replaced, collection FROM versions
                         WHERE row > ?1 AND collection <> (SELECT collection FROM collections WHERE name = ?2)
                         ORDER BY row",
                    )
                    .map_err(unavailable)?;
                let rows = statement
                    .query((after, TRANSACTIONS))
                    .map_err(unavailable)?;
                let forgotten = telling.forgotten(telling.subject.history_floors())?;
                Self::gather(telling, rows, &forgotten, |row| row.get(2))
            }
        }
    }

    /// What changed of one parent's children up to the head, found among them, if there are few.
    pub(super) fn among_few(telling: &Telling<'_, '_>) -> Result<Option<Self>, ReadError> {
        let (Subject::One(one), Some(parent)) = (&telling.subject, telling.query.feed.parent())
        else {
            return Ok(None);
        };
        if telling.query.versions {
            return Ok(None);
        }
        let number = one.collection.collection;
        let mut entries = Vec::new();
        let mut children = 0;
        let mut statement = telling
            .snapshot
            .db
            .prepare_cached(
                "SELECT row FROM keys WHERE collection = ?1 AND live IN (0, 1) AND parent = ?2",
            )
            .map_err(unavailable)?;
        let mut rows = statement
            .query((number, parent.as_str()))
            .map_err(unavailable)?;
        while let Some(row) = rows.next().map_err(unavailable)? {
            children += 1;
            if children > telling.bounds.weighed {
                return Ok(None);
            }
            let row: i64 = row.get(0).map_err(unavailable)?;
            if sequence_of(row) > telling.since {
                entries.push(Entry::standing(row, number));
            }
        }
        entries.sort_unstable_by_key(|entry| entry.row);
        Ok(Some(Self {
            entries,
            ends: vec![telling.head],
            versions: false,
        }))
    }

    fn gather(
        telling: &Telling<'_, '_>,
        mut rows: Rows<'_>,
        forgotten: &HashSet<i64>,
        collection: impl Fn(&Row<'_>) -> rusqlite::Result<i64>,
    ) -> Result<Self, ReadError> {
        let mut scan = Self {
            entries: Vec::new(),
            ends: Vec::new(),
            versions: telling.query.versions,
        };
        let mut candidates = None;
        // How many changes a page to here is about.
        let mut weight = 0;
        while let Some(row) = rows.next().map_err(unavailable)? {
            let (number, replaced) = logged(row).map_err(unavailable)?;
            if forgotten.contains(&number) {
                continue;
            }
            let entry = Entry::standing(number, collection(row).map_err(unavailable)?);
            let sequence = entry.sequence();
            let candidates =
                candidates.get_or_insert_with(|| ends(sequence, telling.head).peekable());
            let passed = std::iter::from_fn(|| candidates.next_if(|end| *end < sequence));
            if scan.pass(passed, telling.bounds.weighed) {
                return Ok(scan);
            }
            let takes_over = scan.supersede(replaced, sequence);
            weight += usize::from(scan.versions || !takes_over);
            let is_over =
                weight > telling.bounds.weighed || scan.entries.len() >= telling.bounds.examined;
            // The first commit is taken whole, whatever its size.
            if is_over && !scan.ends.is_empty() {
                return Ok(scan);
            }
            scan.entries.push(entry);
        }
        scan.ends.extend(candidates.into_iter().flatten());
        scan.ends.push(telling.head);
        Ok(scan)
    }

    /// Ends a version that was replaced, if it is one of those gone through.
    fn supersede(&mut self, replaced: Option<i64>, sequence: u64) -> bool {
        let place = replaced.and_then(|replaced| {
            let found = self
                .entries
                .binary_search_by_key(&replaced, |entry| entry.row);
            found.ok()
        });
        let entry = place.and_then(|place| self.entries.get_mut(place));
        entry.map(|entry| entry.superseded = sequence).is_some()
    }

    /// Goes past ends. Answers whether one is about too much already: every later one is then.
    fn pass(&mut self, ends: impl Iterator<Item = u64>, weighed_max: usize) -> bool {
        for end in ends {
            self.ends.push(end);
            if self.weight(end) > weighed_max {
                return true;
            }
        }
        false
    }

    /// How many changes a page to `end` is about.
    pub(super) fn weight(&self, end: u64) -> usize {
        self.wanted(end).count()
    }

    /// The places of the versions that a page to `end` is about.
    pub(super) fn wanted(&self, end: u64) -> impl Iterator<Item = usize> {
        let until = self
            .entries
            .partition_point(|entry| entry.sequence() <= end);
        let versions = self.versions;
        let entries = self.entries.get(..until).unwrap_or_default();
        entries
            .iter()
            .enumerate()
            .filter(move |(_, entry)| versions || entry.superseded > end)
            .map(|(place, _)| place)
    }
}

impl Telling<'_, '_> {
    /// The versions after `since` of collections, each with its history's floor, that are to be forgotten
    /// and were not yet, or not from the log: none where all that is asked for lies after the floor.
    pub(super) fn forgotten(
        &self,
        floors: impl IntoIterator<Item = (i64, u64)>,
    ) -> Result<HashSet<i64>, ReadError> {
        let mut forgotten = HashSet::new();
        for (collection, floor) in floors {
            if floor > self.since {
                self.forgotten_of(collection, floor, &mut forgotten)
                    .map_err(unavailable)?;
            }
        }
        Ok(forgotten)
    }

    fn forgotten_of(
        &self,
        collection: i64,
        floor: u64,
        forgotten: &mut HashSet<i64>,
    ) -> rusqlite::Result<()> {
        let mut statement = self.snapshot.db.prepare_cached(
            "SELECT replaced FROM log WHERE collection = ?1 AND replaced > ?3 AND row <= ?2
             AND row > (SELECT max(log_cursor, ?3) FROM collections WHERE collection = ?1)",
        )?;
        let bounds = (collection, last_row_of(floor), last_row_of(self.since));
        let rows = statement.query_map(bounds, |row| row.get(0))?;
        rows.into_iter().try_for_each(|row| {
            forgotten.insert(row?);
            Ok(())
        })
    }
}

/// The number of a version, and of the one that it replaced.
fn logged(row: &Row<'_>) -> rusqlite::Result<(i64, Option<i64>)> {
    Ok((row.get(0)?, row.get(1)?))
}
