//! Resource state: the [`Store`] trait, its conformance suite, and two backends; [`backend`] is what those in
//! other crates share with them.
//!
//! A store keeps one temporal table: every version of every resource, with the position where it
//! began and the one where it ended. All that a server answers (a resource now, a collection as of a
//! position, what changed since, a history) is a question to that table. The crate knows nothing of
//! HTTP's wire, of clients or of connections, and keeps nothing about who asks.
//!
//! * [`Transaction`] → [`Store::write`] → [`Outcome`]: writes with their preconditions, decided by
//!   one pure function ([`decide`](crate::decision)) inside the storage transaction.
//! * [`Store::read`], [`Store::list`], [`Store::versions`]: reads, now or as of a position.
//! * [`Store::changes`]: what became of resources since a position; [`Store::commits`] wakes whoever
//!   waits for more.
//! * [`Definition`]: what is declared about a collection: schema, indexes, retention.
//! * [`embedded`]: SQLite in one directory. [`memory`]: strict and slow, for tests.

pub mod backend;
mod changes;
pub mod clock;
pub mod conformance;
pub mod decision;
pub mod definition;
pub mod embedded;
mod error;
mod guard;
mod key;
pub mod memory;
mod page_end;
mod plan;
mod positions;
mod query;
mod set_digest;
mod store;
mod transaction;
pub mod transfer;
mod version;
mod words;

pub use crate::{
    changes::{Changed, ChangesPage, ChangesQuery, Feed},
    definition::{Definition, Definitions},
    error::{Cause, MaintenanceError, ReadError, WriteError},
    guard::{Guard, Proposed, Sighted},
    key::{COLLECTIONS, CollectionPath, DEPTH_MAX, ParentPath, ResourceKey, Scope, TRANSACTIONS},
    query::{Cursor, IndexFilter, ListQuery, Listed, Page, PageLimit, SortKey, VersionPage},
    set_digest::SetDigest,
    store::{CollectionState, Health, Kind, Store},
    transaction::{
        Applied, Change, Committed, Document, Effect, Failure, Operation, Outcome, Record,
        Rejected, RenderOutcome, Transaction, Violation,
    },
    version::{Timestamp, Version},
};
