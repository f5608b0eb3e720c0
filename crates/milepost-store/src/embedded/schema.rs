//! The tables on disk, and the number of their format.
//!
//! * `versions`: every version of every resource, appended in commit order under an ever-growing
//!   key and never touched again: `row = sequence << 20 | place in the commit`.
//! * `keys`: the newest version of each resource, live ones apart from tombstones. Narrow.
//! * `log`: each collection's versions in commit order, and which each replaced. Narrow.
//! * `entries`: each declared index, of live resources' newest versions; `past`: values that a
//!   resource has left, and when. `text_N`: full-text search of the newest versions.
//! * `collections`, `indexes`, `incarnations`, `meta`: the store about itself. An index's number is
//!   never given to another: old versions keep the values that they had under it.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::{
    cause,
    rows::{sequence_of, unsigned},
};
use crate::MaintenanceError;

/// The format that this version writes, and the newest it reads.
pub(super) const FORMAT: u32 = 2;
/// "mile" in ASCII: marks an SQLite file as a Milepost store.
const APPLICATION_ID: i64 = 0x6d69_6c65;

const TABLES: &str = "
CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value NOT NULL
) WITHOUT ROWID;
CREATE TABLE incarnations (
    first_sequence INTEGER PRIMARY KEY,
    salt           INTEGER NOT NULL
);
CREATE TABLE collections (
    collection       INTEGER PRIMARY KEY,
    name             TEXT NOT NULL UNIQUE,
    live             INTEGER NOT NULL DEFAULT 0,
    history_floor    INTEGER NOT NULL DEFAULT 0,
    history_cursor   INTEGER NOT NULL DEFAULT 0,
    log_cursor       INTEGER NOT NULL DEFAULT 0,
    history_count    INTEGER NOT NULL DEFAULT 0,
    history_bytes    INTEGER NOT NULL DEFAULT 0,
    tombstone_floor  INTEGER NOT NULL DEFAULT 0,
    tombstone_cursor INTEGER NOT NULL DEFAULT 0,
    tombstone_count  INTEGER NOT NULL DEFAULT 0,
    digest           BLOB NOT NULL DEFAULT (zeroblob(32))
);
CREATE TABLE versions (
    row        INTEGER PRIMARY KEY,
    collection INTEGER NOT NULL,
    parent     TEXT NOT NULL,
    id         TEXT NOT NULL,
    replaced   INTEGER,
    modified   INTEGER NOT NULL,
    digest     BLOB,
    fields     BLOB,
    body       BLOB
);
CREATE TABLE log (
    collection INTEGER NOT NULL,
    row        INTEGER NOT NULL,
    deleted    INTEGER NOT NULL,
    replaced   INTEGER,
    PRIMARY KEY (collection, row)
) WITHOUT ROWID;
CREATE TABLE keys (
    collection INTEGER NOT NULL,
    live       INTEGER NOT NULL,
    parent     TEXT NOT NULL,
    id         TEXT NOT NULL,
    row        INTEGER NOT NULL,
    PRIMARY KEY (collection, live, parent, id)
) WITHOUT ROWID;
CREATE TABLE indexes (
    index_id      INTEGER PRIMARY KEY AUTOINCREMENT,
    collection    INTEGER NOT NULL,
    name          TEXT NOT NULL,
    pointer       TEXT NOT NULL,
    state         INTEGER NOT NULL,
    complete_from INTEGER NOT NULL,
    declared      INTEGER NOT NULL,
    cursor_parent TEXT NOT NULL DEFAULT '',
    cursor_id     TEXT NOT NULL DEFAULT ''
);
CREATE TABLE entries (
    index_id INTEGER NOT NULL,
    value    BLOB NOT NULL,
    parent   TEXT NOT NULL,
    id       TEXT NOT NULL,
    PRIMARY KEY (index_id, value, parent, id)
) WITHOUT ROWID;
CREATE TABLE past (
    index_id   INTEGER NOT NULL,
    value      BLOB NOT NULL,
    parent     TEXT NOT NULL,
    id         TEXT NOT NULL,
    superseded INTEGER NOT NULL,
    PRIMARY KEY (index_id, value, parent, id, superseded)
) WITHOUT ROWID;
";

