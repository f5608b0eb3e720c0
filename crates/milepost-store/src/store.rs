//! The contract that every backend keeps. [`conformance`](crate::conformance) is its other half.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use milepost_semantics::Position;
use tokio::sync::watch;

use crate::{
    ChangesPage, ChangesQuery, CollectionPath, Definition, Definitions, ListQuery, Outcome, Page,
    ReadError, ResourceKey, Transaction, Version, VersionPage, WriteError,
};

/// What a store remembers of one collection, at one moment.
#[derive(Clone, Debug)]
pub struct CollectionState {
    /// What is declared.
    pub definition: Arc<Definition>,
    /// The version of the definition.
    pub defined_at: Position,
    /// The position of the newest change in the collection; `defined_at` while there was none.
    /// The collection's state here is its state now.
    pub head: Position,
    /// The oldest position whose snapshot is complete.
    pub oldest_snapshot: Position,
    /// The oldest position from which the changes to now are complete.
    pub oldest_change: Position,
}

/// Whether a store can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// Reads and writes.
    Up,
    /// Reads only, and why: a full disk, a failed sync.
    ReadOnly(String),
    /// Neither, and why.
    Down(String),
}

/// What kind of store it is, for those who run it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// One word: `embedded`, `postgresql`.
    pub name: &'static str,
    /// Whether a server elsewhere takes the writes, which may be reachable or not: where it isn't, the
    /// store is [`Health::Down`].
    pub has_primary: bool,
}

/// Resource state, in one total order of commits.
///
/// * A write that was acknowledged is durable and seen by every later read.
/// * A precondition is evaluated in the same storage transaction as the write it guards.
/// * A position becomes visible only after every smaller one.
/// * A store knows nothing about who asks, and keeps nothing between two calls but resource state.
#[async_trait]
pub trait Store: Debug + Send + Sync + 'static {
    /// The position of the newest visible commit.
    fn head(&self) -> Position;

    /// The position of the commit with this sequence; `None` ahead of the head.
    fn at(&self, sequence: u64) -> Option<Position>;

    /// Brings [`Store::head`] and [`Store::definitions`] to what every node of the store had acknowledged
    /// when this was called. Needed only where [`Kind::has_primary`]: others always are.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] where the primary can't be asked.
    async fn refresh(&self) -> Result<(), ReadError> {
        Ok(())
    }

    /// Everything that is declared, as of now.
    fn definitions(&self) -> Arc<Definitions>;

    /// Whether the store can be used now.
    fn health(&self) -> Health;

    /// What kind of store it is.
    fn kind(&self) -> Kind;

    /// What is remembered of a collection; `None` where it isn't defined.
    ///
    /// # Errors
    /// [`ReadError::Unavailable`] where the storage fails.
    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError>;

    /// The newest version of a resource, which may be a tombstone, or the version as of `at`.
    ///
    /// `None` where there was no such resource, or what was is no longer remembered.
    ///
    /// # Errors
    /// [`ReadError::Expired`] where `at` is older than what is retained, of another history or ahead
    /// of the head.
    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError>;

    /// The version of a resource that the write at exactly `position` made, if it is retained.
    ///
    /// # Errors
    /// [`ReadError::Expired`] where `position` is of another history or ahead of the head.
    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError>;

    /// A page of a resource's retained versions, newest first, from before `before` or the newest.
    ///
    /// # Errors
    /// As [`Store::read`].
    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError>;

    /// A page of a collection.
    ///
    /// # Errors
    /// [`ReadError`] says which part of the question can't be answered, and why.
    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError>;

    /// A page of changes: the complete delta from `since` to the page's end, never a part of it.
    ///
    /// A feed that is filtered by an index is complete from the commit on that declared the index:
    /// what an index of that name stood for before is not told.
    ///
    /// # Errors
    /// [`ReadError::Expired`] where `since` is older than the tombstones that are retained, of another
    /// history, or ahead of the head; where `versions` are asked for, older than any that was
    /// forgotten. Whoever asked starts again from a listing.
    /// [`ReadError`] says what else can't be answered, and why.
    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError>;

    /// Whether [`Store::changes`] would still tell what came after this position, by what is known
    /// without asking the disk: for whoever kept a page of it. `false` also where that can't be known.
    fn tells(&self, query: &ChangesQuery) -> bool;

    /// The head, as it moves: wakes whoever waits when a commit has become visible.
    ///
    /// One channel for all. Commits that follow one another quickly may wake but once.
    fn commits(&self) -> watch::Receiver<Position>;

    /// Decides a transaction and, where it holds, makes it durable.
    ///
    /// Dropping the future gives up the answer, not the write.
    ///
    /// # Errors
    /// [`WriteError`] where the storage failed; a transaction that does not hold is an [`Outcome`].
    async fn write(&self, transaction: Transaction) -> Result<Outcome, WriteError>;
}
