//! What a decision sees: the storage transaction's state, and over it what the transaction itself
//! has done so far.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use foldhash::fast::RandomState;
use milepost_semantics::precondition::Condition;

use super::{CHANGES_MAX, Decided, Decision, Write};
use crate::{
    CollectionPath, Definition, Definitions, Effect, Failure, ParentPath, ResourceKey, Version,
};

/// The newest version of a resource, as a decision needs it.
#[derive(Clone, Debug)]
pub struct Current {
    /// The version; may be a tombstone.
    pub version: Version,
    /// Identifies the patch that made it; zero for other writes.
    pub digest: [u8; 16],
    /// The backend's own name for the version's row.
    pub row: i64,
    /// What the backend keeps beside the body, as it keeps it; `None` where it keeps nothing.
    pub fields: Option<Bytes>,
}

impl Current {
    /// Whether it is no tombstone.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.version.is_deleted()
    }
}

/// The state that the storage transaction sees.
pub trait State {
    /// What the storage says when it fails.
    type Error;

    /// The newest version of a resource, tombstones included.
    ///
    /// # Errors
    /// Where the storage fails.
    fn current(&mut self, key: &ResourceKey) -> Result<Option<Current>, Self::Error>;

    /// The live resources of a collection directly below `parent`, at most `limit`, in order.
    ///
    /// # Errors
    /// Where the storage fails.
    fn live_below(
        &mut self,
        collection: &CollectionPath,
        parent: &ParentPath,
        limit: usize,
    ) -> Result<Vec<ResourceKey>, Self::Error>;

    /// How many live resources a collection holds.
    ///
    /// # Errors
    /// Where the storage fails.
    fn live_count(&mut self, collection: &CollectionPath) -> Result<u64, Self::Error>;

    /// What is declared, as the earlier transactions left it.
    fn definitions(&self) -> Arc<Definitions>;
}

/// The state as the operations so far would leave it.
pub(super) struct Overlay<'s, S> {
    state: &'s mut S,
    decision: Decision,
    written: HashMap<ResourceKey, usize, RandomState>,
    definitions: Arc<Definitions>,
}

impl<'s, S: State> Overlay<'s, S> {
    pub(super) fn new(state: &'s mut S) -> Self {
        let definitions = state.definitions();
        Self {
            state,
            decision: Decision::default(),
            written: HashMap::default(),
            definitions,
        }
    }

    pub(super) fn into_decision(self) -> Decision {
        self.decision
    }

    /// Of several operations, none is taken for carried out before by what stands of its resource alone.
    pub(super) fn refuse_part(&self, operations: usize) -> Result<(), Failure> {
        match self.decision.decided.last() {
            Some((_, Decided::Stands(Effect::AlreadyApplied, current))) if operations > 1 => {
                Err(Failure::PreconditionFailed {
                    condition: Condition::IfMatch,
                    current: current.clone(),
                })
            }
            _ => Ok(()),
        }
    }

    pub(super) fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// The definition that this transaction leaves for a collection.
    pub(super) fn definition(&self, collection: &CollectionPath) -> Option<Arc<Definition>> {
        let key = ResourceKey::definition(collection)?;
        match self
            .written
            .get(&key)
            .and_then(|index| self.decision.writes.get(*index))
        {
            Some(write) => write
                .contents
                .as_ref()
                .and_then(|contents| contents.defines.clone()),
            None => self
                .definitions
                .of(collection)
                .map(|defined| Arc::clone(&defined.definition)),
        }
    }

    /// Whether this transaction has already written the resource.
    pub(super) fn has_written(&self, key: &ResourceKey) -> bool {
        self.written.contains_key(key)
    }

    /// The newest version in storage, of a resource that this transaction has not written.
    pub(super) fn current(&mut self, key: &ResourceKey) -> Result<Option<Current>, S::Error> {
        self.state.current(key)
    }

    pub(super) fn exists(&mut self, key: &ResourceKey) -> Result<bool, S::Error> {
        if let Some(write) = self
            .written
            .get(key)
            .and_then(|index| self.decision.writes.get(*index))
        {
            return Ok(write.contents.is_some());
        }
        Ok(self
            .state
            .current(key)?
            .is_some_and(|current| !current.version.is_deleted()))
    }

    /// The live resources directly below `parent`, with this transaction's own writes counted.
    pub(super) fn live_below(
        &mut self,
        collection: &CollectionPath,
        parent: &ParentPath,
        limit: usize,
    ) -> Result<Vec<ResourceKey>, S::Error> {
        let mut keys =
            self.state
                .live_below(collection, parent, limit.saturating_add(self.written.len()))?;
        let below = |key: &ResourceKey| key.collection == *collection && key.parent == *parent;
        keys.retain(|key| !self.written.contains_key(key));
        let made = self
            .decision
            .writes
            .iter()
            .filter(|write| below(&write.key) && write.contents.is_some());
        keys.extend(made.map(|write| write.key.clone()));
        keys.truncate(limit);
        Ok(keys)
    }

    /// Whether a collection holds any live resource, with this transaction's own writes counted.
    pub(super) fn has_live(&mut self, collection: &CollectionPath) -> Result<bool, S::Error> {
        let mut live = self.state.live_count(collection)?;
        let writes = self.decision.writes.iter();
        for write in writes.filter(|write| write.key.collection == *collection) {
            let previous = write.previous.as_ref();
            let was_live = previous.is_some_and(|previous| !previous.version.is_deleted());
            live = (live + u64::from(write.contents.is_some())).saturating_sub(u64::from(was_live));
        }
        Ok(live > 0)
    }

    /// Adds a write that no operation names: a delete that cascades.
    pub(super) fn also(&mut self, write: Write) -> Result<(), Failure> {
        if self.decision.writes.len() >= CHANGES_MAX {
            return Err(Failure::TooManyChanges);
        }
        self.written
            .insert(write.key.clone(), self.decision.writes.len());
        self.decision.writes.push(write);
        Ok(())
    }

    pub(super) fn write(&mut self, effect: Effect, write: Write) -> Result<(), Failure> {
        let key = write.key.clone();
        self.also(write)?;
        let index = self.decision.writes.len() - 1;
        self.decision
            .decided
            .push((key, Decided::Writes(effect, index)));
        Ok(())
    }

    pub(super) fn stands(&mut self, key: &ResourceKey, effect: Effect, version: Option<Version>) {
        self.decision
            .decided
            .push((key.clone(), Decided::Stands(effect, version)));
    }
}
