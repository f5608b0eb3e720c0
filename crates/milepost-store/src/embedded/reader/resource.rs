//! Questions about one resource, or about what a collection remembers.

use std::sync::Arc;

use milepost_semantics::Position;
use rusqlite::{Connection, OptionalExtension, params};

use super::{
    super::{Shared, cache::Stamp, rows},
    snapshot::{Remembered, Snapshot},
    unavailable,
};
use crate::{CollectionPath, CollectionState, ReadError, ResourceKey, Version, VersionPage};

/// The newest version, which the cache did not have.
pub(in crate::embedded) fn resource(
    db: &Connection,
    shared: &Shared,
    key: &ResourceKey,
    stamp: Stamp,
) -> Result<Option<Version>, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let Some(collection) = snapshot.collection(&key.collection) else {
        return Ok(None);
    };
    let newest = snapshot.newest(&collection, key)?;
    if let Some(cached) = &newest {
        shared.cache.offer(key, stamp, cached.clone());
    }
    Ok(newest.map(|cached| cached.version))
}

/// The version as of a position.
pub(in crate::embedded) fn resource_at(
    db: &Connection,
    shared: &Shared,
    key: &ResourceKey,
    at: Position,
) -> Result<Option<Version>, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let Some(collection) = snapshot.collection(&key.collection) else {
        return Ok(None);
    };
    let remembered = snapshot.remembered(&collection)?;
    let sequence = snapshot.sequence_at(&remembered, at)?;
    match snapshot.newest(&collection, key)? {
        Some(newest) => snapshot.version_at(newest.row, sequence),
        None => Ok(None),
    }
}

/// The version that the write at exactly a position made.
pub(in crate::embedded) fn version(
    db: &Connection,
    shared: &Shared,
    key: &ResourceKey,
    position: Position,
) -> Result<Option<Version>, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let Some(collection) = snapshot.collection(&key.collection) else {
        return Ok(None);
    };
    let remembered = snapshot.remembered(&collection)?;
    let Some(sequence) = snapshot.known(&remembered, position) else {
        return Err(expired(shared, &remembered));
    };
    snapshot
        .db
        .prepare_cached(
            "SELECT v.row, v.replaced, v.modified, v.body FROM versions v
             WHERE v.row BETWEEN ?1 AND ?2 AND v.collection = ?3 AND v.parent = ?4 AND v.id = ?5",
        )
        .and_then(|mut statement| {
            let (first, last) = (rows::row_number(sequence, 0), rows::last_row_of(sequence));
            let asked = params![
                first,
                last,
                collection.collection,
                key.parent.as_str(),
                key.id.as_str()
            ];
            statement
                .query_row(asked, |row| rows::version(row, 0, &shared.lineage))
                .optional()
        })
        .map_err(unavailable)
}

/// A page of retained versions, newest first.
pub(in crate::embedded) fn versions(
    db: &Connection,
    shared: &Shared,
    key: &ResourceKey,
    before: Option<Position>,
    limit: usize,
) -> Result<VersionPage, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let mut page = VersionPage {
        versions: Vec::new(),
        before: None,
    };
    let Some(collection) = snapshot.collection(&key.collection) else {
        return Ok(page);
    };
    let remembered = snapshot.remembered(&collection)?;
    let mut next = snapshot.newest(&collection, key)?.map(|newest| newest.row);
    if let (Some(before), Some(newest)) = (before, next) {
        let Some(sequence) = snapshot.known(&remembered, before) else {
            return Err(expired(shared, &remembered));
        };
        next = match sequence.checked_sub(1) {
            Some(sequence) => snapshot.row_at(newest, sequence)?,
            None => None,
        };
    }
    while let Some(row) = next {
        let Some(cached) = snapshot.row(row)? else {
            break;
        };
        if page.versions.len() >= limit.max(1) {
            page.before = page.versions.last().map(|version| version.position);
            break;
        }
        next = replaced_row(&snapshot, row)?;
        page.versions.push(cached.version);
    }
    Ok(page)
}

fn expired(shared: &Shared, remembered: &Remembered) -> ReadError {
    let oldest = shared.lineage.position(remembered.counters.history_floor);
    ReadError::Expired { oldest }
}

fn replaced_row(snapshot: &Snapshot<'_>, row: i64) -> Result<Option<i64>, ReadError> {
    snapshot
        .db
        .prepare_cached("SELECT replaced FROM versions WHERE row = ?1")
        .and_then(|mut statement| statement.query_row([row], |row| row.get(0)))
        .map_err(unavailable)
}

/// What is remembered of a collection. Asks no disk: this is what every "any news?" comes down to.
pub(in crate::embedded) fn collection(
    shared: &Shared,
    path: &CollectionPath,
) -> Option<CollectionState> {
    let catalog = shared.catalog();
    let collection = catalog.of(path)?;
    let definition = match &collection.definition {
        Some(definition) => Arc::clone(definition),
        None if path.is_reserved() => Arc::default(),
        None => return None,
    };
    let position = |sequence| shared.lineage.position(sequence);
    // Floors before the head: a floor that rises meanwhile must not pass the head that is told.
    let (history, tombstones) = (
        collection.marks.history_floor(),
        collection.marks.tombstone_floor(),
    );
    Some(CollectionState {
        definition,
        defined_at: position(collection.defined_at),
        head: position(collection.marks.head()),
        oldest_snapshot: position(history),
        oldest_change: position(tombstones),
    })
}
