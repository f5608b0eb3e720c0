//! The in-memory store keeps every promise, by its own hooks for restarts, backups and forgetting.

use std::sync::Arc;

use async_trait::async_trait;
use milepost_store::{
    Store, clock::ManualClock, conformance::Fixture, conformance_tests, memory::MemoryStore,
};

use crate::NOW;

pub(crate) struct InMemory {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    store: Arc<dyn Store>,
    /// A copy from when the backup was taken.
    backup: Option<Arc<MemoryStore>>,
}

impl InMemory {
    pub(crate) fn memory(&self) -> &MemoryStore {
        &self.memory
    }

    fn of(memory: MemoryStore, clock: Arc<ManualClock>) -> Self {
        let memory = Arc::new(memory);
        let store = Arc::clone(&memory) as Arc<dyn Store>;
        Self {
            clock,
            memory,
            store,
            backup: None,
        }
    }
}

#[async_trait]
impl Fixture for InMemory {
    async fn fresh() -> Self {
        let clock = Arc::new(ManualClock::new(NOW));
        Self::of(MemoryStore::with_clock(Arc::clone(&clock) as _), clock)
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn settle(&self) {
        self.memory.sweep();
    }

    async fn reopened(self) -> Self {
        let backup = self.backup;
        Self {
            backup,
            ..Self::of(self.memory.restarted(), self.clock)
        }
    }

    async fn forked(self) -> (Self, Self) {
        let other = Self::of(self.memory.restarted(), Arc::clone(&self.clock));
        (self.reopened().await, other)
    }

    async fn back_up(&mut self) {
        self.backup = Some(Arc::new(self.memory.restarted()));
    }

    async fn restored(self) -> Self {
        let backup = self.backup.expect("a backup");
        let restored = backup.restored_at(backup.head()).expect("its own head");
        Self {
            backup: Some(backup),
            ..Self::of(restored, self.clock)
        }
    }
}

conformance_tests!(InMemory);
