//! Walking one index: a filter's stretches of values, or all of them in order.
//!
//! As of an earlier position the index of now is not enough: a resource may have left the value
//! since. Where and when it left is kept, so the walk is over both, and each resource that it meets
//! is asked what it was then.

use rusqlite::{ToSql, types::Value};

use super::{
    Listing,
    collect::{Collected, Collecting, Walk},
};
use crate::{
    Cursor, ParentPath, ReadError, ResourceKey, Scope,
    embedded::{
        reader::{stretch::Stretch, unavailable},
        rows,
    },
    plan::OrderKey,
};

/// What the walk over an index meets.
struct Candidate {
    value: Vec<u8>,
    key: ResourceKey,
}

impl Listing<'_, '_> {
    pub(super) fn by_index(&self, order: OrderKey) -> Result<Collected, ReadError> {
        let mut page = Collecting::with_capacity(self.query.limit.items);
        let mut stretches = self.stretches(order.index);
        if order.descending {
            stretches.reverse();
        }
        for stretch in &stretches {
            if self.walk(&mut page, order, stretch)? == Walk::Full {
                break;
            }
        }
        Ok(page.finish())
    }

    /// The values of an index that the query's filters leave.
    pub(super) fn stretches(&self, index: usize) -> Vec<Stretch> {
        let condition = self
            .conditions
            .iter()
            .find(|condition| condition.index == index);
        condition.map_or_else(
            || vec![Stretch::all()],
            |condition| condition.stretches.clone(),
        )
    }

    fn walk(
        &self,
        page: &mut Collecting,
        order: OrderKey,
        stretch: &Stretch,
    ) -> Result<Walk, ReadError> {
        let Some((sql, values)) = self.entries(order, stretch)? else {
            return Ok(Walk::On);
        };
        let mut statement = self.snapshot.db.prepare_cached(&sql).map_err(unavailable)?;
        let bound = values
            .iter()
            .map(|value| value as &dyn ToSql)
            .collect::<Vec<_>>();
        let mut found = statement.query(bound.as_slice()).map_err(unavailable)?;
        let mut previous = None;
        while let Some(row) = found.next().map_err(unavailable)? {
            let candidate = Candidate {
                value: row.get(0).map_err(unavailable)?,
                key: rows::key(row, 1, &self.query.collection).map_err(unavailable)?,
            };
            let met = (candidate.value.clone(), candidate.key.clone());
            if previous.replace(met.clone()) == Some(met) {
                continue;
            }
            if self.meet(page, order.index, candidate)? == Walk::Full {
                return Ok(Walk::Full);
            }
        }
        Ok(Walk::On)
    }

    fn meet(
        &self,
        page: &mut Collecting,
        index: usize,
        candidate: Candidate,
    ) -> Result<Walk, ReadError> {
        let Candidate { value, key } = candidate;
        let cursor = || Cursor {
            values: vec![value.clone()],
            parent: key.parent.clone(),
            id: key.id.clone(),
        };
        let row = match self.newest_row(&key)? {
            Some(newest) if self.in_scope(&key.parent) => self.row_then(newest)?,
            _ => None,
        };
        let Some(row) = row else {
            return Ok(page.pass(cursor));
        };
        if !self.had(row, index, &value)? || !self.passes(row, Some(index))? {
            return Ok(page.pass(cursor));
        }
        match self.version(&key, row)? {
            Some(version) if !version.is_deleted() => {
                let values = vec![value.clone()];
                Ok(page.take(self, key.clone(), version, values))
            }
            _ => Ok(page.pass(cursor)),
        }
    }

    /// Whether a row's version had this value: the index of now says so only for now.
    fn had(&self, row: i64, index: usize, value: &[u8]) -> Result<bool, ReadError> {
        if self.at.is_none() {
            return Ok(true);
        }
        Ok(self.values(row)?.get(index).is_some_and(|had| had == value))
    }

    pub(super) fn in_scope(&self, parent: &ParentPath) -> bool {
        self.query.scope.contains(parent)
    }

    /// The newest row of a resource; of a live one where now is asked for.
    fn newest_row(&self, key: &ResourceKey) -> Result<Option<i64>, ReadError> {
        use rusqlite::{OptionalExtension, params};
        let live = if self.at.is_none() {
            "= 1"
        } else {
            "IN (0, 1)"
        };
        self.snapshot
            .db
            .prepare_cached(&format!("SELECT row FROM keys WHERE collection = ?1 AND live {live} AND parent = ?2 AND id = ?3"))
            .and_then(|mut statement| {
                let key = params![self.collection.collection, key.parent.as_str(), key.id.as_str()];
                statement.query_row(key, |row| row.get(0)).optional()
            })
            .map_err(unavailable)
    }

    /// The statement that walks a stretch from the cursor on; `None` where the cursor is past it.
    fn entries(
        &self,
        order: OrderKey,
        stretch: &Stretch,
    ) -> Result<Option<(String, Vec<Value>)>, ReadError> {
        let Some(index) = self.collection.indexes.get(order.index) else {
            return Ok(None);
        };
        let (start, after, direction) = if order.descending {
            ("value < ?3", "<", "DESC")
        } else {
            ("value >= ?2", ">", "ASC")
        };
        let mut values = vec![
            Value::Integer(index.index_id),
            Value::Blob(stretch.start.clone()),
            Value::Blob(stretch.end.clone()),
        ];
        let mut condition = format!("index_id = ?1 AND {start} AND value >= ?2 AND value < ?3");
        if let (Scope::Of(parent), true) = (self.scope(), stretch.is_point) {
            // With the value fixed, the parent's resources lie together.
            condition =
                "index_id = ?1 AND value = ?2 AND parent = ?4 AND ?3 IS NOT NULL".to_owned();
            values.push(Value::Text(parent.as_str().to_owned()));
        } else {
            values.push(Value::Null);
        }
        if let Some(cursor) = &self.query.after {
            let [value] = cursor.values.as_slice() else {
                return Err(ReadError::MalformedCursor);
            };
            let is_past = if order.descending {
                *value < stretch.start
            } else {
                *value >= stretch.end
            };
            if is_past {
                return Ok(None);
            }
            condition.push_str(&format!(" AND (value, parent, id) {after} (?5, ?6, ?7)"));
            values.push(Value::Blob(value.clone()));
            values.push(Value::Text(cursor.parent.as_str().to_owned()));
            values.push(Value::Text(cursor.id.as_str().to_owned()));
        }
        // Every parameter must be named for it to be bound.
        condition.push_str(" AND (?4 IS NULL OR 1)");
        Ok(Some((self.walk_sql(&condition, direction), values)))
    }

    fn walk_sql(&self, condition: &str, direction: &str) -> String {
        let order = format!("ORDER BY value {direction}, parent {direction}, id {direction}");
        match self.at {
            None => format!("SELECT value, parent, id FROM entries WHERE {condition} {order}"),
            Some(at) => format!(
                "SELECT value, parent, id FROM entries WHERE {condition}
                 UNION ALL SELECT value, parent, id FROM past WHERE {condition} AND superseded > {at} {order}"
            ),
        }
    }
}
