//! Writing what was decided: rows, keys, the log and the indexes of one version after another.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::params;

use super::{
    super::{
        Cached,
        catalog::{Collection, IndexState},
        rows::{row_number, signed},
    },
    Ledger,
};
use crate::{
    CollectionPath, Committed, Record, ResourceKey, TRANSACTIONS, Timestamp, Version,
    decision::{Contents, Decision, Write},
};

impl Ledger {
    /// Writes a transaction that holds, at the next position where it writes anything.
    pub(super) fn apply(
        &mut self,
        decision: Decision,
        record: Option<Record>,
    ) -> rusqlite::Result<Committed> {
        let writes = !decision.writes.is_empty() || record.is_some();
        let sequence = if writes { self.head + 1 } else { self.head };
        let mut versions = Vec::with_capacity(decision.writes.len());
        for (place, write) in decision.writes.iter().enumerate() {
            versions.push(self.write(sequence, place, write)?);
        }
        let committed = Committed {
            position: self.shared.lineage.position(sequence),
            applied: decision
                .decided
                .into_iter()
                .map(|(key, decided)| decided.applied(key, &versions))
                .collect(),
        };
        if let Some(record) = record {
            self.write_record(sequence, versions.len(), &record, &committed)?;
        }
        self.head = sequence;
        Ok(committed)
    }

    fn write_record(
        &mut self,
        sequence: u64,
        place: usize,
        record: &Record,
        committed: &Committed,
    ) -> rusqlite::Result<()> {
        let key = ResourceKey::top(CollectionPath::transactions(), record.id.clone());
        let previous = crate::decision::State::current(self, &key)?;
        let bytes = (record.render)(committed);
        let contents = Contents {
            bytes,
            index_values: Vec::new(),
            text: None,
            defines: None,
        };
        let write = Write {
            key,
            contents: Some(contents),
            digest: record.digest,
            previous,
        };
        self.write(sequence, place, &write).map(|_| ())
    }

    fn write(&mut self, sequence: u64, place: usize, write: &Write) -> rusqlite::Result<Version> {
        let collection = self.collection(&write.key.collection)?;
        let row = row_number(sequence, place);
        let version = self.version(sequence, write);
        let fields = self.fields(&collection, write);
        self.insert(&collection, row, write, &version, fields.as_deref())?;
        self.supersede(&collection, row, write)?;
        self.index(&collection, sequence, row, write)?;
        if write.key.collection == CollectionPath::collections() {
            self.define(sequence, write)?;
        }
        self.digest(&collection, write, &version);
        let cached = Cached {
            version: version.clone(),
            row,
            digest: write.digest,
            fields: fields.map(Bytes::from),
        };
        self.dirty.insert(write.key.clone(), cached);
        self.heads.insert(write.key.collection.clone(), sequence);
        self.written += 1;
        Ok(version)
    }

    fn version(&self, sequence: u64, write: &Write) -> Version {
        let previous = write.previous.as_ref().map(|previous| &previous.version);
        Version {
            position: self.shared.lineage.position(sequence),
            replaced: previous.map(|previous| previous.position),
            modified: previous
                .map_or(Timestamp(0), |previous| previous.modified)
                .max(self.now),
            body: write
                .contents
                .as_ref()
                .map(|contents| contents.bytes.clone()),
        }
    }

