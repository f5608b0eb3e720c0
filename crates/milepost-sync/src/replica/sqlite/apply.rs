//! A delivery into the tables, in one transaction with its bookmark.

use milepost_semantics::{EntityTag, Position};
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, params};

use super::{edits, schema::quoted, version, views};
use crate::digest::SetDigest;
use crate::page::{Change, Delivery, EVERYTHING_NAME};
use crate::replica::{Applied, Version};

/// One feed's tables, within a transaction, with the triggers held still.
pub(super) struct Tables<'a> {
    pub(super) tx: &'a Transaction<'a>,
    pub(super) name: &'a str,
    /// Quoted.
    pub(super) table: String,
    pub(super) keeps_outbox: bool,
}

/// What is known of an edited document.
pub(super) struct Edited {
    /// What was edited.
    pub(super) base: Option<Version>,
    /// What the feed told last.
    pub(super) server: Option<Version>,
}

impl Edited {
    /// Whether the edit stays when the feed tells of `new`.
    fn stays(&self, local: Option<&str>, new: Option<&Version>) -> bool {
        let base = self.base.as_ref();
        let was_sent = local == base.map(|base| base.value.as_str());
        // What was sent stays until the feed has come as far. What was not sent stays in any case, also
        // where both sides did the same: sending it finds that out, and this page may tell of the past.
        !was_sent || is_before(new, base)
    }
}

/// Whether one version is known to be older than the other, by their tags.
fn is_before(one: Option<&Version>, other: Option<&Version>) -> bool {
    let positions = one.and_then(position_of).zip(other.and_then(position_of));
    positions.is_some_and(|(one, other)| {
        one.history() == other.history() && one.sequence() < other.sequence()
    })
}

/// The position that a version's tag was made from; `None` where it is not of that kind.
pub(super) fn position_of(version: &Version) -> Option<Position> {
    let tag = EntityTag::parse(version.etag.as_bytes()).ok()?;
    Position::from_tag(&tag)
}

/// The feed's own row.
struct Feed {
    generation: i64,
    is_complete: bool,
    digest: SetDigest,
}

/// Applies it, all or nothing.
pub(super) fn apply(
    connection: &mut Connection,
    name: &str,
    keeps_outbox: bool,
    delivery: &Delivery,
) -> rusqlite::Result<Applied> {
    within(connection, name, keeps_outbox, |tables| {
        edits::forget_taken_back(tables)?;
        let mut feed = tables.feed()?;
        let mut applied = Applied::default();
        if delivery.replace {
            feed.generation += 1;
        }
        for change in &delivery.changes {
            tables.take_in(change, &mut feed, &mut applied)?;
        }
        let was_complete = feed.is_complete;
        feed.is_complete = delivery.complete || (was_complete && !delivery.replace);
        if delivery.complete && (delivery.replace || !was_complete) {
            applied.removals += tables.sweep(feed.generation)?;
            feed.digest = tables.digest()?;
        }
        if delivery.complete {
            edits::end_waiting(tables, delivery.position)?;
        }
        tables.keep(&feed, delivery)?;
        applied.digest = feed.digest;
        Ok(applied)
    })
}

