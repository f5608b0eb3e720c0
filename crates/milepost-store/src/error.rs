//! What can go wrong, by what the caller can do about it.

use milepost_semantics::Position;

use crate::CollectionPath;

/// What a backend's storage said, for the log.
pub type Cause = std::sync::Arc<dyn std::error::Error + Send + Sync>;

/// Why a question has no answer.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// Nobody has defined the collection.
    #[error("collection {collection} is not defined")]
    CollectionNotDefined {
        /// The collection.
        collection: CollectionPath,
    },
    /// The position is older than what is retained, of another history, or ahead of the head.
    #[error("position is no longer, or not here, remembered")]
    Expired {
        /// The oldest position that this question could be asked for.
        oldest: Position,
    },
    /// Names that are filtered or sorted by but not declared as indexes (or text not declared, for `q`).
    #[error("collection {collection} declares no index {names:?}")]
    Undeclared {
        /// The collection.
        collection: CollectionPath,
        /// The names.
        names: Vec<String>,
    },
    /// The index exists but isn't complete yet.
    #[error("index {index} of {collection} is being built")]
    IndexBuilding {
        /// The collection.
        collection: CollectionPath,
        /// The index.
        index: String,
    },
    /// Too many resources share a value of the first sort key to order them by the next.
    #[error("more than {limit} resources share one value of {index}")]
    SortTooBroad {
        /// The first sort key.
        index: String,
        /// The most that may share a value.
        limit: usize,
    },
    /// The words to search for can't be understood.
    #[error("text query can't be parsed: {detail}")]
    MalformedText {
        /// What is wrong.
        detail: String,
    },
    /// The cursor does not belong to this listing.
    #[error("cursor does not belong to this listing")]
    MalformedCursor,
    /// The storage failed.
    #[error("storage can't be read")]
    Unavailable(#[source] Cause),
}

/// Why a transaction's fate is not an [`Outcome`](crate::Outcome).
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// More writes are waiting than are taken. Nothing was written.
    #[error("too many writes are waiting")]
    Overloaded,
    /// The disk is full. Nothing was written; reads go on.
    #[error("storage is full")]
    Full,
    /// A sync or write failed with this one in it: whether it is durable is unknown. No further
    /// write is taken until a restart.
    #[error("storage failed while this was written, and takes no writes until restarted")]
    Poisoned,
    /// A sync or write failed before: no write is taken until a restart. Nothing was written.
    #[error("storage failed before, and takes no writes until restarted")]
    Stopped,
    /// The storage was lost sight of while this was being written: whether it is durable is unknown.
    /// Further writes are taken as soon as the storage is there.
    #[error("storage was lost while this was written: whether it was written is unknown")]
    Unknown,
    /// The storage failed in passing. Nothing was written.
    #[error("storage can't be written")]
    Unavailable(#[source] Cause),
}

impl WriteError {
    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Overloaded | Self::Unavailable(_))
    }
}

/// Why a store can't be opened, checked, backed up or restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MaintenanceError {
    /// Another process has the directory open.
    #[error("{directory} is in use by another process")]
    InUse {
        /// The store's directory.
        directory: String,
    },
    /// The store was written by a newer version.
    #[error("store has format {found}, this version reads up to {supported}")]
    NewerFormat {
        /// The format found.
        found: u32,
        /// The newest format this version reads.
        supported: u32,
    },
    /// The store was written by an older version, and this only reads.
    #[error("store has format {found}, older than {expected}: open it once to bring it up to date")]
    OlderFormat {
        /// The format found.
        found: u32,
        /// The format this version writes.
        expected: u32,
    },
    /// What is there is not a store.
    #[error("{path} is not a Milepost store")]
    NotAStore {
        /// The file or directory.
        path: String,
    },
    /// What it is can't be read from it any more.
    #[error("{path} is damaged: {what} can't be read; restore it from a backup")]
    Damaged {
        /// The file or directory.
        path: String,
        /// What is missing.
        what: &'static str,
    },
    /// Something is already there.
    #[error("{path} already exists")]
    AlreadyExists {
        /// The file or directory.
        path: String,
    },
    /// The storage failed.
    #[error("storage failed")]
    Storage(#[source] Cause),
    /// The file system refused.
    #[error("can't use {path}")]
    Io {
        /// The file or directory.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },
}
