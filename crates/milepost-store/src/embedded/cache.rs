//! Hot representations in memory, bounded in bytes.
//!
//! A read after an acknowledged write must see it, so no entry may outlive the version it holds.
//! The writer takes out what a batch is about to change before it commits, and puts in what the
//! batch made before anybody is told. A reader that missed may offer what it found on disk, but only
//! if nothing was written to that part of the cache since it looked: each shard counts its writes,
//! and an offer under an old count is refused.
//!
//! Eviction is second chance: an entry that was read since it was last looked at stays once more.

use std::{
    collections::{HashMap, VecDeque},
    hash::{BuildHasher, Hash},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use foldhash::fast::RandomState;

const SHARDS: usize = 16;

/// What can be kept.
pub(super) trait Weigh: Clone {
    /// What keeping it costs, with its key and its place, in bytes.
    fn bytes(&self) -> usize;
}

/// What was true of a shard when a reader missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp(u64);

/// See the module.
#[derive(Debug)]
pub(super) struct Cache<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    hasher: RandomState,
    shard_bytes_max: usize,
}

#[derive(Debug)]
struct Shard<K, V> {
    entries: HashMap<K, Entry<V>, RandomState>,
    queue: VecDeque<K>,
    bytes: usize,
    writes: u64,
}

#[derive(Debug)]
struct Entry<V> {
    cached: V,
    was_read: AtomicBool,
}

impl<K: Hash + Eq + Clone, V: Weigh> Cache<K, V> {
    pub(super) fn new(bytes_max: usize) -> Self {
        let shards = (0..SHARDS).map(|_| Mutex::new(Shard::new())).collect();
        Self {
            shards,
            hasher: RandomState::default(),
            shard_bytes_max: bytes_max / SHARDS,
        }
    }

    /// What is known of a resource, or the stamp to offer it under.
    pub(super) fn look_up(&self, key: &K) -> Result<V, Stamp> {
        let shard = self.shard(key);
        match shard.entries.get(key) {
            Some(entry) => {
                entry.was_read.store(true, Ordering::Relaxed);
                Ok(entry.cached.clone())
            }
            None => Err(Stamp(shard.writes)),
        }
    }

    /// A reader's find, refused where the writer was there since.
    pub(super) fn offer(&self, key: &K, stamp: Stamp, cached: V) {
        let mut shard = self.shard(key);
        if shard.writes == stamp.0 {
            shard.insert(key, cached, self.shard_bytes_max);
        }
    }

    /// The writer is about to change this resource.
    pub(super) fn take_out(&self, key: &K) {
        let mut shard = self.shard(key);
        shard.writes += 1;
        shard.remove(key);
    }

    /// The writer has changed this resource.
    pub(super) fn put_in(&self, key: &K, cached: V) {
        let mut shard = self.shard(key);
        shard.writes += 1;
        shard.insert(key, cached, self.shard_bytes_max);
    }

    /// The bytes in use, about.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| lock(shard).bytes).sum()
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, V>> {
        let hash = usize::try_from(self.hasher.hash_one(key) >> 32).unwrap_or(0);
        #[expect(
            clippy::indexing_slicing,
            reason = "a remainder of the number of shards"
        )]
        lock(&self.shards[hash % SHARDS])
    }
}

/// A shard is whole between any two statements that can panic, so a poisoned lock is still good.
fn lock<K, V>(shard: &Mutex<Shard<K, V>>) -> MutexGuard<'_, Shard<K, V>> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<K: Hash + Eq + Clone, V: Weigh> Shard<K, V> {
    fn new() -> Self {
        Self {
            entries: HashMap::default(),
            queue: VecDeque::new(),
            bytes: 0,
            writes: 0,
        }
    }

    fn insert(&mut self, key: &K, cached: V, bytes_max: usize) {
        let bytes = cached.bytes();
        if bytes > bytes_max {
            self.remove(key);
            return;
        }
        let entry = Entry {
            cached,
            was_read: AtomicBool::new(false),
        };
        match self.entries.insert(key.clone(), entry) {
            Some(previous) => self.bytes -= previous.cached.bytes(),
            None => self.queue.push_back(key.clone()),
        }
        self.bytes += bytes;
        while self.bytes > bytes_max && self.evict_one() {}
    }

    fn remove(&mut self, key: &K) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= entry.cached.bytes();
            // Its place in the queue is skipped when it comes up, unless the key is back by then;
            // so that such places can't pile up, a queue much longer than the map is made anew.
            if self.queue.len() > 64 + 4 * self.entries.len() {
                self.queue = self.entries.keys().cloned().collect();
            }
        }
    }

    fn evict_one(&mut self) -> bool {
        while let Some(key) = self.queue.pop_front() {
            let Some(entry) = self.entries.get(&key) else {
                continue;
            };
            if entry.was_read.swap(false, Ordering::Relaxed) {
                self.queue.push_back(key);
                continue;
            }
            self.remove(&key);
            return true;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use milepost_semantics::{Check, History, Position};

    use super::{Cache, SHARDS};
    use crate::{CollectionPath, ResourceKey, Timestamp, Version, embedded::Cached};

    fn cached(sequence: u64, bytes: usize) -> Cached {
        let position = Position::new(History::from_random(1), sequence, Check::from_hash(0));
        let body = Some(Bytes::from(vec![b'x'; bytes]));
        Cached {
            version: Version {
                position,
                replaced: None,
                modified: Timestamp(0),
                body,
            },
            row: 1,
            digest: [0; 16],
            fields: None,
        }
    }

    fn key(id: usize) -> ResourceKey {
        let collection = CollectionPath::parse("things").expect("a name");
        ResourceKey::top(collection, format!("{id}").parse().expect("an id"))
    }

    #[test]
    fn an_offer_is_refused_when_the_writer_was_there_since() {
        let cache = Cache::new(1 << 20);
        let stamp = cache.look_up(&key(1)).expect_err("nothing there yet");
        cache.take_out(&key(1));
        cache.offer(&key(1), stamp, cached(1, 10));
        assert!(cache.look_up(&key(1)).is_err());
    }

    #[test]
    fn it_never_holds_more_than_its_bytes_and_keeps_what_is_read() {
        let bytes_max = SHARDS * 10_000;
        let cache = Cache::new(bytes_max);
        cache.put_in(&key(0), cached(1, 1000));
        for id in 1..10_000 {
            assert!(cache.look_up(&key(0)).is_ok(), "hot entry evicted at {id}");
            cache.put_in(&key(id), cached(1, 1000));
        }
        assert!(cache.bytes() <= bytes_max);
    }

    #[test]
    fn what_is_too_large_is_left_out_and_takes_its_old_version_along() {
        let cache = Cache::new(SHARDS * 2000);
        cache.put_in(&key(1), cached(1, 10));
        cache.put_in(&key(1), cached(2, 5000));
        assert!(cache.look_up(&key(1)).is_err());
        assert_eq!(cache.bytes(), 0);
    }
}