/// What a database file turned out to be.
pub(super) enum Found {
    /// Nothing yet.
    Empty,
    /// A store of the current format.
    Store,
    /// A store of an earlier format, which [`upgrade`] brings to the current one.
    Older(u32),
}

/// Finds out what a database file is.
pub(super) fn inspect(db: &Connection, path: &str) -> Result<Found, MaintenanceError> {
    let pragma = |name: &str| {
        db.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0))
            .map_err(cause)
    };
    if pragma("schema_version")? == 0 {
        return Ok(Found::Empty);
    }
    if pragma("application_id")? != APPLICATION_ID {
        return Err(MaintenanceError::NotAStore {
            path: path.to_owned(),
        });
    }
    let found = u32::try_from(pragma("user_version")?).unwrap_or(u32::MAX);
    if found > FORMAT {
        return Err(MaintenanceError::NewerFormat {
            found,
            supported: FORMAT,
        });
    }
    Ok(if found < FORMAT {
        Found::Older(found)
    } else {
        Found::Store
    })
}

/// Whether a database file is a store of the current format.
pub(super) fn require_current(db: &Connection, path: &Path) -> Result<(), MaintenanceError> {
    let path = path.display().to_string();
    match inspect(db, &path)? {
        Found::Store => Ok(()),
        Found::Older(found) => Err(MaintenanceError::OlderFormat {
            found,
            expected: FORMAT,
        }),
        Found::Empty => Err(MaintenanceError::NotAStore { path }),
    }
}

/// Brings a store of format 1 to the current one: its log said of each version when it was replaced,
/// now it says which one it replaced. Within a transaction of the caller's.
pub(super) fn upgrade(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "ALTER TABLE log RENAME COLUMN superseded TO replaced;
         UPDATE log SET replaced = (SELECT v.replaced FROM versions v WHERE v.row = log.row);
         ALTER TABLE collections ADD COLUMN log_cursor INTEGER NOT NULL DEFAULT 0;
         UPDATE collections SET log_cursor = history_cursor;
         PRAGMA user_version = {FORMAT};"
    ))
}

/// Makes the tables in an empty database, within a transaction of the caller's: a store that was cut
/// off while it was being made must be found empty, not half made.
pub(super) fn create(db: &Connection) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "{TABLES} PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT};"
    ))
}

/// Makes the table of a text index.
pub(super) fn create_text(db: &Connection, index_id: i64) -> rusqlite::Result<()> {
    db.execute_batch(&format!(
        "CREATE VIRTUAL TABLE text_{index_id} USING fts5(words, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')"
    ))
}

/// The sequence of the newest commit: that of the newest row, or, where that was forgotten, the one
/// that was kept for it.
pub(super) fn head(db: &Connection) -> rusqlite::Result<u64> {
    let newest: Option<i64> =
        db.query_row("SELECT max(row) FROM versions", [], |row| row.get(0))?;
    let kept: Option<i64> = meta(db, "head")?;
    Ok(newest.map_or(0, sequence_of).max(kept.map_or(0, unsigned)))
}

/// Reads a value that the store keeps about itself.
pub(super) fn meta<T: rusqlite::types::FromSql>(
    db: &Connection,
    name: &str,
) -> rusqlite::Result<Option<T>> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
        row.get(0)
    })
    .optional()
}

/// Keeps a value about the store itself.
pub(super) fn set_meta(
    db: &Connection,
    name: &str,
    value: impl rusqlite::ToSql,
) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO meta VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = excluded.value",
        params![name, value],
    )
    .map(|_| ())
}
