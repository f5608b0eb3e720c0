//! The temporal table itself: every version of every resource, and the questions to it.

use std::{collections::BTreeMap, convert::Infallible, sync::Arc};

use bytes::Bytes;
use milepost_semantics::{History, Position, ResourceId, json};

use super::retention::Floors;
use crate::{
    Applied, CollectionPath, Committed, Definition, Definitions, ParentPath, ReadError,
    ResourceKey, Timestamp, Version, VersionPage,
    decision::{Current, Decided, Decision, State, Write},
    definition::Defined,
    positions::{Incarnation, Lineage, random},
    store::CollectionState,
    transaction::Record,
};

/// A version, with where it began and where it ended.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) sequence: u64,
    /// Its place in the commit that made it.
    pub(super) place: u32,
    pub(super) superseded: Option<Superseded>,
    pub(super) replaced: Option<u64>,
    pub(super) modified: Timestamp,
    pub(super) body: Option<Bytes>,
    pub(super) digest: [u8; 16],
}

/// The commit that ended a version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Superseded {
    pub(super) sequence: u64,
    pub(super) at: Timestamp,
}

#[derive(Clone, Debug)]
pub(super) struct Table {
    history: History,
    incarnations: Vec<Incarnation>,
    head: u64,
    /// When the newest commit was made; time never goes back from one commit to the next.
    written: Timestamp,
    definitions: Arc<Definitions>,
    /// The versions of each resource, oldest first.
    pub(super) resources: BTreeMap<ResourceKey, Vec<Row>>,
    pub(super) floors: BTreeMap<CollectionPath, Floors>,
}

impl Row {
    fn stands_at(&self, sequence: u64) -> bool {
        self.sequence <= sequence
            && self
                .superseded
                .is_none_or(|superseded| superseded.sequence > sequence)
    }
}

impl Table {
    pub(super) fn empty() -> Self {
        Self {
            history: History::from_random(random()),
            incarnations: vec![Incarnation {
                first_sequence: 0,
                salt: random(),
            }],
            head: 0,
            written: Timestamp(0),
            definitions: Arc::default(),
            resources: BTreeMap::new(),
            floors: BTreeMap::new(),
        }
    }

    pub(super) fn reopened(&self) -> Self {
        let mut table = self.clone();
        table.incarnations.push(Incarnation {
            first_sequence: self.head + 1,
            salt: random(),
        });
        table
    }

    pub(super) fn restored_at(&self, position: Position) -> Result<Self, ReadError> {
        let collections = self.resources.keys().map(|key| key.collection.clone());
        for collection in collections.chain([CollectionPath::collections()]) {
            self.as_of(&collection, position)?;
        }
        let sequence = position.sequence();
        let mut table = self.clone();
        table.history = History::from_random(random());
        table
            .incarnations
            .retain(|incarnation| incarnation.first_sequence <= sequence);
        table.incarnations.push(Incarnation {
            first_sequence: sequence + 1,
            salt: random(),
        });
        table.head = sequence;
        table.truncate();
        table.definitions = Arc::new(table.stored_definitions());
        Ok(table)
    }

    /// Takes away what came after the head.
    fn truncate(&mut self) {
        let head = self.head;
        for rows in self.resources.values_mut() {
            rows.retain(|row| row.sequence <= head);
            for row in rows {
                row.superseded = row
                    .superseded
                    .filter(|superseded| superseded.sequence <= head);
            }
        }
        self.resources.retain(|_, rows| !rows.is_empty());
    }

    fn stored_definitions(&self) -> Definitions {
        let mut definitions = Definitions::default();
        for (key, row) in self.live(&CollectionPath::collections()) {
            let value = row
                .body
                .as_ref()
                .and_then(|body| json::parse(body, json::Limits::default()).ok());
            let definition = value.and_then(|value| Definition::parse(&value).ok());
            if let (Some(path), Some(definition)) =
                (CollectionPath::parse(key.id.as_str()), definition)
            {
                let position = self.position(row.sequence);
                definitions.insert(
                    path,
                    Defined {
                        definition: Arc::new(definition),
                        position,
                    },
                );
            }
        }
        definitions
    }

    fn lineage(&self) -> Lineage {
        Lineage::new(self.history, self.incarnations.clone())
    }

    pub(super) fn position(&self, sequence: u64) -> Position {
        self.lineage().position(sequence)
    }

    pub(super) fn head(&self) -> Position {
        self.position(self.head)
    }

    /// The sequence of a position that was committed here.
    pub(super) fn sequence(&self, position: Position) -> Option<u64> {
        self.lineage().sequence(position, self.head)
    }

    /// As [`Table::sequence`], or the error that says from where on a collection is remembered.
    pub(super) fn known(
        &self,
        collection: &CollectionPath,
        position: Position,
    ) -> Result<u64, ReadError> {
        let oldest = self.position(self.floors(collection).history);
        self.sequence(position).ok_or(ReadError::Expired { oldest })
    }

