//! Walking a collection by (parent, id).

use rusqlite::{ToSql, types::Value};

use super::{
    Listing,
    collect::{Collected, Collecting, Walk},
};
use crate::{
    Cursor, ReadError, ResourceKey, Scope,
    embedded::{reader::unavailable, rows},
};

/// Sorts after every parent path.
const AFTER_ALL: &str = "\u{10ffff}";

impl Listing<'_, '_> {
    pub(super) fn by_key(&self) -> Result<Collected, ReadError> {
        let mut page = Collecting::with_capacity(self.query.limit.items);
        let after = self.query.after.as_ref();
        if after.is_some_and(|cursor| !cursor.values.is_empty()) {
            return Err(ReadError::MalformedCursor);
        }
        let (range, values) = self.key_range();
        let sql = match self.at {
            None => format!("SELECT parent, id, row FROM keys WHERE collection = ?1 AND live = 1 AND {range} ORDER BY parent, id"),
            // Resources that are gone by now may have been there then.
            Some(_) => format!(
                "SELECT parent, id, row FROM keys WHERE collection = ?1 AND live = 1 AND {range}
                 UNION ALL SELECT parent, id, row FROM keys WHERE collection = ?1 AND live = 0 AND {range}
                 ORDER BY parent, id"
            ),
        };
        let mut statement = self.snapshot.db.prepare_cached(&sql).map_err(unavailable)?;
        let bound = values
            .iter()
            .map(|value| value as &dyn ToSql)
            .collect::<Vec<_>>();
        let mut found = statement.query(bound.as_slice()).map_err(unavailable)?;
        while let Some(row) = found.next().map_err(unavailable)? {
            let key = rows::key(row, 0, &self.query.collection).map_err(unavailable)?;
            let newest: i64 = row.get(2).map_err(unavailable)?;
            if self.visit(&mut page, key, newest)? == Walk::Full {
                break;
            }
        }
        Ok(page.finish())
    }

    fn visit(
        &self,
        page: &mut Collecting,
        key: ResourceKey,
        newest: i64,
    ) -> Result<Walk, ReadError> {
        let pass = |page: &mut Collecting, key: &ResourceKey| page.pass(|| cursor(key));
        let Some(row) = self.row_then(newest)? else {
            return Ok(pass(page, &key));
        };
        if !self.passes(row, None)? {
            return Ok(pass(page, &key));
        }
        match self.version(&key, row)? {
            Some(version) if !version.is_deleted() => Ok(page.take(self, key, version, Vec::new())),
            _ => Ok(pass(page, &key)),
        }
    }

    /// The row that stood then, given the newest one.
    pub(super) fn row_then(&self, newest: i64) -> Result<Option<i64>, ReadError> {
        match self.at {
            None => Ok(Some(newest)),
            Some(at) => self.snapshot.row_at(newest, at),
        }
    }

    /// A condition on parent and id that holds for what is in scope and after the cursor.
    fn key_range(&self) -> (&'static str, Vec<Value>) {
        let collection = Value::Integer(self.collection.collection);
        let text = |text: &str| Value::Text(text.to_owned());
        let after = self.query.after.as_ref();
        match self.scope() {
            Scope::Of(parent) => {
                let id = after.map_or("", |cursor| cursor.id.as_str());
                (
                    "parent = ?2 AND id > ?3",
                    vec![collection, text(parent.as_str()), text(id)],
                )
            }
            Scope::Below(parent) => {
                let (first, end) = below(parent.as_str());
                let (parent, id) = after.map_or((first.as_str(), ""), |cursor| {
                    (cursor.parent.as_str(), cursor.id.as_str())
                });
                (
                    "(parent, id) > (?2, ?3) AND parent < ?4",
                    vec![collection, text(parent), text(id), text(&end)],
                )
            }
        }
    }

    /// The scope, with a path that leaves nothing open said as the one parent it is.
    pub(super) fn scope(&self) -> Scope {
        let scope = &self.query.scope;
        match scope {
            Scope::Below(parent) if parent.ids().count() + 1 == self.query.collection.depth() => {
                Scope::Of(parent.clone())
            }
            _ => scope.clone(),
        }
    }
}

/// The stretch of parent paths that lie below one.
fn below(parent: &str) -> (String, String) {
    if parent.is_empty() {
        return (String::new(), AFTER_ALL.to_owned());
    }
    // The zero follows the slash in ASCII.
    (format!("{parent}/"), format!("{parent}0"))
}

fn cursor(key: &ResourceKey) -> Cursor {
    Cursor {
        values: Vec::new(),
        parent: key.parent.clone(),
        id: key.id.clone(),
    }
}
