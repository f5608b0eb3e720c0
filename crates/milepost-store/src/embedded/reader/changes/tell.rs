//! What a version is to whoever follows: a new state, something to forget, or nothing.
//!
//! A filter hides what does not pass it, but not that something left: whoever held an earlier version
//! that passed must forget it. What stood at `since` says so. Where that was forgotten already, every
//! change of a resource that was there before is told as leaving: forgetting what was never held is
//! harmless, and no leaver is missed.

use rusqlite::{OptionalExtension, Row};

use super::{
    Telling,
    scan::{Entry, Told},
    subject::{One, Subject},
};
use crate::{
    Changed, CollectionPath, ReadError, Version,
    embedded::{
        reader::unavailable,
        rows::{self, sequence_of},
        values::values_in,
    },
};

/// What is read of a version.
pub(super) const COLUMNS: &str = "row, replaced, modified, body, parent, id, fields";

/// An earlier version of a resource.
struct Earlier {
    row: i64,
    replaced: Option<i64>,
    passes: bool,
}

impl Telling<'_, '_> {
    pub(super) fn tell(&self, entry: &Entry, row: &Row<'_>) -> Result<Told, ReadError> {
        match &self.subject {
            Subject::Every(every) => match every.collections.get(&entry.collection) {
                Some(described) => self.show(&described.path, row),
                None => Ok(Told::Hidden),
            },
            Subject::One(one) => self.tell_of(one, row),
        }
    }

    fn tell_of(&self, one: &One<'_>, row: &Row<'_>) -> Result<Told, ReadError> {
        let told = self.show(&one.collection.path, row)?;
        let Told::Shown(changed) = told else {
            return Ok(told);
        };
        if !one.scope.contains(&changed.key.parent) {
            return Ok(Told::Hidden);
        }
        if one.conditions.is_empty() || passes(one, row, 6, 3).map_err(unavailable)? {
            return Ok(Told::Shown(changed));
        }
        let (number, replaced) = (row.get(0), row.get(1));
        let (number, replaced) = (number.map_err(unavailable)?, replaced.map_err(unavailable)?);
        if !self.was_held(one, number, replaced)? {
            return Ok(Told::Hidden);
        }
        let version = Version {
            body: None,
            ..changed.version
        };
        Ok(Told::Shown(Changed { version, ..changed }))
    }

    fn show(&self, collection: &CollectionPath, row: &Row<'_>) -> Result<Told, ReadError> {
        let version = rows::version(row, 0, &self.snapshot.shared.lineage).map_err(unavailable)?;
        let key = rows::key(row, 4, collection).map_err(unavailable)?;
        Ok(Told::Shown(Changed { key, version }))
    }

    /// Whether whoever follows holds, or may hold, an earlier version: the one that stood at `since`;
    /// where every version is told, the one just before.
    fn was_held(
        &self,
        one: &One<'_>,
        mut row: i64,
        mut replaced: Option<i64>,
    ) -> Result<bool, ReadError> {
        let history_floor = self.subject.floors().history;
        while let Some(before) = replaced {
            if sequence_of(row) <= history_floor {
                return Ok(true);
            }
            let Some(earlier) = self.earlier(one, before)? else {
                return Ok(true);
            };
            if self.query.versions || sequence_of(earlier.row) <= self.since {
                return Ok(earlier.passes);
            }
            (row, replaced) = (earlier.row, earlier.replaced);
        }
        Ok(false)
    }

    fn earlier(&self, one: &One<'_>, row: i64) -> Result<Option<Earlier>, ReadError> {
        self.snapshot
            .db
            .prepare_cached("SELECT row, replaced, fields, body FROM versions WHERE row = ?1")
            .and_then(|mut statement| {
                let earlier = |found: &Row<'_>| {
                    Ok(Earlier {
                        row: found.get(0)?,
                        replaced: found.get(1)?,
                        passes: passes(one, found, 2, 3)?,
                    })
                };
                statement.query_row([row], earlier).optional()
            })
            .map_err(unavailable)
    }
}

/// Whether a version, by its columns `fields` and `body`, passes every filter. A tombstone does not.
fn passes(one: &One<'_>, row: &Row<'_>, fields: usize, body: usize) -> rusqlite::Result<bool> {
    let Some(body) = row.get_ref(body)?.as_blob_or_null()? else {
        return Ok(false);
    };
    let values = values_in(
        &one.collection,
        row.get_ref(fields)?.as_blob_or_null()?,
        body,
    );
    Ok(one
        .conditions
        .iter()
        .all(|condition| condition.passes(&values)))
}