    fn insert(
        &mut self,
        collection: &Collection,
        row: i64,
        write: &Write,
        version: &Version,
        fields: Option<&[u8]>,
    ) -> rusqlite::Result<()> {
        let replaced = write.previous.as_ref().map(|previous| previous.row);
        let digest = (write.digest != [0; 16]).then_some(write.digest);
        self.db
            .prepare_cached("INSERT INTO versions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)")?
            .execute(params![
                row,
                collection.collection,
                write.key.parent.as_str(),
                write.key.id.as_str(),
                replaced,
                signed(version.modified.0),
                digest,
                fields,
                version.body.as_deref(),
            ])?;
        self.db
            .prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![
                collection.collection,
                row,
                version.body.is_none(),
                replaced
            ])?;
        Ok(())
    }

    /// Counts what was as history, and points the key at what is.
    fn supersede(
        &mut self,
        collection: &Collection,
        row: i64,
        write: &Write,
    ) -> rusqlite::Result<()> {
        let is_live = write.contents.is_some();
        let was_live = write
            .previous
            .as_ref()
            .map(|previous| !previous.version.is_deleted());
        if let Some(previous) = &write.previous {
            let bytes = previous.version.body.as_ref().map_or(0, Bytes::len);
            let counters = self.count(collection.collection);
            counters.history_count += 1;
            counters.history_bytes += u64::try_from(bytes).unwrap_or(0);
        }
        self.point_key(collection, row, write, was_live)?;
        let counters = self.count(collection.collection);
        if counters.history_count == 0 {
            // Nothing up to here replaced anything that is still kept.
            if counters.log_cursor == counters.history_cursor {
                counters.log_cursor = row;
            }
            counters.history_cursor = row;
        }
        if counters.tombstone_count == 0 && is_live {
            counters.tombstone_cursor = row;
        }
        counters.live = counters.live + u64::from(is_live) - u64::from(was_live == Some(true));
        counters.tombstone_count =
            counters.tombstone_count + u64::from(!is_live) - u64::from(was_live == Some(false));
        Ok(())
    }

    /// Brings the collection's digest from the previous version to the new one.
    fn digest(&mut self, collection: &Collection, write: &Write, version: &Version) {
        if collection.path.as_str() == TRANSACTIONS {
            return;
        }
        let digest = &mut self.count(collection.collection).digest;
        let previous = write.previous.as_ref().map(|previous| &previous.version);
        if let Some(previous) = previous.filter(|previous| !previous.is_deleted()) {
            digest.remove(&write.key, previous.position);
        }
        if !version.is_deleted() {
            digest.add(&write.key, version.position);
        }
    }

    fn point_key(
        &self,
        collection: &Collection,
        row: i64,
        write: &Write,
        was_live: Option<bool>,
    ) -> rusqlite::Result<()> {
        let is_live = write.contents.is_some();
        let (parent, id) = (write.key.parent.as_str(), write.key.id.as_str());
        if was_live == Some(is_live) {
            self.db
                .prepare_cached("UPDATE keys SET row = ?5 WHERE collection = ?1 AND live = ?2 AND parent = ?3 AND id = ?4")?
                .execute(params![collection.collection, is_live, parent, id, row])?;
            return Ok(());
        }
        if let Some(was_live) = was_live {
            self.db
                .prepare_cached("DELETE FROM keys WHERE collection = ?1 AND live = ?2 AND parent = ?3 AND id = ?4")?
                .execute(params![collection.collection, was_live, parent, id])?;
        }
        self.db
            .prepare_cached("INSERT INTO keys VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![collection.collection, is_live, parent, id, row])?;
        Ok(())
    }

    /// A collection's catalog entry, made where this is the first that is heard of it.
    pub(super) fn collection(
        &mut self,
        path: &CollectionPath,
    ) -> rusqlite::Result<Arc<Collection>> {
        if let Some(collection) = self.catalog.of(path) {
            return Ok(Arc::clone(collection));
        }
        self.db.execute(
            "INSERT INTO collections (name) VALUES (?1)",
            [path.as_str()],
        )?;
        let collection = self.db.last_insert_rowid();
        self.catalog.put(Collection {
            collection,
            path: path.clone(),
            definition: None,
            defined_at: 0,
            indexes: Vec::new(),
            text: None,
            marks: Arc::default(),
        });
        self.redefined = true;
        self.count(collection);
        self.collection(path)
    }

    fn define(&mut self, sequence: u64, write: &Write) -> rusqlite::Result<()> {
        let Some(path) = CollectionPath::parse(write.key.id.as_str()) else {
            return Ok(());
        };
        let mut collection = (*self.collection(&path)?).clone();
        collection.definition = write
            .contents
            .as_ref()
            .and_then(|contents| contents.defines.clone());
        collection.defined_at = sequence;
        self.heads.insert(path.clone(), sequence);
        self.declare_indexes(&mut collection)?;
        let definitions = Arc::make_mut(&mut self.definitions);
        match &collection.definition {
            Some(definition) => definitions.insert(
                path,
                crate::definition::Defined {
                    definition: Arc::clone(definition),
                    position: self.shared.lineage.position(sequence),
                },
            ),
            None => definitions.remove(&path),
        }
        let is_building = collection
            .indexes
            .iter()
            .chain(&collection.text)
            .any(|index| index.state == IndexState::Building);
        self.catalog.put(collection);
        self.redefined = true;
        if is_building {
            self.build_if_small(&write.key)?;
        }
        Ok(())
    }
}
