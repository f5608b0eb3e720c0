//! Forgetting: what lies at or before a floor, and where the declared bounds put the floors.

use super::table::{Row, Superseded, Table};
use crate::{CollectionPath, Definition, Timestamp, definition::Bounds};

/// From where on a collection is remembered; zero: from the beginning.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Floors {
    /// The oldest sequence whose snapshot is complete.
    pub(super) history: u64,
    /// The oldest sequence since which the changes are complete.
    pub(super) tombstones: u64,
}

/// Something that retention counts.
struct Kept {
    sequence: u64,
    at: Timestamp,
    bytes: u64,
}

impl Table {
    pub(super) fn prune_history(&mut self, collection: &CollectionPath, to: u64) {
        let floors = self.floors.entry(collection.clone()).or_default();
        floors.history = floors.history.max(to);
        self.forget(collection, |row| {
            row.superseded
                .is_some_and(|superseded| superseded.sequence <= to)
        });
    }

    pub(super) fn prune_tombstones(&mut self, collection: &CollectionPath, to: u64) {
        let floors = self.floors.entry(collection.clone()).or_default();
        floors.tombstones = floors.tombstones.max(to);
        self.forget(collection, |row| is_tombstone(row) && row.sequence <= to);
    }

    fn forget(&mut self, collection: &CollectionPath, is_forgotten: impl Fn(&Row) -> bool) {
        for (key, rows) in &mut self.resources {
            if key.collection == *collection {
                rows.retain(|row| !is_forgotten(row));
            }
        }
        self.resources.retain(|_, rows| !rows.is_empty());
    }

    pub(super) fn sweep(&mut self, now: Timestamp) {
        let mut collections: Vec<CollectionPath> = self
            .resources
            .keys()
            .map(|key| key.collection.clone())
            .collect();
        collections.dedup();
        for collection in collections {
            let defined = self.defined(&collection);
            let retention = defined.map_or_else(
                || Definition::default().retention,
                |defined| defined.definition.retention,
            );
            if let Some(to) = floor(self.history(&collection), retention.history, now) {
                self.prune_history(&collection, to);
            }
            if let Some(to) = floor(self.tombstones(&collection), retention.tombstones, now) {
                self.prune_tombstones(&collection, to);
            }
        }
    }

    fn history(&self, collection: &CollectionPath) -> Vec<Kept> {
        let kept = |row: &Row, superseded: Superseded| Kept {
            sequence: superseded.sequence,
            at: superseded.at,
            bytes: row.body.as_ref().map_or(0, |body| body.len() as u64),
        };
        self.rows(collection)
            .filter_map(|(_, row)| Some(kept(row, row.superseded?)))
            .collect()
    }

    fn tombstones(&self, collection: &CollectionPath) -> Vec<Kept> {
        let tombstones = self.rows(collection).filter(|(_, row)| is_tombstone(row));
        tombstones
            .map(|(_, row)| Kept {
                sequence: row.sequence,
                at: row.modified,
                bytes: 0,
            })
            .collect()
    }
}

fn is_tombstone(row: &Row) -> bool {
    row.body.is_none() && row.superseded.is_none()
}

/// The newest sequence that has to be forgotten for the rest to be within bounds.
fn floor(mut kept: Vec<Kept>, bounds: Bounds, now: Timestamp) -> Option<u64> {
    kept.sort_by_key(|kept| kept.sequence);
    let mut count = kept.len() as u64;
    let mut bytes: u64 = kept.iter().map(|kept| kept.bytes).sum();
    let mut floor = None;
    for kept in kept {
        let too_old = bounds
            .age_ms
            .is_some_and(|age_ms| kept.at.0.saturating_add(age_ms) < now.0);
        let too_many = bounds.count.is_some_and(|most| count > most);
        let too_large = bounds.bytes.is_some_and(|most| bytes > most);
        if !(too_old || too_many || too_large) {
            break;
        }
        floor = Some(kept.sequence);
        count -= 1;
        bytes -= kept.bytes;
    }
    floor
}
