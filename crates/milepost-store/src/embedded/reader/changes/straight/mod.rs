//! Going straight through the versions: where most of what was written since is told, each version is
//! read once, whole, and the log isn't needed.
//!
//! The page is the one that the log leads to ([`scan`](super::scan), [`page`](super::page)), end and all;
//! only how it is found differs. What is read in vain is bounded: by what others wrote, and by the bytes
//! of a page. Beyond that, and where something may be hidden, the log's is the better way.

mod line;
mod walk;

use std::collections::HashSet;

use rusqlite::Rows;

use self::walk::{Step, Walk};
use super::{Telling, page::Filled};
use crate::{
    ReadError,
    embedded::{reader::unavailable, rows::last_row_of},
};

const VERSIONS: &str = "SELECT row, collection, replaced, modified, parent, id, body FROM versions
     WHERE row > ?1 AND row <= ?2 ORDER BY row";

impl Telling<'_, '_> {
    /// The page, or `None` where it is better found by the log.
    pub(super) fn straight(&self) -> Result<Option<Filled>, ReadError> {
        if !self.subject.is_whole() {
            return Ok(None);
        }
        let forgotten = self.forgotten(self.subject.history_floors())?;
        let statement = self.snapshot.db.prepare_cached(VERSIONS);
        let mut statement = statement.map_err(unavailable)?;
        let rows = statement.query([last_row_of(self.since), last_row_of(self.head)]);
        self.walk(rows.map_err(unavailable)?, &forgotten)
    }

    fn walk(
        &self,
        mut rows: Rows<'_>,
        forgotten: &HashSet<i64>,
    ) -> Result<Option<Filled>, ReadError> {
        let lineage = &self.snapshot.shared.lineage;
        let mut walk = Walk::new(lineage, self.bounds, self.query.versions, self.head);
        while let Some(row) = rows.next().map_err(unavailable)? {
            let number: i64 = row.get(0).map_err(unavailable)?;
            let collection: i64 = row.get(1).map_err(unavailable)?;
            let step = match self.subject.path_of(collection) {
                None => walk.pass_by(),
                Some(_) if forgotten.contains(&number) => Step::On,
                Some(path) => walk.take(number, path, row).map_err(unavailable)?,
            };
            match step {
                Step::On => {}
                Step::Enough => return Ok(Some(self.told(walk, true))),
                Step::Lost => return Ok(None),
            }
        }
        walk.arrive();
        let is_settled = walk.is_too_much();
        Ok(Some(self.told(walk, is_settled)))
    }

    fn told(&self, walk: Walk<'_>, is_settled: bool) -> Filled {
        let end = walk.end().unwrap_or(self.head);
        Filled {
            items: walk.into_items(end),
            end,
            is_settled,
        }
    }
}
