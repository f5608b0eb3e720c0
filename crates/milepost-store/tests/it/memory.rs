//! The in-memory store keeps every promise, by its own hooks for restarts, backups and forgetting.

use std::sync::Arc;

use async_trait::async_trait;
use milepost_semantics::Position;
use milepost_store::{
    Store, clock::ManualClock, conformance::Fixture, conformance_tests, memory::MemoryStore,
};

use crate::NOW;

pub(crate) struct InMemory {
    clock: Arc<ManualClock>,
    memory: Arc<MemoryStore>,
    store: Arc<dyn Store>,
    backed_up: Option<Position>,
}

impl InMemory {
    fn of(memory: MemoryStore, clock: Arc<ManualClock>) -> Self {
        let memory = Arc::new(memory);
        let store = Arc::clone(&memory) as Arc<dyn Store>;
        Self {
            clock,
            memory,
            store,
            backed_up: None,
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
        let backed_up = self.backed_up;
        Self {
            backed_up,
            ..Self::of(self.memory.restarted(), self.clock)
        }
    }

    async fn forked(self) -> (Self, Self) {
        let other = Self::of(self.memory.restarted(), Arc::clone(&self.clock));
        (self.reopened().await, other)
    }

    async fn back_up(&mut self) {
        self.backed_up = Some(self.store.head());
    }

    async fn restored(self) -> Self {
        let position = self.backed_up.expect("a backup");
        let restored = self
            .memory
            .restored_at(position)
            .expect("a position that is remembered");
        Self::of(restored, self.clock)
    }
}

conformance_tests!(InMemory);
