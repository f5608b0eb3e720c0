//! Which files of a folder replica are not yet what the table says.
//!
//! Noted in the transaction that changes the table, and crossed off when the file is durable. So a
//! crash in between is made good by writing the files again, and what the file was before is known: a
//! file that is neither that nor what it should be was edited meanwhile.

use rusqlite::params;

use super::SqliteReplica;
use super::apply::{self, Tables};
use super::version;
use crate::replica::{ReplicaError, Version};

/// A file that has to follow the table.
#[derive(Clone, Debug)]
pub(in crate::replica) struct Outgoing {
    /// Which document.
    pub(in crate::replica) id: String,
    /// What the file was; `None`: there was none.
    pub(in crate::replica) was: Option<Version>,
    /// What it has to be; `None`: there has to be none.
    pub(in crate::replica) value: Option<String>,
}

impl Tables<'_> {
    /// Notes that the document is about to become `value`.
    pub(super) fn note(&self, id: &str, value: Option<&str>) -> rusqlite::Result<()> {
        if !self.keeps_outbox {
            return Ok(());
        }
        let row = self.row(id)?;
        if row.as_ref().map(|row| row.value.as_str()) == value {
            return Ok(());
        }
        let sql = "INSERT INTO milepost_outbox (feed, id, was_etag, was_value)
                   VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        let (etag, value) = row.map(|row| (row.etag, row.value)).unzip();
        let etag = etag.flatten();
        self.tx
            .prepare_cached(sql)?
            .execute(params![self.name, id, etag, value])?;
        Ok(())
    }
}

impl SqliteReplica {
    /// The next files to write, ordered by key; at most this many.
    pub(in crate::replica) fn outgoing(&self, most: usize) -> Result<Vec<Outgoing>, ReplicaError> {
        let sql = format!(
            "SELECT o.id, coalesce(o.was_etag, ''), o.was_value, t.value FROM milepost_outbox o
             LEFT JOIN {} t ON t.id = o.id WHERE o.feed = ?1 ORDER BY o.id LIMIT ?2",
            self.table
        );
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let read = || -> rusqlite::Result<Vec<Outgoing>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let rows = statement.query_map(params![self.name, most], |row| {
                Ok(Outgoing {
                    id: row.get(0)?,
                    was: version(row, 1)?,
                    value: row.get(3)?,
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| self.failed(error))
    }

    /// Crosses off files that are durable.
    pub(in crate::replica) fn delivered(&mut self, files: &[Outgoing]) -> Result<(), ReplicaError> {
        let name = self.name.clone();
        let cross_off = |tables: &Tables<'_>| {
            let sql = "DELETE FROM milepost_outbox WHERE feed = ?1 AND id = ?2";
            let mut statement = tables.tx.prepare_cached(sql)?;
            for file in files {
                statement.execute(params![tables.name, file.id])?;
            }
            Ok(())
        };
        let result = apply::within(&mut self.connection, &name, true, cross_off);
        result.map_err(|error| self.failed(error))
    }

    /// What the document is here.
    pub(in crate::replica) fn local(&self, id: &str) -> Result<Option<String>, ReplicaError> {
        let sql = format!("SELECT value FROM {} WHERE id = ?1", self.table);
        let read = || -> rusqlite::Result<Option<String>> {
            let mut statement = self.connection.prepare_cached(&sql)?;
            let mut rows = statement.query([id])?;
            rows.next()?.map(|row| row.get(0)).transpose()
        };
        read().map_err(|error| self.failed(error))
    }

    /// Takes in an edit that somebody made in a file. `value` is what the file is; `None`: it is gone.
    pub(in crate::replica) fn edit(
        &self,
        id: &str,
        value: Option<&str>,
    ) -> Result<(), ReplicaError> {
        let table = &self.table;
        let done = match value {
            Some(value) => self.connection.execute(
                &format!(
                    "INSERT INTO {table} (id, value) VALUES (?1, ?2)
                     ON CONFLICT (id) DO UPDATE SET value = excluded.value"
                ),
                params![id, value],
            ),
            None => self
                .connection
                .execute(&format!("DELETE FROM {table} WHERE id = ?1"), [id]),
        };
        done.map(drop).map_err(|error| self.failed(error))
    }

    /// Takes in an edit of a file that was still what it had been before the last delivery.
    pub(in crate::replica) fn edit_of_old(
        &mut self,
        file: &Outgoing,
        value: Option<&str>,
    ) -> Result<(), ReplicaError> {
        let name = self.name.clone();
        let act = |tables: &Tables<'_>| {
            let row = tables.row(&file.id)?;
            let is_edited = tables.edited(&file.id)?.is_some();
            if !is_edited {
                let sql = "INSERT INTO milepost_edits
                    (feed, id, base_etag, base_value, server_etag, server_value, generation)
                    SELECT ?1, ?2, ?3, ?4, ?5, ?6, generation FROM milepost_feeds WHERE name = ?1";
                let was = file.was.as_ref().filter(|was| !was.etag.is_empty());
                let (etag, text) = (was.map(|was| &was.etag), was.map(|was| &was.value));
                let (new_etag, new_text) = row.map(|row| (row.etag, row.value)).unzip();
                tables.tx.execute(
                    sql,
                    params![
                        tables.name,
                        file.id,
                        etag,
                        text,
                        new_etag.flatten(),
                        new_text
                    ],
                )?;
            }
            let sql = format!("DELETE FROM {} WHERE id = ?1", tables.table);
            tables.tx.execute(&sql, [&file.id])?;
            if let Some(value) = value {
                let sql = format!("INSERT INTO {} (id, value) VALUES (?1, ?2)", tables.table);
                tables.tx.execute(&sql, params![file.id, value])?;
            }
            Ok(())
        };
        let result = apply::within(&mut self.connection, &name, false, act);
        result.map_err(|error| self.failed(error))
    }
}

impl SqliteReplica {
    /// The keys of conflicts that nobody has settled.
    pub(in crate::replica) fn set_aside_ids(&self) -> Result<Vec<String>, ReplicaError> {
        super::edits::set_aside_keys(&self.connection, &self.name)
            .map_err(|error| self.failed(error))
    }

    /// Takes a conflict for settled: the edit is one of the server's version now.
    pub(in crate::replica) fn settled(&self, id: &str) -> Result<(), ReplicaError> {
        let sql = "DELETE FROM milepost_conflicts WHERE feed = ?1 AND id = ?2";
        let done = self.connection.execute(sql, params![self.name, id]);
        done.map(drop).map_err(|error| self.failed(error))
    }
}
