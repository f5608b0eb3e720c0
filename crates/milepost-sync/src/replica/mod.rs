//! What a follower keeps: the documents, their entity tags, and the bookmark, as one.
//!
//! The promise of a replica is atomicity: a delivery's changes and its bookmark become durable
//! together or not at all, whenever the machine stops. What is in it besides (indexes, other tables) is
//! its own business.
//!
//! A complete representation arrives in many deliveries. The first has `replace`; resources that none of
//! them names are gone when the last, which is `complete`, is applied. Until then a replica may show
//! what it held before, beside what has arrived: never emptied in between, and `is_complete` is false.

mod folder;
mod memory;
mod sqlite;

use std::fmt;

use milepost_semantics::Position;

pub use self::{folder::FolderReplica, memory::MemoryReplica, sqlite::SqliteReplica};
use crate::digest::SetDigest;
use crate::page::{Delivery, Key};
use crate::push::Conflict;

/// One version of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Its entity tag, as it stands in a field.
    pub etag: String,
    /// Its representation, byte for byte.
    pub value: String,
}

/// How far a replica is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The link to go on from: path and query.
    pub bookmark: String,
    /// The position up to which it was told.
    pub position: Position,
    /// `false` while a complete representation is under way, and what it has not named yet is still
    /// as it was before.
    pub is_complete: bool,
    /// The digest over what the server was heard to hold: local edits don't count.
    pub digest: SetDigest,
}

/// What applying a delivery did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How many resources are there that were not, or have another version now.
    pub puts: u64,
    /// How many are gone.
    pub removals: u64,
    /// The digest over what the server was heard to hold: local edits don't count.
    pub digest: SetDigest,
}

/// A local copy of what a feed tells.
pub trait Replica {
    /// How far it is; `None` where nothing was applied yet.
    ///
    /// # Errors
    /// When it can't be read.
    fn held(&self) -> Result<Option<Held>, ReplicaError>;

    /// Takes in the delivery and its bookmark, in one transaction. Applying one twice is applying it
    /// once. A resource with a local edit that was not sent keeps it.
    ///
    /// # Errors
    /// When it can't be written; then nothing of it was.
    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError>;

    /// Gives up the bookmark, so that the next delivery begins a complete representation. The documents
    /// stay until it is through.
    ///
    /// # Errors
    /// When it can't be written.
    fn forget(&mut self) -> Result<(), ReplicaError>;

    /// The version of a resource as the server was heard to hold it.
    ///
    /// # Errors
    /// When it can't be read.
    fn lookup(&self, key: &Key) -> Result<Option<Version>, ReplicaError>;

    /// How many resources it holds, local edits included.
    ///
    /// # Errors
    /// When it can't be read.
    fn count(&self) -> Result<u64, ReplicaError>;
}

/// A local edit that the server has not been told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// Which resource.
    pub key: Key,
    /// The version that is edited, whose tag the edit is sent with; `None`: there is none, the edit
    /// creates.
    pub base: Option<Version>,
    /// What it is to be; `None`: it is to be deleted.
    pub local: Option<String>,
    /// What both sides started from, for a merge: the base's value, or that of the time before a
    /// conflict was set aside.
    pub ancestor: Option<String>,
    /// A conflict about it was written beside, and nobody has settled it. `base` is the server's
    /// version of that conflict.
    pub is_set_aside: bool,
}

/// A replica that can be edited.
pub trait Editable: Replica {
    /// The edits that are to be sent, ordered by key.
    ///
    /// # Errors
    /// When they can't be read.
    fn edits(&mut self) -> Result<Vec<Edit>, ReplicaError>;

    /// Ends an edit: the server now has this version (`None`: nothing), whether it took the edit or
    /// the edit was given up for it. The resource becomes that, unless it was edited again since
    /// [`Editable::edits`] told of it; then that stays, as an edit of this version.
    ///
    /// # Errors
    /// When it can't be written.
    fn settle(&mut self, edit: &Edit, now: Option<&Version>) -> Result<(), ReplicaError>;

    /// Writes an unsettled conflict beside the edit, which stays. Once the record is removed the edit
    /// counts as made on the conflict's version of the server.
    ///
    /// # Errors
    /// When it can't be written.
    fn set_aside(&mut self, conflict: &Conflict) -> Result<(), ReplicaError>;
}

/// Why a replica can't be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplicaError {
    /// The file system refuses.
    #[error("can't use {path}")]
    Io {
        /// The file or folder.
        path: String,
        /// The reason.
        source: std::io::Error,
    },
    /// The database refuses.
    #[error("can't use the database {path}")]
    Database {
        /// The file.
        path: String,
        /// The reason.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What is there belongs to something else: another feed, another program.
    #[error("{path} {what}")]
    Occupied {
        /// The file or folder.
        path: String,
        /// What it holds, as the rest of the sentence.
        what: String,
    },
    /// It was written by a newer version of this crate.
    #[error("{path} has format {format}, which this version does not know")]
    Format {
        /// The file or folder.
        path: String,
        /// The format's number.
        format: i64,
    },
}

impl ReplicaError {
    /// An error of the file system.
    pub(crate) fn io(path: impl fmt::Display, source: std::io::Error) -> Self {
        Self::Io {
            path: path.to_string(),
            source,
        }
    }
}
