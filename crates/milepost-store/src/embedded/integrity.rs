//! Whether a store is whole: the pages of its database, and what its tables say of each other.

use std::path::Path;

use rusqlite::Connection;

use super::{cause, connection, copies, digests, schema};
use crate::MaintenanceError;

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Integrity {
    /// How many resources there are.
    pub resources: u64,
    /// How many versions are kept, tombstones included.
    pub versions: u64,
    /// What is wrong, in words; empty where nothing is.
    pub faults: Vec<String>,
}

/// What must hold between the tables: a sentence for when it doesn't, and a count of where it doesn't.
const RULES: &[(&str, &str)] = &[
    (
        "keys point at versions that are not there",
        "SELECT count(*) FROM keys k LEFT JOIN versions v ON v.row = k.row WHERE v.row IS NULL",
    ),
    (
        "keys point at another resource's version",
        "SELECT count(*) FROM keys k JOIN versions v ON v.row = k.row WHERE v.collection <> k.collection OR v.parent <> k.parent OR v.id <> k.id",
    ),
    (
        "live keys point at tombstones, or others at representations",
        "SELECT count(*) FROM keys k JOIN versions v ON v.row = k.row WHERE k.live <> (v.body IS NOT NULL)",
    ),
    (
        "versions are missing from the log",
        "SELECT count(*) FROM versions v LEFT JOIN log l ON l.collection = v.collection AND l.row = v.row WHERE l.row IS NULL",
    ),
    (
        // What was forgotten goes from the log later: see `writer::trim`.
        "the log names versions that are not there",
        "SELECT count(*) FROM log l LEFT JOIN versions v ON v.row = l.row
         WHERE v.row IS NULL AND l.row NOT IN
             (SELECT m.replaced FROM collections c JOIN log m ON m.collection = c.collection
              WHERE m.row > c.log_cursor AND m.row <= c.history_cursor AND m.replaced IS NOT NULL)",
    ),
    (
        "newest versions were replaced by others",
        "SELECT count(*) FROM keys WHERE row IN (SELECT replaced FROM log WHERE replaced IS NOT NULL)",
    ),
    (
        "the log says of versions that they replaced other ones than they did",
        "SELECT count(*) FROM versions v JOIN log l ON l.collection = v.collection AND l.row = v.row WHERE l.replaced IS NOT v.replaced",
    ),
    (
        "collections count their resources wrongly",
        "SELECT count(*) FROM collections c WHERE c.live <> (SELECT count(*) FROM keys k WHERE k.collection = c.collection AND k.live = 1)",
    ),
    (
        "complete indexes lack resources, or have some twice",
        "SELECT count(*) FROM indexes i WHERE i.state = 1 AND i.name <> '' AND (SELECT count(*) FROM entries e WHERE e.index_id = i.index_id) <> (SELECT count(*) FROM keys k WHERE k.collection = i.collection AND k.live = 1)",
    ),
];

/// Checks the store in `directory`, also while it is in use.
///
/// # Errors
/// [`MaintenanceError`] where there is no store to check.
pub fn check(directory: impl AsRef<Path>) -> Result<Integrity, MaintenanceError> {
    let path = copies::existing(directory.as_ref())?;
    let db = connection::reader(&path).map_err(cause)?;
    schema::require_current(&db, &path)?;
    // One view for all questions, so that a writer at work is no fault.
    let view = db.unchecked_transaction().map_err(cause)?;
    let count = |sql: &str| {
        view.query_row(sql, [], |row| row.get::<_, i64>(0))
            .map_err(cause)
    };
    let mut faults = page_faults(&view).map_err(cause)?;
    if faults.is_empty() {
        for (sentence, sql) in RULES {
            let found = count(sql)?;
            if found > 0 {
                faults.push(format!("{found} times: {sentence}"));
            }
        }
        let wrong = digests::wrong(&view).map_err(cause)?;
        if wrong > 0 {
            faults.push(format!(
                "{wrong} times: a collection's digest is not that of its resources"
            ));
        }
    }
    let resources = count("SELECT count(*) FROM keys WHERE live = 1")?;
    let versions = count("SELECT count(*) FROM versions")?;
    Ok(Integrity {
        resources: super::rows::unsigned(resources),
        versions: super::rows::unsigned(versions),
        faults,
    })
}

fn page_faults(db: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = db.prepare("PRAGMA integrity_check")?;
    let found = statement
        .query_map([], |row| row.get::<_, String>(0))?
        .collect::<rusqlite::Result<Vec<_>>>()?;
    Ok(found.into_iter().filter(|line| line != "ok").collect())
}
