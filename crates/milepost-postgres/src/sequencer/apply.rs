//! What a batch will write, gathered in memory: versions, which of them are the newest, entries of
//! indexes, counters, declarations. Nothing here asks the database.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use milepost_semantics::json;
use milepost_store::{
    CollectionPath, Committed, Outcome, Record, ResourceKey, Timestamp, Version,
    backend::index_value_or_other,
    decision::{Contents, Current, Decision, State, Write},
};

use super::state::{Counters, Held, Missing, has_digest};
use crate::{
    catalog::{Catalog, Collection, Floors, StoredIndex, leap},
    rows::{STANDS, row_number},
    words::kept,
};

/// A version to be inserted.
#[derive(Debug)]
pub(super) struct NewVersion {
    pub(super) collection: i32,
    pub(super) row: i64,
    pub(super) key: ResourceKey,
    pub(super) replaced: Option<i64>,
    pub(super) modified: Timestamp,
    pub(super) digest: Option<[u8; 16]>,
    pub(super) body: Option<Bytes>,
}

/// Which version of a resource is the newest one after the batch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Newest {
    pub(super) collection: i32,
    pub(super) row: i64,
    pub(super) is_deleted: bool,
}

/// An entry of an index to be inserted.
#[derive(Debug)]
pub(super) struct NewEntry {
    pub(super) index: i64,
    pub(super) value: Vec<u8>,
    pub(super) key: ResourceKey,
    pub(super) since: i64,
    pub(super) until: i64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) held: Held,
    pub(super) head: u64,
    /// When the store's lock was held, in the node's own count.
    pub(super) began: u64,
    pub(super) now: Timestamp,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) versions: Vec<NewVersion>,
    pub(super) newest: HashMap<ResourceKey, Newest>,
    pub(super) entries: Vec<NewEntry>,
    /// Entries in the database that end: index, resource, at which row.
    pub(super) ended: Vec<(i64, ResourceKey, i64)>,
    /// The words of what was written last, by text index; `None`: of what was deleted.
    pub(super) texts: HashMap<(i64, ResourceKey), Option<(i64, String)>>,
    pub(super) made_collections: Vec<(i32, CollectionPath)>,
    pub(super) made_indexes: Vec<(i32, StoredIndex)>,
    pub(super) dropped_indexes: Vec<i64>,
    pub(super) changed: Vec<CollectionPath>,
    pub(super) is_redefined: bool,
    standing: HashMap<(i64, ResourceKey), usize>,
}

impl Pending {
    pub(super) fn new(held: Held, head: u64, now: Timestamp) -> Self {
        Self {
            held,
            head,
            began: 0,
            now,
            outcomes: Vec::new(),
            versions: Vec::new(),
            newest: HashMap::new(),
            entries: Vec::new(),
            ended: Vec::new(),
            texts: HashMap::new(),
            made_collections: Vec::new(),
            made_indexes: Vec::new(),
            dropped_indexes: Vec::new(),
            changed: Vec::new(),
            is_redefined: false,
            standing: HashMap::new(),
        }
    }

    pub(super) fn writes_anything(&self) -> bool {
        !self.versions.is_empty()
    }

    /// Nothing is added from here on: what is declared gets its epoch.
    pub(super) fn seal(&mut self) {
        if self.is_redefined {
            Arc::make_mut(&mut self.held.catalog).epoch += leap();
        }
    }

    pub(super) fn into_catalog(self) -> Arc<Catalog> {
        self.held.catalog
    }

    /// Whether everything that writing a decision takes was read.
    pub(super) fn ready(&mut self, decision: &Decision) -> Result<(), Missing> {
        for write in &decision.writes {
            self.counted(&write.key.collection)?;
            if write.key.collection == CollectionPath::collections()
                && let Some(path) = CollectionPath::parse(write.key.id.as_str())
            {
                self.counted(&path)?;
            }
        }
        Ok(())
    }

    fn counted(&mut self, path: &CollectionPath) -> Result<(), Missing> {
        self.held.live_count(path).map(|_| ())
    }

    /// Writes a transaction that holds, at the next position where it writes anything.
    pub(super) fn apply(&mut self, decision: Decision, record: Option<&Record>) -> Committed {
        let writes = !decision.writes.is_empty() || record.is_some();
        let sequence = if writes { self.head + 1 } else { self.head };
        let mut versions = Vec::with_capacity(decision.writes.len());
        for (place, write) in decision.writes.iter().enumerate() {
            versions.push(self.write(sequence, place, write));
        }
        let committed = Committed {
            position: self.held.catalog.lineage.position(sequence),
            applied: decision
                .decided
                .into_iter()
                .map(|(key, decided)| decided.applied(key, &versions))
                .collect(),
        };
        if let Some(record) = record {
            self.write_record(sequence, versions.len(), record, &committed);
        }
        self.head = sequence;
        committed
    }

    fn write_record(
        &mut self,
        sequence: u64,
        place: usize,
        record: &Record,
        committed: &Committed,
    ) {
        let key = ResourceKey::top(CollectionPath::transactions(), record.id.clone());
        let previous = self.held.current.get(&key).cloned().flatten();
        let write = Write {
            key,
            contents: Some(Contents {
                bytes: (record.render)(committed),
                index_values: Vec::new(),
                text: None,
                defines: None,
            }),
            digest: record.digest,
            previous,
        };
        self.write(sequence, place, &write);
    }

