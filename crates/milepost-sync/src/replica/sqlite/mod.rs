//! A replica in an SQLite file: a table for each collection, documents and bookmark in one transaction.
//!
//! ```sql
//! SELECT id, value ->> '$.owner' FROM accounts;
//! UPDATE accounts SET value = json_set(value, '$.owner', 'ada') WHERE id = '17';
//! ```
//!
//! The columns are `id`, `value` (the representation, byte for byte, as text) and `etag`; `generation` is
//! the replica's own. Any program may read and edit while a follower runs. Triggers keep what an edited
//! document was, in `milepost_edits`; deleting a row there while the document stands takes its edit for
//! the server's word, so edit the collection's table instead. Conflicts that nobody has settled stand in
//! `milepost_conflicts`, and deleting one there says that the document now is as it should be.
//!
//! Who follows everything has one table, [`EVERYTHING_NAME`](crate::EVERYTHING_NAME), and a view for each
//! collection, which may be read and edited like a table of its own.
//!
//! The log is write-ahead and every commit is synced: what was applied survives a power cut.

mod apply;
mod edits;
mod outbox;
mod schema;
mod views;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params};

use self::schema::Found;
use super::{Applied, Edit, Editable, Held, Replica, ReplicaError, Version};
use crate::digest::SetDigest;
use crate::page::{Delivery, Key};
use crate::push::Conflict;
use crate::url::Url;

pub(super) use self::outbox::Outgoing;

/// How long to wait for somebody else's transaction.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// One collection's table in an SQLite file.
#[derive(Debug)]
pub struct SqliteReplica {
    connection: Connection,
    /// The file, for messages.
    path: String,
    /// The table.
    name: String,
    /// The table, quoted.
    table: String,
    /// Whether changed documents are noted for somebody who keeps files of them.
    keeps_outbox: bool,
}

impl SqliteReplica {
    /// Opens a file, or makes one, with a table `name` that follows `feed` (the collection's URL, with
    /// its filters; under another name of the server it is the same feed).
    ///
    /// # Errors
    /// When the file can't be used, belongs to another program or a newer version, or the table follows
    /// another URL.
    pub fn open(path: &Path, name: &str, feed: &Url) -> Result<Self, ReplicaError> {
        let shown = path.display().to_string();
        let connection = Connection::open(path).map_err(|error| database(&shown, error))?;
        Self::prepared(connection, shown, name, feed)
    }

    /// The same in memory, for tests.
    ///
    /// # Errors
    /// As [`SqliteReplica::open`].
    pub fn in_memory(name: &str, feed: &Url) -> Result<Self, ReplicaError> {
        let shown = "memory".to_owned();
        let connection = Connection::open_in_memory().map_err(|error| database(&shown, error))?;
        Self::prepared(connection, shown, name, feed)
    }

    fn prepared(
        mut connection: Connection,
        path: String,
        name: &str,
        feed: &Url,
    ) -> Result<Self, ReplicaError> {
        let failed = |error| database(&path, error);
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        match schema::prepare(&mut connection).map_err(failed)? {
            Found::Replica => {}
            Found::Format(format) => {
                let format = i64::from(format);
                return Err(ReplicaError::Format { path, format });
            }
            Found::Foreign => {
                let what = "is a database of something else".to_owned();
                return Err(ReplicaError::Occupied { path, what });
            }
        }
        connection
            .pragma_update(None, "journal_mode", "wal")
            .and_then(|()| connection.pragma_update(None, "synchronous", "full"))
            .map_err(failed)?;
        let is_shown = views::kind(&connection, name).map_err(failed)?;
        if is_shown.as_deref() == Some("view") {
            let what = format!("shows {name} as a part of everything already");
            return Err(ReplicaError::Occupied { path, what });
        }
        let empty = SetDigest::default().to_string();
        // Links are good under every name of the server, on every node: so is the copy.
        let url = feed.to_reference();
        let known = schema::prepare_feed(&mut connection, name, &url, &empty).map_err(failed)?;
        if known != url {
            let what = format!("keeps {name} of {known}, not of {url}");
            return Err(ReplicaError::Occupied { path, what });
        }
        Ok(Self {
            connection,
            path,
            name: name.to_owned(),
            table: schema::quoted(name),
            keeps_outbox: false,
        })
    }

    /// Takes back the table that opening made, where nothing was ever applied to it.
    pub(super) fn take_back(mut self) -> Result<(), ReplicaError> {
        let removed = schema::remove_unused(&mut self.connection, &self.name);
        removed.map_err(|error| self.failed(error))
    }

    /// Notes from now on which documents change, for a folder of files.
    pub(super) const fn keep_outbox(&mut self) {
        self.keeps_outbox = true;
    }

    /// Another feed that the file keeps.
    pub(super) fn other_feed(&self) -> Result<Option<String>, ReplicaError> {
        let sql = "SELECT name FROM milepost_feeds WHERE name <> ?1 LIMIT 1";
        self.connection
            .query_row(sql, [&self.name], |row| row.get(0))
            .optional()
            .map_err(|error| self.failed(error))
    }

