//! The tables: one for each collection, and the follower's own beside it.
//!
//! A collection's table is the user's to read and to write: triggers record what a document was
//! before it was edited. Internal tables have an underscore in their names, which no collection has.

use rusqlite::{Connection, OptionalExtension as _, params};

/// "MPsy": says that an SQLite file is a replica.
const APPLICATION_ID: i32 = 0x4d50_7379;
/// The layout of the tables below.
const FORMAT: i32 = 1;

/// What a file is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A replica of a known format; made if it was empty.
    Replica,
    /// A replica of another format.
    Format(i32),
    /// Somebody else's database.
    Foreign,
}

const TABLES: &str = "
CREATE TABLE milepost_feeds (
    name        TEXT PRIMARY KEY,   -- the collection's table
    url         TEXT NOT NULL,      -- the collection, filters included: path and query
    bookmark    TEXT,               -- the link to go on from; absent: begin anew
    position    TEXT,
    is_complete INTEGER NOT NULL DEFAULT 0,
    digest      TEXT NOT NULL,
    generation  INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE milepost_edits (
    feed          TEXT NOT NULL,
    id            TEXT NOT NULL,
    base_etag     TEXT,             -- what was edited; absent: there was nothing
    base_value    TEXT,
    server_etag   TEXT,             -- what the feed told last; absent: there is nothing
    server_value  TEXT,
    generation    INTEGER,          -- the complete representation that told it
    is_sent       INTEGER NOT NULL DEFAULT 0, -- the base is what the server answered to an edit
    PRIMARY KEY (feed, id)
) STRICT;
CREATE TABLE milepost_conflicts (
    feed          TEXT NOT NULL,
    id            TEXT NOT NULL,
    base_value    TEXT,
    local_value   TEXT,
    server_etag   TEXT,
    server_value  TEXT,
    places        TEXT NOT NULL,    -- what both changed, as JSON pointers in a JSON array
    PRIMARY KEY (feed, id)
) STRICT;
-- One row while a delivery is applied, within its transaction: then the triggers hold still.
CREATE TABLE milepost_applying (yes INTEGER) STRICT;
-- Files that are not yet what the table says, and what they were: the folder replica's.
CREATE TABLE milepost_outbox (
    feed       TEXT NOT NULL,
    id         TEXT NOT NULL,
    was_etag   TEXT,
    was_value  TEXT,
    PRIMARY KEY (feed, id)
) STRICT;
";

/// Finds out what the file is, and makes an empty one a replica.
pub(super) fn prepare(connection: &mut Connection) -> rusqlite::Result<Found> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let pragma = |name: &str| -> rusqlite::Result<i32> {
        tx.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0))
    };
    let (application, format) = (pragma("application_id")?, pragma("user_version")?);
    let tables: i64 = tx.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let found = match (application, format, tables) {
        (APPLICATION_ID, FORMAT, _) => Found::Replica,
        (APPLICATION_ID, other, _) => Found::Format(other),
        (0, 0, 0) => {
            tx.execute_batch(TABLES)?;
            tx.pragma_update(None, "application_id", APPLICATION_ID)?;
            tx.pragma_update(None, "user_version", FORMAT)?;
            Found::Replica
        }
        _ => Found::Foreign,
    };
    tx.commit()?;
    Ok(found)
}

/// Makes a feed's table, unless it is there. The URL it follows, as the table remembers it.
pub(super) fn prepare_feed(
    connection: &mut Connection,
    name: &str,
    url: &str,
    digest: &str,
) -> rusqlite::Result<String> {
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let known: Option<String> = tx
        .query_row(
            "SELECT url FROM milepost_feeds WHERE name = ?1",
            [name],
            |row| row.get(0),
        )
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
    tx.execute_batch(&feed_tables(name))?;
    tx.execute(
        "INSERT INTO milepost_feeds (name, url, digest) VALUES (?1, ?2, ?3)",
        params![name, url, digest],
    )?;
    tx.commit()?;
    Ok(url.to_owned())
}

/// Removes a feed's table where nothing was ever applied to it and nobody put anything in.
pub(super) fn remove_unused(connection: &mut Connection, name: &str) -> rusqlite::Result<()> {
    let table = quoted(name);
    let tx = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let sql = format!(
        "SELECT count(*) FROM milepost_feeds WHERE name = ?1 AND bookmark IS NULL AND generation = 0
             AND NOT EXISTS (SELECT 1 FROM {table})
             AND NOT EXISTS (SELECT 1 FROM milepost_edits WHERE feed = ?1)"
    );
    let unused: i64 = tx.query_row(&sql, [name], |row| row.get(0))?;
    if unused > 0 {
        tx.execute_batch(&format!("DROP TABLE {table}"))?;
        tx.execute("DELETE FROM milepost_feeds WHERE name = ?1", [name])?;
    }
    tx.commit()
}

/// A name as SQL writes it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn feed_tables(name: &str) -> String {
    let table = quoted(name);
    let literal = format!("'{}'", name.replace('\'', "''"));
    let trigger = |suffix: &str| quoted(&format!("{name}_{suffix}"));
    let still = "NOT EXISTS (SELECT 1 FROM milepost_applying)";
    // No "OR IGNORE": a trigger takes over the conflict clause of the statement that fires it.
    let record = |id: &str, source: &str| {
        format!(
            "INSERT INTO milepost_edits
                 (feed, id, base_etag, base_value, server_etag, server_value, generation)
             SELECT {literal}, {id}, {source}
             WHERE NOT EXISTS
                 (SELECT 1 FROM milepost_edits e WHERE e.feed = {literal} AND e.id = {id});"
        )
    };
    let old = "OLD.etag, OLD.value, OLD.etag, OLD.value, OLD.generation";
    let replaced = format!(
        "t.etag, t.value, t.etag, t.value, t.generation
         FROM (SELECT 1) LEFT JOIN {table} t ON t.id = NEW.id"
    );
    format!(
        "CREATE TABLE {table} (
             id         TEXT PRIMARY KEY NOT NULL,
             value      TEXT NOT NULL,
             etag       TEXT,
             generation INTEGER NOT NULL DEFAULT -1
         ) STRICT;
         CREATE TRIGGER {updated} AFTER UPDATE OF value ON {table}
         WHEN {still} AND NEW.value IS NOT OLD.value BEGIN {on_old} END;
         CREATE TRIGGER {inserted} BEFORE INSERT ON {table}
         WHEN {still} BEGIN {on_new} END;
         CREATE TRIGGER {deleted} AFTER DELETE ON {table}
         WHEN {still} BEGIN {on_old} END;
         CREATE TRIGGER {renamed} BEFORE UPDATE OF id ON {table}
         WHEN {still} AND NEW.id IS NOT OLD.id BEGIN {on_old} {on_new} END;",
        updated = trigger("updated"),
        inserted = trigger("inserted"),
        deleted = trigger("deleted"),
        renamed = trigger("renamed"),
        on_old = record("OLD.id", old),
        on_new = record("NEW.id", &replaced),
    )
}
