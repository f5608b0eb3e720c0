//! Local edits: which are to be sent, and what becomes of them.
//!
//! An edit's row stays after it was sent, until the feed tells of it: the digest is over what was told.

use milepost_semantics::Position;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::apply::{self, Tables, position_of};
use super::{schema::quoted, version};
use crate::page::Key;
use crate::push::Conflict;
use crate::replica::{Edit, Version};

/// Edits that the server has not been told of, ordered by key.
pub(super) fn pending(connection: &Connection, name: &str) -> rusqlite::Result<Vec<Edit>> {
    let sql = format!(
        "SELECT e.id, e.base_etag, e.base_value, t.value, c.base_value, c.id IS NOT NULL
         FROM milepost_edits e LEFT JOIN {} t ON t.id = e.id
         LEFT JOIN milepost_conflicts c ON c.feed = e.feed AND c.id = e.id
         WHERE e.feed = ?1 AND (t.value IS NOT e.base_value OR c.id IS NOT NULL) ORDER BY e.id",
        quoted(name)
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([name])?;
    let mut edits = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get(0)?;
        // What has no name that could stand in a URL can't be sent.
        let Some(key) = Key::parse(&id) else {
            continue;
        };
        let base = version(row, 1)?;
        let is_set_aside: bool = row.get(5)?;
        edits.push(Edit {
            key,
            ancestor: match is_set_aside {
                true => row.get(4)?,
                false => base.as_ref().map(|base| base.value.clone()),
            },
            base,
            local: row.get(3)?,
            is_set_aside,
        });
    }
    Ok(edits)
}

/// Ends an edit; see [`crate::replica::Editable::settle`].
pub(super) fn settle(
    connection: &mut Connection,
    name: &str,
    keeps_outbox: bool,
    edit: &Edit,
    now: Option<&Version>,
) -> rusqlite::Result<()> {
    apply::within(connection, name, keeps_outbox, |tables| {
        let id = edit.key.as_str();
        let is_as_told = tables.row(id)?.map(|row| row.value) == edit.local;
        let sql = "DELETE FROM milepost_conflicts WHERE feed = ?1 AND id = ?2";
        tables.tx.execute(sql, params![tables.name, id])?;
        let Some(edited) = tables.edited(id)? else {
            // The feed was faster: what stands is the server's word already.
            return Ok(());
        };
        rebase(tables, id, now)?;
        if !is_as_told {
            return Ok(());
        }
        tables.put(id, now, tables.generation(id)?)?;
        if edited.server.as_ref() == now {
            tables.forget_edit(id)?;
        }
        Ok(())
    })
}

/// Writes a conflict beside its edit, and has the edit be one of the server's version from now on.
pub(super) fn set_aside(
    connection: &mut Connection,
    name: &str,
    conflict: &Conflict,
) -> rusqlite::Result<()> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let id = conflict.key.as_str();
    let places = serde_json::to_string(&conflict.places).unwrap_or_default();
    let theirs = conflict.theirs.as_ref();
    tx.execute(
        "INSERT OR REPLACE INTO milepost_conflicts
             (feed, id, base_value, local_value, server_etag, server_value, places)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            name,
            id,
            conflict.ancestor,
            conflict.ours,
            theirs.map(|theirs| &theirs.etag),
            theirs.map(|theirs| &theirs.value),
            places
        ],
    )?;
    let sql = "UPDATE milepost_edits SET base_etag = ?3, base_value = ?4, is_sent = 1
               WHERE feed = ?1 AND id = ?2";
    let (etag, value) = (theirs.map(|v| &v.etag), theirs.map(|v| &v.value));
    tx.execute(sql, params![name, id, etag, value])?;
    tx.commit()
}

/// The keys of conflicts that nobody has settled.
pub(in crate::replica) fn set_aside_keys(
    connection: &Connection,
    name: &str,
) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT id FROM milepost_conflicts WHERE feed = ?1 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map([name], |row| row.get(0))?.collect()
}

/// Forgets edits that were taken back: the document is again what it was, so it becomes what the
/// server has.
pub(super) fn forget_taken_back(tables: &Tables<'_>) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT e.id FROM milepost_edits e LEFT JOIN {} t ON t.id = e.id
         WHERE e.feed = ?1 AND t.value IS e.base_value AND NOT e.is_sent AND NOT EXISTS
             (SELECT 1 FROM milepost_conflicts c WHERE c.feed = e.feed AND c.id = e.id)",
        tables.table
    );
    let mut statement = tables.tx.prepare_cached(&sql)?;
    let ids = statement.query_map([tables.name], |row| row.get(0))?;
    for id in ids.collect::<rusqlite::Result<Vec<String>>>()? {
        if let Some(edited) = tables.edited(&id)? {
            let generation = tables.generation(&id)?;
            tables.forget_edit(&id)?;
            tables.put(&id, edited.server.as_ref(), generation)?;
        }
    }
    Ok(())
}

/// Ends the waiting of edits that were sent at or before `position`, where the feed has told all up to
/// there: what it did not name is gone again, or hidden by the filter.
pub(super) fn end_waiting(tables: &Tables<'_>, position: Position) -> rusqlite::Result<()> {
    let sql = "SELECT id FROM milepost_edits WHERE feed = ?1 AND is_sent";
    let mut statement = tables.tx.prepare_cached(sql)?;
    let ids = statement.query_map([tables.name], |row| row.get(0))?;
    for id in ids.collect::<rusqlite::Result<Vec<String>>>()? {
        let base = tables.edited(&id)?.and_then(|edited| edited.base);
        let sent_at = base.as_ref().and_then(position_of);
        let is_told = sent_at.is_some_and(|sent| {
            sent.history() == position.history() && sent.sequence() <= position.sequence()
        });
        if is_told {
            let sql = "UPDATE milepost_edits SET is_sent = 0 WHERE feed = ?1 AND id = ?2";
            tables
                .tx
                .prepare_cached(sql)?
                .execute(params![tables.name, id])?;
        }
    }
    forget_taken_back(tables)
}

fn rebase(tables: &Tables<'_>, id: &str, now: Option<&Version>) -> rusqlite::Result<()> {
    let sql = "UPDATE milepost_edits SET base_etag = ?3, base_value = ?4, is_sent = 1
               WHERE feed = ?1 AND id = ?2";
    let (etag, value) = (now.map(|now| &now.etag), now.map(|now| &now.value));
    tables
        .tx
        .execute(sql, params![tables.name, id, etag, value])?;
    Ok(())
}

impl Tables<'_> {
    /// The complete representation that named the edited document last.
    fn generation(&self, id: &str) -> rusqlite::Result<i64> {
        let sql = "SELECT generation FROM milepost_edits WHERE feed = ?1 AND id = ?2";
        let found: Option<Option<i64>> = self
            .tx
            .query_row(sql, params![self.name, id], |row| row.get(0))
            .optional()?;
        Ok(found.flatten().unwrap_or(-1))
    }
}
