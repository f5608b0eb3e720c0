//! A store in a directory, taken out whole or taken in whole: see [`transfer`](crate::transfer).
//!
//! While it is taken out nobody else has it open, so that nothing is written that the copy lacks. What
//! is taken in stands under another name until it is whole.

use std::{
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use bytes::Bytes;
use milepost_semantics::History;
use rusqlite::{Connection, params};

use super::{
    catalog::{Catalog, Collection, text_pointer},
    cause, connection, copies, digests,
    directory::{Directory, publish},
    rows::{blob, row_number, signed, unsigned},
    schema::{self, meta, set_meta},
};
use crate::{
    CollectionPath, Definition, MaintenanceError,
    positions::Incarnation,
    transfer::{Outline, Part, Row, Source, Target},
};

/// A directory whose store is taken out.
#[derive(Debug)]
pub struct Leaving {
    db: Connection,
    _directory: Directory,
}

/// A directory that takes a store in.
#[derive(Debug)]
pub struct Arriving {
    db: Connection,
    partial: PathBuf,
    directory: Directory,
    is_finished: bool,
}

impl Leaving {
    /// For the store in a directory.
    ///
    /// # Errors
    /// [`MaintenanceError::InUse`] where a server has it open, [`MaintenanceError::NotAStore`] where
    /// there is none, and where it is of another format.
    pub fn from(directory: impl AsRef<Path>) -> Result<Self, MaintenanceError> {
        let path = copies::existing(directory.as_ref())?;
        let directory = Directory::lock(directory.as_ref())?;
        let db = connection::reader(&path).map_err(cause)?;
        schema::require_current(&db, &path)?;
        Ok(Self {
            db,
            _directory: directory,
        })
    }

    fn part(&self, collection: &Collection) -> rusqlite::Result<Part> {
        let number = collection.collection;
        let counters = super::catalog::Counters::load(&self.db, number)?;
        let sql =
            "SELECT count(*) FROM log l JOIN versions v ON v.row = l.row WHERE l.collection = ?1";
        let version_count: i64 = self.db.query_row(sql, [number], |row| row.get(0))?;
        let indexes = collection.indexes.iter().chain(&collection.text);
        Ok(Part {
            path: collection.path.clone(),
            head: collection.marks.head(),
            defined_at: collection.defined_at,
            history_floor: counters.history_floor,
            tombstone_floor: counters.tombstone_floor,
            digest: counters.digest,
            indexes: indexes
                .map(|index| (index.name.clone(), index.declared))
                .collect(),
            version_count: unsigned(version_count),
        })
    }

    /// What every position begins with. Nothing stands for it: all bookmarks and entity tags name it.
    fn history(&self) -> Result<History, MaintenanceError> {
        let history: Option<String> = meta(&self.db, "history").map_err(cause)?;
        let history = history.and_then(|text| text.parse().ok());
        history.ok_or_else(|| MaintenanceError::Damaged {
            path: self.db.path().unwrap_or_default().to_owned(),
            what: "its history",
        })
    }

    fn read_outline(&self, history: History) -> rusqlite::Result<Outline> {
        let mut statement = self
            .db
            .prepare("SELECT first_sequence, salt FROM incarnations ORDER BY first_sequence")?;
        let incarnations = statement.query_map([], |row| {
            Ok(Incarnation {
                first_sequence: unsigned(row.get(0)?),
                salt: u64::from_ne_bytes(row.get::<_, i64>(1)?.to_ne_bytes()),
            })
        })?;
        let catalog = Catalog::load(&self.db)?;
        let mut collections: Vec<_> = catalog.iter().collect();
        collections.sort_by_key(|collection| collection.collection);
        let parts = collections.into_iter().map(|found| self.part(found));
        Ok(Outline {
            history,
            head: schema::head(&self.db)?,
            incarnations: incarnations.collect::<rusqlite::Result<_>>()?,
            collections: parts.collect::<rusqlite::Result<_>>()?,
        })
    }

    fn read_rows(&self, part: &Part, after: i64, limit: usize) -> rusqlite::Result<Vec<Row>> {
        let mut statement = self.db.prepare_cached(
            "SELECT v.row, v.parent, v.id, v.replaced, v.modified, v.digest, v.body, k.row IS NOT NULL
             FROM log l JOIN versions v ON v.row = l.row
             LEFT JOIN keys k ON k.collection = v.collection AND k.live = (v.body IS NOT NULL)
                 AND k.parent = v.parent AND k.id = v.id AND k.row = v.row
             WHERE l.collection = (SELECT collection FROM collections WHERE name = ?1) AND l.row > ?2
             ORDER BY l.row LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![part.path.as_str(), after, limit], |row| {
            Ok(Row {
                row: row.get(0)?,
                parent: row.get(1)?,
                id: row.get(2)?,
                replaced: row.get(3)?,
                modified: unsigned(row.get(4)?),
                digest: row.get(5)?,
                body: blob(row, 6)?.map(Bytes::copy_from_slice),
                is_newest: row.get(7)?,
            })
        })?;
        rows.collect()
    }
}

#[async_trait]
impl Source for Leaving {
    async fn outline(&mut self) -> Result<Outline, MaintenanceError> {
        self.read_outline(self.history()?).map_err(cause)
    }

    async fn rows(
        &mut self,
        part: &Part,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Row>, MaintenanceError> {
        self.read_rows(part, after, limit).map_err(cause)
    }
}

impl Arriving {
    /// For a directory without a store.
    ///
    /// # Errors
    /// [`MaintenanceError::AlreadyExists`] where there is one.
    pub fn at(directory: impl AsRef<Path>) -> Result<Self, MaintenanceError> {
        let directory = Directory::lock(directory.as_ref())?;
        let partial = copies::clear(&directory.database())?;
        let db = Connection::open(&partial).map_err(cause)?;
        // What was cut off is begun anew: there is nothing to keep safe on the way.
        db.pragma_update(None, "journal_mode", "OFF")
            .map_err(cause)?;
        db.pragma_update(None, "synchronous", "OFF")
            .map_err(cause)?;
        Ok(Self {
            db,
            partial,
            directory,
            is_finished: false,
        })
    }

    fn begin_tables(&self, outline: &Outline) -> rusqlite::Result<()> {
        self.db.execute_batch("BEGIN")?;
        schema::create(&self.db)?;
        set_meta(&self.db, "history", outline.history.as_str())?;
        set_meta(&self.db, "head", signed(outline.head))?;
        for incarnation in &outline.incarnations {
            let salt = i64::from_ne_bytes(incarnation.salt.to_ne_bytes());
            self.db.execute(
                "INSERT INTO incarnations VALUES (?1, ?2)",
                params![signed(incarnation.first_sequence), salt],
            )?;
        }
        for part in &outline.collections {
            // The walks of retention begin again at the commit of each floor.
            let walked = |floor: u64| row_number(floor, 0).saturating_sub(1).max(0);
            let cursor = walked(part.history_floor);
            self.db.execute(
                "INSERT INTO collections (name, history_floor, history_cursor, log_cursor,
                     tombstone_floor, tombstone_cursor, digest) VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6)",
                params![
                    part.path.as_str(),
                    signed(part.history_floor),
                    cursor,
                    signed(part.tombstone_floor),
                    walked(part.tombstone_floor),
                    part.digest.to_bytes(),
                ],
            )?;
        }
        Ok(())
    }

    fn number(&self, path: &CollectionPath) -> rusqlite::Result<i64> {
        self.db
            .prepare_cached("SELECT collection FROM collections WHERE name = ?1")?
            .query_row([path.as_str()], |row| row.get(0))
    }

    fn insert(&self, part: &Part, rows: &[Row]) -> rusqlite::Result<()> {
        let collection = self.number(&part.path)?;
        let mut version = self
            .db
            .prepare_cached("INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, NULL, ?8)")?;
        let mut log = self
            .db
            .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4)")?;
        let mut key = self
            .db
            .prepare_cached("INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5)")?;
        for row in rows {
            let (body, is_live) = (row.body.as_deref(), row.body.is_some());
            version.execute(params![
                row.row,
                collection,
                row.parent,
                row.id,
                row.replaced,
                signed(row.modified),
                row.digest,
                body
            ])?;
            log.execute(params![collection, row.row, !is_live, row.replaced])?;
            if row.is_newest {
                key.execute(params![collection, is_live, row.parent, row.id, row.row])?;
            }
        }
        Ok(())
    }

    /// What follows from the versions: counters, and indexes that are to be built.
    fn complete(&self, outline: &Outline) -> rusqlite::Result<()> {
        self.drop_orphans()?;
        self.db.execute_batch(
            "CREATE TEMP TABLE newest AS SELECT row FROM keys;
             CREATE UNIQUE INDEX temp.newest_rows ON newest (row);
             UPDATE collections SET
                 live = (SELECT count(*) FROM keys k WHERE k.collection = collections.collection AND live = 1),
                 tombstone_count = (SELECT count(*) FROM keys k WHERE k.collection = collections.collection AND live = 0);
             UPDATE collections SET history_count = n.count, history_bytes = n.bytes FROM
                 (SELECT collection, count(*) AS count, coalesce(sum(length(body)), 0) AS bytes
                  FROM versions v WHERE v.row NOT IN (SELECT row FROM newest) GROUP BY collection) AS n
                 WHERE n.collection = collections.collection;
             DROP TABLE newest;",
        )?;
        let catalog = Catalog::load(&self.db)?;
        for part in &outline.collections {
            let definition = catalog.of(&part.path);
            let definition = definition.and_then(|found| found.definition.clone());
            for (name, declared) in &part.indexes {
                self.declare(part, name, *declared, definition.as_deref())?;
            }
        }
        self.db.execute_batch("COMMIT")
    }

    /// Versions whose successor is forgotten already: here nothing would lead to them. What they
    /// showed is no longer shown.
    fn drop_orphans(&self) -> rusqlite::Result<()> {
        self.db.execute_batch(
            "CREATE TEMP TABLE led_to AS SELECT replaced AS row FROM log WHERE replaced IS NOT NULL
                 UNION SELECT row FROM keys;
             CREATE INDEX temp.led_to_rows ON led_to (row);
             CREATE TEMP TABLE orphans AS SELECT row, collection FROM versions
                 WHERE row NOT IN (SELECT row FROM led_to);
             UPDATE collections SET history_floor = max(history_floor,
                 (SELECT max(l.row) >> 20 FROM log l WHERE l.collection = collections.collection))
                 WHERE collection IN (SELECT collection FROM orphans);
             DELETE FROM log WHERE row IN (SELECT row FROM orphans);
             DELETE FROM versions WHERE row IN (SELECT row FROM orphans);
             DROP TABLE orphans; DROP TABLE led_to;",
        )
    }

    fn declare(
        &self,
        part: &Part,
        name: &str,
        declared: u64,
        definition: Option<&Definition>,
    ) -> rusqlite::Result<()> {
        let Some(definition) = definition else {
            return Ok(());
        };
        let pointer = match definition.index(name) {
            Some(index) => index.pointer.to_string(),
            None => text_pointer(&definition.text),
        };
        self.db.execute(
            "INSERT INTO indexes (collection, name, pointer, state, complete_from, declared)
             VALUES (?1, ?2, ?3, 0, ?4, ?5)",
            params![
                self.number(&part.path)?,
                name,
                pointer,
                signed(part.head),
                signed(declared)
            ],
        )?;
        if name.is_empty() {
            schema::create_text(&self.db, self.db.last_insert_rowid())?;
        }
        Ok(())
    }

    /// Under its own name from here on.
    fn appear(&mut self) -> Result<(), MaintenanceError> {
        let wrong = digests::wrong(&self.db).map_err(cause)?;
        if wrong > 0 {
            let what = format!("{wrong} collections hold other resources than their digests say");
            return Err(MaintenanceError::Storage(std::sync::Arc::new(
                std::io::Error::other(what),
            )));
        }
        publish(&self.partial, &self.directory.database())?;
        self.is_finished = true;
        Ok(())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        if !self.is_finished {
            // What is left of it is taken away by who tries again, at the latest.
            let _ = fs::remove_file(&self.partial);
        }
    }
}

#[async_trait]
impl Target for Arriving {
    async fn begin(&mut self, outline: &Outline) -> Result<(), MaintenanceError> {
        self.begin_tables(outline).map_err(cause)
    }

    async fn put(&mut self, part: &Part, rows: Vec<Row>) -> Result<(), MaintenanceError> {
        self.insert(part, &rows).map_err(cause)
    }

    async fn finish(&mut self, outline: &Outline) -> Result<(), MaintenanceError> {
        self.complete(outline).map_err(cause)?;
        self.appear()
    }
}