    /// The sequence of a position at which everything of a collection is still remembered.
    pub(super) fn as_of(
        &self,
        collection: &CollectionPath,
        position: Position,
    ) -> Result<u64, ReadError> {
        let floor = self.floors(collection).history;
        let sequence = self.known(collection, position)?;
        if sequence < floor {
            Err(ReadError::Expired {
                oldest: self.position(floor),
            })
        } else {
            Ok(sequence)
        }
    }

    pub(super) fn floors(&self, collection: &CollectionPath) -> Floors {
        self.floors.get(collection).copied().unwrap_or_default()
    }

    /// What is declared about a collection; the service's own always are.
    pub(super) fn defined(&self, collection: &CollectionPath) -> Option<Defined> {
        let reserved = || Defined {
            definition: Arc::default(),
            position: self.position(0),
        };
        self.definitions
            .of(collection)
            .cloned()
            .or_else(|| collection.is_reserved().then(reserved))
    }

    pub(super) fn collection(&self, collection: &CollectionPath) -> Option<CollectionState> {
        let defined = self.defined(collection)?;
        let floors = self.floors(collection);
        Some(CollectionState {
            head: self.position(self.newest_change(collection, &defined)),
            defined_at: defined.position,
            definition: defined.definition,
            oldest_snapshot: self.position(floors.history),
            oldest_change: self.position(floors.tombstones),
        })
    }

    /// What was forgotten lay at a floor or before, so that this never goes back.
    pub(super) fn newest_change(&self, collection: &CollectionPath, defined: &Defined) -> u64 {
        let floors = self.floors(collection);
        let floor = floors
            .history
            .max(floors.tombstones)
            .max(defined.position.sequence());
        self.rows(collection)
            .map(|(_, row)| row.sequence)
            .fold(floor, u64::max)
    }

    /// Every version in a collection, by resource, oldest first.
    pub(super) fn rows(
        &self,
        collection: &CollectionPath,
    ) -> impl Iterator<Item = (&ResourceKey, &Row)> {
        let within = self
            .resources
            .iter()
            .filter(move |(key, _)| key.collection == *collection);
        within.flat_map(|(key, rows)| rows.iter().map(move |row| (key, row)))
    }

    /// The live resources of a collection, as of now.
    fn live(&self, collection: &CollectionPath) -> impl Iterator<Item = (&ResourceKey, &Row)> {
        self.live_at(collection, self.head)
    }

    /// The live resources of a collection as of a sequence, by parent and id.
    pub(super) fn live_at(
        &self,
        collection: &CollectionPath,
        sequence: u64,
    ) -> impl Iterator<Item = (&ResourceKey, &Row)> {
        self.rows(collection)
            .filter(move |(_, row)| row.stands_at(sequence) && row.body.is_some())
    }

    pub(super) fn version_of(&self, row: &Row) -> Version {
        Version {
            position: self.position(row.sequence),
            replaced: row.replaced.map(|replaced| self.position(replaced)),
            modified: row.modified,
            body: row.body.clone(),
        }
    }

    fn rows_of(&self, key: &ResourceKey) -> &[Row] {
        self.resources.get(key).map_or(&[], Vec::as_slice)
    }

    fn newest(&self, key: &ResourceKey) -> Option<&Row> {
        self.rows_of(key)
            .iter()
            .find(|row| row.superseded.is_none())
    }

    pub(super) fn version_as_of(
        &self,
        key: &ResourceKey,
        sequence: Option<u64>,
    ) -> Option<Version> {
        let sequence = sequence.unwrap_or(self.head);
        let row = self
            .rows_of(key)
            .iter()
            .find(|row| row.stands_at(sequence))?;
        Some(self.version_of(row))
    }

    pub(super) fn version_made_at(&self, key: &ResourceKey, sequence: u64) -> Option<Version> {
        let row = self
            .rows_of(key)
            .iter()
            .find(|row| row.sequence == sequence)?;
        Some(self.version_of(row))
    }

    pub(super) fn versions(
        &self,
        key: &ResourceKey,
        before: Option<u64>,
        limit: usize,
    ) -> VersionPage {
        let rows = self.rows_of(key).iter().rev();
        let asked = rows.filter(|row| before.is_none_or(|before| row.sequence < before));
        let mut found: Vec<Version> = asked.map(|row| self.version_of(row)).collect();
        let more = found.len() > limit.max(1);
        found.truncate(limit.max(1));
        let before = found
            .last()
            .filter(|_| more)
            .map(|version| version.position);
        VersionPage {
            versions: found,
            before,
        }
    }

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

    pub(super) fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions)
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

    fn has_live(&mut self, collection: &CollectionPath) -> Result<bool, Infallible> {
        Ok(self.live(collection).next().is_some())
    }

    fn definitions(&self) -> Arc<Definitions> {
        Self::definitions(self)
    }
}
