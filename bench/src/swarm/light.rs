//! A replica that keeps tags and no documents: enough to prove that a follower has all of them.

use std::collections::{HashMap, HashSet};

use milepost_sync::{Applied, Delivery, Held, Key, Replica, ReplicaError, SetDigest, Version};

/// Tags by key.
#[derive(Debug, Default)]
pub(super) struct LightReplica {
    tags: HashMap<Key, String>,
    /// What a complete representation that is under way has not named yet.
    unnamed: Option<HashSet<Key>>,
    digest: SetDigest,
}

impl LightReplica {
    fn remove(&mut self, key: &Key) {
        if let Some(tag) = self.tags.remove(key) {
            self.digest.remove(key.as_str(), &tag);
        }
    }
}

impl Replica for LightReplica {
    fn held(&self) -> Result<Option<Held>, ReplicaError> {
        Ok(None)
    }

    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError> {
        if delivery.replace {
            self.unnamed = Some(self.tags.keys().cloned().collect());
        }
        for change in &delivery.changes {
            self.remove(&change.key);
            if let Some(unnamed) = &mut self.unnamed {
                unnamed.remove(&change.key);
            }
            if let Some(version) = &change.version {
                self.digest.insert(change.key.as_str(), &version.etag);
                self.tags.insert(change.key.clone(), version.etag.clone());
            }
        }
        if delivery.complete {
            for key in self.unnamed.take().into_iter().flatten() {
                self.remove(&key);
            }
        }
        Ok(Applied {
            digest: self.digest,
            ..Applied::default()
        })
    }

    fn forget(&mut self) -> Result<(), ReplicaError> {
        self.unnamed = None;
        Ok(())
    }

    fn lookup(&self, _: &Key) -> Result<Option<Version>, ReplicaError> {
        Ok(None)
    }

    fn count(&self) -> Result<u64, ReplicaError> {
        Ok(u64::try_from(self.tags.len()).unwrap_or(u64::MAX))
    }
}
