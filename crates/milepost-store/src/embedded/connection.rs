//! How a database file is opened: the same settings everywhere.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, config::DbConfig};

/// Statements that a connection keeps compiled.
const STATEMENTS: usize = 128;
/// The page cache of the writer, in KiB.
const WRITER_CACHE_KIB: i64 = 64 * 1024;
/// The page cache of each reader, in KiB. Pages also lie in the operating system's cache.
const READER_CACHE_KIB: i64 = 8 * 1024;

/// The one connection that writes.
pub(super) fn writer(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "page_size", 4096)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    // Every commit is synced before it is acknowledged.
    db.pragma_update(None, "synchronous", "FULL")?;
    // Checkpoints are another thread's work: see `checkpoint`.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    common(&db)?;
    Ok(db)
}

/// A connection that only reads.
pub(super) fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags)?;
    db.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
    common(&db)?;
    Ok(db)
}

/// The connection that moves the write-ahead log into the database file.
pub(super) fn checkpointer(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    common(&db)?;
    Ok(db)
}

fn common(db: &Connection) -> rusqlite::Result<()> {
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // A statement is compiled once: its plan must not depend on the values that are bound.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}
