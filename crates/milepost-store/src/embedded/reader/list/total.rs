//! How many match in all, where that is cheap to say.

use rusqlite::{ToSql, params};

use super::Listing;
use crate::{
    ParentPath, ReadError, Scope,
    embedded::reader::{stretch::Stretch, unavailable},
};

/// More than so many are not counted.
const COUNTED_MAX: u64 = 10_000;

impl Listing<'_, '_> {
    /// The number of resources that match; `None` where counting them would cost more than a page.
    pub(super) fn total(&self) -> Result<Option<u64>, ReadError> {
        if self.at.is_some() || self.query.text.is_some() {
            return Ok(None);
        }
        let is_whole = self.query.scope == Scope::Below(ParentPath::top())
            || self.query.collection.depth() == 1;
        match (self.conditions.as_slice(), is_whole) {
            ([], true) => Ok(Some(self.remembered.counters.live)),
            ([], false) => self.count_below(),
            ([condition], true) => self.count_stretches(condition.index, &condition.stretches),
            _ => Ok(None),
        }
    }

    fn count_below(&self) -> Result<Option<u64>, ReadError> {
        let Scope::Of(parent) = self.scope() else {
            return Ok(None);
        };
        let sql = "SELECT count(*) FROM (SELECT 1 FROM keys WHERE collection = ?1 AND live = 1 AND parent = ?2 LIMIT ?3)";
        self.count(
            sql,
            params![self.collection.collection, parent.as_str(), LIMIT],
        )
    }

    fn count_stretches(
        &self,
        index: usize,
        stretches: &[Stretch],
    ) -> Result<Option<u64>, ReadError> {
        let Some(index) = self.collection.indexes.get(index) else {
            return Ok(None);
        };
        let sql = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE index_id = ?1 AND value >= ?2 AND value < ?3 LIMIT ?4)";
        let mut total = 0;
        for stretch in stretches {
            match self.count(
                sql,
                params![index.index_id, stretch.start, stretch.end, LIMIT],
            )? {
                Some(counted) => total += counted,
                None => return Ok(None),
            }
        }
        Ok((total <= COUNTED_MAX).then_some(total))
    }

    fn count(&self, sql: &str, values: &[&dyn ToSql]) -> Result<Option<u64>, ReadError> {
        let counted: i64 = self
            .snapshot
            .db
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(values, |row| row.get(0)))
            .map_err(unavailable)?;
        Ok(u64::try_from(counted)
            .ok()
            .filter(|counted| *counted <= COUNTED_MAX))
    }
}

/// One more than is counted, to see that there are more.
const LIMIT: i64 = 10_001;
