//! The temporal table itself: every version of every resource, and the questions to it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use milepost_semantics::{History, Position};

use super::retention::Floors;
use crate::{
    CollectionPath, Definitions, ReadError, ResourceKey, Timestamp, Version, VersionPage,
    definition::Defined,
    positions::{Incarnation, Lineage, random},
    store::CollectionState,
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

/// From which commit on an index stood for which pointer, read as which type, or for none.
pub(super) type Declared = (u64, Option<String>);

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) history: History,
    pub(super) incarnations: Vec<Incarnation>,
    pub(super) head: u64,
    /// When the newest commit was made; time never goes back from one commit to the next.
    pub(super) written: Timestamp,
    pub(super) definitions: Arc<Definitions>,
    /// The versions of each resource, oldest first.
    pub(super) resources: BTreeMap<ResourceKey, Vec<Row>>,
    pub(super) floors: BTreeMap<CollectionPath, Floors>,
    /// What each index, by collection and name, has stood for.
    pub(super) declared: BTreeMap<(CollectionPath, String), Vec<Declared>>,
}

impl Row {
    pub(super) fn stands_at(&self, sequence: u64) -> bool {
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
            declared: BTreeMap::new(),
        }
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
    pub(super) fn live(
        &self,
        collection: &CollectionPath,
    ) -> impl Iterator<Item = (&ResourceKey, &Row)> {
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

    pub(super) fn rows_of(&self, key: &ResourceKey) -> &[Row] {
        self.resources.get(key).map_or(&[], Vec::as_slice)
    }

    pub(super) fn newest(&self, key: &ResourceKey) -> Option<&Row> {
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

    pub(super) fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.definitions)
    }
}
