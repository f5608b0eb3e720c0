//! Writing to the table: what was decided, all at one position; and what a decision sees.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    sync::Arc,
};

use bytes::Bytes;
use milepost_semantics::ResourceId;

use super::table::{Row, Superseded, Table};
use crate::{
    Applied, CollectionPath, Committed, Definitions, ParentPath, ResourceKey, Timestamp, Version,
    decision::{Current, Decided, Decision, State, Write},
    definition::Defined,
    transaction::Record,
};

impl Table {
    /// The recorded outcome of a transaction, and what it was the outcome of.
    pub(super) fn recorded(&self, id: &ResourceId) -> Option<([u8; 16], Version)> {
        let row = self
            .newest(&record_key(id))
            .filter(|row| row.body.is_some())?;
        Some((row.digest, self.version_of(row)))
    }

    /// Writes what was decided, all at one position.
    pub(super) fn commit(
        &mut self,
        decision: &Decision,
        record: Option<Record>,
        now: Timestamp,
    ) -> Committed {
        if !decision.writes.is_empty() || record.is_some() {
            self.head += 1;
            self.written = self.written.max(now);
        }
        let mut places = 0..;
        for write in &decision.writes {
            self.append(
                &write.key,
                body_of(write),
                write.digest,
                places.next().unwrap_or_default(),
            );
            self.declare(write);
        }
        let committed = self.committed(decision);
        if let Some(record) = record {
            let body = (record.render)(&committed);
            self.append(
                &record_key(&record.id),
                Some(body),
                record.digest,
                places.next().unwrap_or_default(),
            );
        }
        committed
    }

    fn append(&mut self, key: &ResourceKey, body: Option<Bytes>, digest: [u8; 16], place: u32) {
        let superseded = Superseded {
            sequence: self.head,
            at: self.written,
        };
        let rows = self.resources.entry(key.clone()).or_default();
        let newest = rows.iter_mut().find(|row| row.superseded.is_none());
        let replaced = newest.as_ref().map(|row| row.sequence);
        if let Some(row) = newest {
            row.superseded = Some(superseded);
        }
        let (sequence, modified) = (self.head, self.written);
        rows.push(Row {
            sequence,
            place,
            superseded: None,
            replaced,
            modified,
            body,
            digest,
        });
    }

    fn declare(&mut self, write: &Write) {
        if write.key.collection != CollectionPath::collections() {
            return;
        }
        let Some(path) = CollectionPath::parse(write.key.id.as_str()) else {
            return;
        };
        self.declare_indexes(&path, write);
        let position = self.head();
        let mut definitions = Definitions::clone(&self.definitions);
        match write
            .contents
            .as_ref()
            .and_then(|contents| contents.defines.clone())
        {
            Some(definition) => definitions.insert(
                path,
                Defined {
                    definition,
                    position,
                },
            ),
            None => definitions.remove(&path),
        }
        self.definitions = Arc::new(definitions);
    }

    fn declare_indexes(&mut self, path: &CollectionPath, write: &Write) {
        let contents = write.contents.as_ref();
        let definition = contents.and_then(|contents| contents.defines.clone());
        let indexes = definition.iter().flat_map(|definition| &definition.indexes);
        let now: BTreeMap<String, String> = indexes
            .map(|index| {
                let stands_for = format!("{} {:?}", index.pointer, index.value_type);
                (index.name.clone(), stands_for)
            })
            .collect();
        let before = self.declared.keys().filter(|(of, _)| of == path);
        let names: BTreeSet<String> = before
            .map(|(_, name)| name.clone())
            .chain(now.keys().cloned())
            .collect();
        for name in names {
            let stands_for = now.get(&name).cloned();
            let declared = self.declared.entry((path.clone(), name)).or_default();
            if declared.last().map(|(_, last)| last) != Some(&stands_for) {
                declared.push((self.head, stands_for));
            }
        }
    }

    fn committed(&self, decision: &Decision) -> Committed {
        let applied = decision.decided.iter().map(|(key, decided)| match decided {
            Decided::Writes(effect, _) => Applied {
                key: key.clone(),
                effect: *effect,
                version: self.version_as_of(key, None),
            },
            Decided::Stands(effect, version) => Applied {
                key: key.clone(),
                effect: *effect,
                version: version.clone(),
            },
        });
        Committed {
            position: self.head(),
            applied: applied.collect(),
        }
    }
}

fn record_key(id: &ResourceId) -> ResourceKey {
    ResourceKey::top(CollectionPath::transactions(), id.clone())
}

fn body_of(write: &Write) -> Option<Bytes> {
    write
        .contents
        .as_ref()
        .map(|contents| contents.bytes.clone())
}

impl State for Table {
    type Error = Infallible;

    fn current(&mut self, key: &ResourceKey) -> Result<Option<Current>, Infallible> {
        let current = |row: &Row| Current {
            version: self.version_of(row),
            digest: row.digest,
            row: 0,
            fields: None,
        };
        Ok(self.newest(key).map(current))
    }

    fn live_below(
        &mut self,
        collection: &CollectionPath,
        parent: &ParentPath,
        limit: usize,
    ) -> Result<Vec<ResourceKey>, Infallible> {
        let below = self
            .live(collection)
            .filter(|(key, _)| key.parent == *parent);
        Ok(below.take(limit).map(|(key, _)| key.clone()).collect())
    }

    fn live_count(&mut self, collection: &CollectionPath) -> Result<u64, Infallible> {
        Ok(self.live(collection).count() as u64)
    }

    fn definitions(&self) -> Arc<Definitions> {
        Self::definitions(self)
    }
}