    fn write(&mut self, sequence: u64, place: usize, write: &Write) -> Version {
        let collection = self.collection(&write.key.collection);
        let row = row_number(sequence, place);
        let version = self.version(sequence, write);
        self.count(sequence, write, &version);
        self.insert(&collection, row, write, &version);
        self.index(&collection, row, write);
        self.held
            .written
            .insert(write.key.clone(), !version.is_deleted());
        let current = Current {
            version: version.clone(),
            digest: write.digest,
            row,
            fields: None,
        };
        self.held.current.insert(write.key.clone(), Some(current));
        if write.key.collection == CollectionPath::collections() {
            self.define(sequence, row, write);
        }
        version
    }

    fn version(&self, sequence: u64, write: &Write) -> Version {
        let previous = write.previous.as_ref().map(|previous| &previous.version);
        Version {
            position: self.held.catalog.lineage.position(sequence),
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

    fn insert(&mut self, collection: &Collection, row: i64, write: &Write, version: &Version) {
        let newest = Newest {
            collection: collection.number,
            row,
            is_deleted: version.is_deleted(),
        };
        self.newest.insert(write.key.clone(), newest);
        self.versions.push(NewVersion {
            collection: collection.number,
            row,
            key: write.key.clone(),
            replaced: write.previous.as_ref().map(|previous| previous.row),
            modified: version.modified,
            digest: (write.digest != [0; 16]).then_some(write.digest),
            body: version.body.clone(),
        });
    }

    /// Brings the collection's counters and its digest to the new version.
    fn count(&mut self, sequence: u64, write: &Write, version: &Version) {
        let path = &write.key.collection;
        let counters = self.counters(path);
        counters.head = sequence;
        let is_live = !version.is_deleted();
        counters.live += u64::from(is_live);
        counters.tombstone_count += u64::from(!is_live);
        if let Some(previous) = &write.previous {
            let was_live = !previous.version.is_deleted();
            let bytes = previous.version.body.as_ref().map_or(0, Bytes::len);
            counters.history_count += 1;
            counters.history_bytes += u64::try_from(bytes).unwrap_or(0);
            counters.live -= u64::from(was_live);
            counters.tombstone_count -= u64::from(!was_live);
        }
        if !has_digest(path) {
            return;
        }
        if let Some(previous) = write.previous.as_ref().map(|previous| &previous.version)
            && !previous.is_deleted()
        {
            counters.digest.remove(&write.key, previous.position);
        }
        if is_live {
            counters.digest.add(&write.key, version.position);
        }
    }

    pub(super) fn counters(&mut self, path: &CollectionPath) -> &mut Counters {
        if !self.changed.contains(path) {
            self.changed.push(path.clone());
        }
        self.held.counters.entry(path.clone()).or_default()
    }

    /// A collection of the catalog, made where this is the first that is heard of it.
    pub(super) fn collection(&mut self, path: &CollectionPath) -> Arc<Collection> {
        if let Some(collection) = self.held.catalog.collections.get(path) {
            return Arc::clone(collection);
        }
        let catalog = Arc::make_mut(&mut self.held.catalog);
        let newest = catalog.collections.values().map(|found| found.number).max();
        let number = newest.unwrap_or(0) + 1;
        let made = Arc::new(Collection {
            number,
            path: path.clone(),
            definition: None,
            indexes: Vec::new(),
            text: None,
            floors: Floors::default(),
        });
        catalog.collections.insert(path.clone(), Arc::clone(&made));
        self.made_collections.push((number, path.clone()));
        self.is_redefined = true;
        self.counters(path);
        made
    }

    fn index(&mut self, collection: &Collection, row: i64, write: &Write) {
        let before = before(collection, write);
        let values = write
            .contents
            .as_ref()
            .map(|contents| &contents.index_values);
        for (at, index) in collection.indexes.iter().enumerate() {
            let value = values.and_then(|values| values.get(at));
            let stood = before.as_ref().and_then(|before| before.get(at));
            if value.is_some() && value == stood && has_entry(index, write) {
                continue;
            }
            self.end_entry(index.number, &write.key, row);
            if let Some(value) = value {
                self.begin_entry(index.number, value.clone(), &write.key, row);
            }
        }
        if let Some(text) = &collection.text {
            let contents = write.contents.as_ref();
            let words = contents
                .and_then(|contents| contents.text.as_deref())
                .map(kept);
            let place = (text.number, write.key.clone());
            self.texts.insert(place, words.map(|words| (row, words)));
        }
    }

    fn end_entry(&mut self, index: i64, key: &ResourceKey, row: i64) {
        match self.standing.remove(&(index, key.clone())) {
            Some(at) => {
                if let Some(entry) = self.entries.get_mut(at) {
                    entry.until = row;
                }
            }
            None => self.ended.push((index, key.clone(), row)),
        }
    }

    fn begin_entry(&mut self, index: i64, value: Vec<u8>, key: &ResourceKey, row: i64) {
        self.standing
            .insert((index, key.clone()), self.entries.len());
        self.entries.push(NewEntry {
            index,
            value,
            key: key.clone(),
            since: row,
            until: STANDS,
        });
    }
}

/// Whether the version that is replaced has an entry already: what is older than an index may not.
fn has_entry(index: &StoredIndex, write: &Write) -> bool {
    let previous = write.previous.as_ref();
    index.is_complete || previous.is_some_and(|previous| previous.row > index.declared)
}

/// The values of the indexes in the version that is replaced, where it is one with a body.
fn before(collection: &Collection, write: &Write) -> Option<Vec<Vec<u8>>> {
    if collection.indexes.is_empty() {
        return None;
    }
    let body = write.previous.as_ref()?.version.body.as_deref()?;
    let definition = collection.definition.as_ref()?;
    let limits = json::Limits::with_depth(json::DEPTH_MAX);
    let value = json::parse(body, limits).ok()?;
    let values = definition.indexes.iter();
    Some(
        values
            .map(|index| index_value_or_other(index, &value))
            .collect(),
    )
}