/// Does something in one transaction in which nothing counts as a local edit.
pub(super) fn within<T>(
    connection: &mut Connection,
    name: &str,
    keeps_outbox: bool,
    act: impl FnOnce(&Tables<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute("INSERT INTO milepost_applying VALUES (1)", [])?;
    let result = act(&Tables {
        tx: &tx,
        name,
        table: quoted(name),
        keeps_outbox,
    })?;
    tx.execute("DELETE FROM milepost_applying", [])?;
    tx.commit()?;
    Ok(result)
}

impl Tables<'_> {
    fn feed(&self) -> rusqlite::Result<Feed> {
        let sql = "SELECT generation, is_complete, digest, bookmark IS NULL FROM milepost_feeds
                   WHERE name = ?1";
        self.tx.query_row(sql, [self.name], |row| {
            let digest: String = row.get(2)?;
            let is_new: bool = row.get(3)?;
            Ok(Feed {
                generation: row.get(0)?,
                is_complete: row.get::<_, bool>(1)? || is_new,
                digest: SetDigest::parse(&digest).unwrap_or_default(),
            })
        })
    }

    fn keep(&self, feed: &Feed, delivery: &Delivery) -> rusqlite::Result<()> {
        let sql = "UPDATE milepost_feeds SET bookmark = ?2, position = ?3, is_complete = ?4,
                   digest = ?5, generation = ?6 WHERE name = ?1";
        self.tx.prepare_cached(sql)?.execute(params![
            self.name,
            delivery.bookmark,
            delivery.position.to_string(),
            feed.is_complete,
            feed.digest.to_string(),
            feed.generation,
        ])?;
        Ok(())
    }

    fn take_in(
        &self,
        change: &Change,
        feed: &mut Feed,
        applied: &mut Applied,
    ) -> rusqlite::Result<()> {
        let id = change.key.as_str();
        let new = change.version.as_ref();
        let edited = self.edited(id)?;
        let row = self.row(id)?;
        let old = match &edited {
            Some(edited) => edited.server.clone(),
            None => row.clone().and_then(Row::into_version),
        };
        if let Some(old) = &old {
            feed.digest.remove(id, &old.etag);
        }
        if let Some(new) = new {
            feed.digest.insert(id, &new.etag);
        }
        match (old.as_ref().map(|old| &old.etag), new.map(|new| &new.etag)) {
            (Some(_), None) => applied.removals += 1,
            (old, new) if old != new => applied.puts += 1,
            _ => {}
        }
        let is_same = edited.is_none() && old.is_some() && old.as_ref() == new;
        if is_same {
            return self.confirm(id, feed.generation);
        }
        let local = row.map(|row| row.value);
        if let Some(edited) = &edited {
            if edited.stays(local.as_deref(), new) {
                return self.tell_edit(id, edited, new, feed.generation);
            }
            self.forget_edit(id)?;
        }
        self.put(id, new, feed.generation)
    }

    /// What was edited, and what the server is known to have.
    pub(super) fn edited(&self, id: &str) -> rusqlite::Result<Option<Edited>> {
        let sql = "SELECT base_etag, base_value, server_etag, server_value FROM milepost_edits
                   WHERE feed = ?1 AND id = ?2";
        self.tx
            .prepare_cached(sql)?
            .query_row(params![self.name, id], |row| {
                Ok(Edited {
                    base: version(row, 0)?,
                    server: version(row, 2)?,
                })
            })
            .optional()
    }

    /// The document as it stands here.
    pub(super) fn row(&self, id: &str) -> rusqlite::Result<Option<Row>> {
        let sql = format!("SELECT value, etag FROM {} WHERE id = ?1", self.table);
        self.tx
            .prepare_cached(&sql)?
            .query_row([id], |row| {
                Ok(Row {
                    value: row.get(0)?,
                    etag: row.get(1)?,
                })
            })
            .optional()
    }

    /// Makes the document this version.
    pub(super) fn put(
        &self,
        id: &str,
        new: Option<&Version>,
        generation: i64,
    ) -> rusqlite::Result<()> {
        self.note(id, new.map(|new| new.value.as_str()))?;
        self.show_or_hide(id, new.is_some())?;
        let Some(new) = new else {
            let sql = format!("DELETE FROM {} WHERE id = ?1", self.table);
            self.tx.prepare_cached(&sql)?.execute([id])?;
            return Ok(());
        };
        let sql = format!(
            "INSERT INTO {} (id, value, etag, generation) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (id) DO UPDATE SET value = excluded.value, etag = excluded.etag,
             generation = excluded.generation",
            self.table
        );
        let row = params![id, new.value, new.etag, generation];
        self.tx.prepare_cached(&sql)?.execute(row)?;
        Ok(())
    }

    /// Where everything is followed: a collection that is defined has a view.
    fn show_or_hide(&self, id: &str, is_there: bool) -> rusqlite::Result<()> {
        let collection = match self.name {
            EVERYTHING_NAME => views::defined_by(id),
            _ => None,
        };
        match collection {
            Some(collection) if is_there => views::show(self.tx, &self.table, collection),
            Some(collection) => views::hide(self.tx, &self.table, collection),
            None => Ok(()),
        }
    }

    /// Notes that a complete representation names what is here already.
    fn confirm(&self, id: &str, generation: i64) -> rusqlite::Result<()> {
        let sql = format!(
            "UPDATE {} SET generation = ?2 WHERE id = ?1 AND generation IS NOT ?2",
            self.table
        );
        self.tx
            .prepare_cached(&sql)?
            .execute(params![id, generation])?;
        Ok(())
    }

    /// Notes what the feed tells of an edited document. Once that is as new as the edit's base, the base
    /// no longer is ahead of it.
    fn tell_edit(
        &self,
        id: &str,
        edited: &Edited,
        new: Option<&Version>,
        generation: i64,
    ) -> rusqlite::Result<()> {
        let sql = "UPDATE milepost_edits SET server_etag = ?3, server_value = ?4, generation = ?5,
                   is_sent = is_sent AND ?6 WHERE feed = ?1 AND id = ?2";
        let (etag, value) = (new.map(|new| &new.etag), new.map(|new| &new.value));
        let is_behind = is_before(new, edited.base.as_ref());
        self.tx
            .prepare_cached(sql)?
            .execute(params![self.name, id, etag, value, generation, is_behind])?;
        Ok(())
    }

    pub(super) fn forget_edit(&self, id: &str) -> rusqlite::Result<()> {
        for table in ["milepost_edits", "milepost_conflicts"] {
            let sql = format!("DELETE FROM {table} WHERE feed = ?1 AND id = ?2");
            self.tx
                .prepare_cached(&sql)?
                .execute(params![self.name, id])?;
        }
        Ok(())
    }

    /// Removes what the complete representation did not name; how many there were. What is edited stays,
    /// as an edit of something that is gone at the server.
    fn sweep(&self, generation: i64) -> rusqlite::Result<u64> {
        let stale = format!(
            "SELECT t.id FROM {} t WHERE t.generation IS NOT ?2 AND NOT EXISTS
                 (SELECT 1 FROM milepost_edits e WHERE e.feed = ?1 AND e.id = t.id)
             UNION ALL
             SELECT id FROM milepost_edits
             WHERE feed = ?1 AND generation IS NOT ?2
                 AND (server_etag IS NOT NULL OR base_etag IS NOT NULL)",
            self.table
        );
        let ids: Vec<String> = self
            .tx
            .prepare_cached(&stale)?
            .query_map(params![self.name, generation], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in &ids {
            self.gone(id, generation)?;
        }
        Ok(ids.len() as u64)
    }

    fn gone(&self, id: &str, generation: i64) -> rusqlite::Result<()> {
        let Some(edited) = self.edited(id)? else {
            return self.put(id, None, generation);
        };
        let local = self.row(id)?.map(|row| row.value);
        let base = edited.base.as_ref().map(|base| &base.value);
        if local.is_some() && local.as_ref() != base {
            return self.tell_edit(id, &edited, None, generation);
        }
        self.forget_edit(id)?;
        self.put(id, None, generation)
    }

    /// The digest over all that the server was heard to hold.
    fn digest(&self) -> rusqlite::Result<SetDigest> {
        let sql = format!(
            "SELECT t.id, t.etag FROM {} t WHERE t.etag IS NOT NULL AND NOT EXISTS
                 (SELECT 1 FROM milepost_edits e WHERE e.feed = ?1 AND e.id = t.id)
             UNION ALL
             SELECT id, server_etag FROM milepost_edits
             WHERE feed = ?1 AND server_etag IS NOT NULL",
            self.table
        );
        let mut statement = self.tx.prepare_cached(&sql)?;
        let mut rows = statement.query([self.name])?;
        let mut digest = SetDigest::default();
        while let Some(row) = rows.next()? {
            digest.insert(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
        }
        Ok(digest)
    }
}

/// A document as it stands here.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) value: String,
    /// Absent where it was made here.
    pub(super) etag: Option<String>,
}

impl Row {
    fn into_version(self) -> Option<Version> {
        let Self { value, etag } = self;
        etag.map(|etag| Version { etag, value })
    }
}