    /// Every document as it stands here, local edits included, ordered by key.
    ///
    /// # Errors
    /// When the file can't be read, and whatever `visit` says.
    pub fn for_each(
        &self,
        visit: &mut dyn FnMut(&str, &str) -> Result<(), ReplicaError>,
    ) -> Result<(), ReplicaError> {
        let sql = format!("SELECT id, value FROM {} ORDER BY id", self.table);
        let mut statement = self.connection.prepare(&sql).map_err(|e| self.failed(e))?;
        let mut rows = statement.query([]).map_err(|e| self.failed(e))?;
        while let Some(row) = rows.next().map_err(|e| self.failed(e))? {
            let id: String = row.get(0).map_err(|e| self.failed(e))?;
            let value: String = row.get(1).map_err(|e| self.failed(e))?;
            visit(&id, &value)?;
        }
        Ok(())
    }

    fn failed(&self, error: rusqlite::Error) -> ReplicaError {
        database(&self.path, error)
    }
}

fn database(path: &str, error: rusqlite::Error) -> ReplicaError {
    ReplicaError::Database {
        path: path.to_owned(),
        source: Box::new(error),
    }
}

/// Reads an etag and a value that are there both or not at all.
fn version(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Option<Version>> {
    let (etag, value): (Option<String>, Option<String>) = (row.get(first)?, row.get(first + 1)?);
    Ok(etag.zip(value).map(|(etag, value)| Version { etag, value }))
}

impl Replica for SqliteReplica {
    fn held(&self) -> Result<Option<Held>, ReplicaError> {
        let sql = "SELECT bookmark, position, is_complete, digest FROM milepost_feeds
                   WHERE name = ?1 AND bookmark IS NOT NULL";
        let read = |row: &rusqlite::Row<'_>| {
            let (bookmark, position): (String, String) = (row.get(0)?, row.get(1)?);
            let digest: String = row.get(3)?;
            Ok((bookmark, position, row.get(2)?, digest))
        };
        let found = self
            .connection
            .query_row(sql, [&self.name], read)
            .optional()
            .map_err(|error| self.failed(error))?;
        let Some((bookmark, position, is_complete, digest)) = found else {
            return Ok(None);
        };
        // What can't be read back is no bookmark: begin anew.
        let held = position.parse().ok().zip(SetDigest::parse(&digest));
        Ok(held.map(|(position, digest)| Held {
            bookmark,
            position,
            is_complete,
            digest,
        }))
    }

    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError> {
        let (name, keeps_outbox) = (self.name.clone(), self.keeps_outbox);
        let path = self.path.clone();
        let applied = apply::apply(&mut self.connection, &name, keeps_outbox, delivery);
        applied.map_err(|error| database(&path, error))
    }

    fn forget(&mut self) -> Result<(), ReplicaError> {
        let sql = "UPDATE milepost_feeds SET bookmark = NULL WHERE name = ?1";
        self.connection
            .execute(sql, [&self.name])
            .map(drop)
            .map_err(|error| self.failed(error))
    }

    fn lookup(&self, key: &Key) -> Result<Option<Version>, ReplicaError> {
        let edited =
            "SELECT server_etag, server_value FROM milepost_edits WHERE feed = ?1 AND id = ?2";
        let found = self
            .connection
            .query_row(edited, params![self.name, key.as_str()], |row| {
                version(row, 0)
            })
            .optional()
            .map_err(|error| self.failed(error))?;
        if let Some(found) = found {
            return Ok(found);
        }
        let sql = format!("SELECT etag, value FROM {} WHERE id = ?1", self.table);
        let found = self
            .connection
            .query_row(&sql, [key.as_str()], |row| version(row, 0))
            .optional();
        Ok(found.map_err(|error| self.failed(error))?.flatten())
    }

    fn count(&self) -> Result<u64, ReplicaError> {
        let sql = format!("SELECT count(*) FROM {}", self.table);
        let count: i64 = self
            .connection
            .query_row(&sql, [], |row| row.get(0))
            .map_err(|error| self.failed(error))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }
}

impl Editable for SqliteReplica {
    fn edits(&mut self) -> Result<Vec<Edit>, ReplicaError> {
        let (name, keeps_outbox) = (self.name.clone(), self.keeps_outbox);
        let path = self.path.clone();
        apply::within(
            &mut self.connection,
            &name,
            keeps_outbox,
            edits::forget_taken_back,
        )
        .map_err(|error| database(&path, error))?;
        edits::pending(&self.connection, &self.name).map_err(|error| self.failed(error))
    }

    fn settle(&mut self, edit: &Edit, now: Option<&Version>) -> Result<(), ReplicaError> {
        let (name, keeps_outbox) = (self.name.clone(), self.keeps_outbox);
        let path = self.path.clone();
        edits::settle(&mut self.connection, &name, keeps_outbox, edit, now)
            .map_err(|error| database(&path, error))
    }

    fn set_aside(&mut self, conflict: &Conflict) -> Result<(), ReplicaError> {
        edits::set_aside(&mut self.connection, &self.name, conflict)
            .map_err(|error| database(&self.path, error))
    }
}
