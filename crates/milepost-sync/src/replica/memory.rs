//! A replica in memory: for tests, for views, for programs that are short-lived.
//!
//! It has no edits, and loses everything when it goes.

use std::collections::{BTreeMap, btree_map};

use super::{Applied, Held, Replica, ReplicaError, Version};
use crate::digest::SetDigest;
use crate::page::{Change, Delivery, Key};

/// Documents in a map.
#[derive(Clone, Debug, Default)]
pub struct MemoryReplica {
    documents: BTreeMap<Key, Stored>,
    held: Option<Held>,
    digest: SetDigest,
    generation: u64,
}

#[derive(Clone, Debug)]
struct Stored {
    version: Version,
    /// The complete representation that named it last.
    generation: u64,
}

impl MemoryReplica {
    /// An empty replica.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The documents, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Version)> {
        self.documents
            .iter()
            .map(|(key, stored)| (key, &stored.version))
    }

    fn take_in(&mut self, change: &Change, applied: &mut Applied) {
        let Some(version) = &change.version else {
            if let Some(old) = self.documents.remove(&change.key) {
                self.digest.remove(change.key.as_str(), &old.version.etag);
                applied.removals += 1;
            }
            return;
        };
        let stored = Stored {
            version: version.clone(),
            generation: self.generation,
        };
        self.digest.insert(change.key.as_str(), &version.etag);
        let old = match self.documents.entry(change.key.clone()) {
            btree_map::Entry::Occupied(mut entry) => Some(entry.insert(stored)),
            btree_map::Entry::Vacant(entry) => {
                entry.insert(stored);
                None
            }
        };
        if let Some(old) = &old {
            self.digest.remove(change.key.as_str(), &old.version.etag);
        }
        if old.is_none_or(|old| old.version.etag != version.etag) {
            applied.puts += 1;
        }
    }

    /// Removes what the complete representation did not name.
    fn sweep(&mut self, applied: &mut Applied) {
        let (generation, digest) = (self.generation, &mut self.digest);
        self.documents.retain(|key, stored| {
            let stays = stored.generation == generation;
            if !stays {
                digest.remove(key.as_str(), &stored.version.etag);
                applied.removals += 1;
            }
            stays
        });
    }
}

impl Replica for MemoryReplica {
    fn held(&self) -> Result<Option<Held>, ReplicaError> {
        Ok(self.held.clone())
    }

    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError> {
        let was_complete = self.held.as_ref().is_none_or(|held| held.is_complete);
        let mut applied = Applied::default();
        if delivery.replace {
            self.generation += 1;
        }
        for change in &delivery.changes {
            self.take_in(change, &mut applied);
        }
        if delivery.complete && (delivery.replace || !was_complete) {
            self.sweep(&mut applied);
        }
        self.held = Some(Held {
            bookmark: delivery.bookmark.clone(),
            position: delivery.position,
            is_complete: delivery.complete || (was_complete && !delivery.replace),
            digest: self.digest,
        });
        applied.digest = self.digest;
        Ok(applied)
    }

    fn forget(&mut self) -> Result<(), ReplicaError> {
        self.held = None;
        Ok(())
    }

    fn lookup(&self, key: &Key) -> Result<Option<Version>, ReplicaError> {
        Ok(self.documents.get(key).map(|stored| stored.version.clone()))
    }

    fn count(&self) -> Result<u64, ReplicaError> {
        Ok(self.documents.len() as u64)
    }
}
