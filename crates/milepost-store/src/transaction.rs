//! What is asked of a store in one atomic write, and what became of it.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use milepost_semantics::{
    Position, Preconditions, ResourceId,
    patch::{JsonPatch, PatchError},
    precondition::Condition,
};
use serde_json::Value;

use crate::{CollectionPath, Guard, ResourceKey, Version};

/// A representation that was read and found to be strict JSON: the bytes, and what they say.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The representation, stored byte for byte.
    pub bytes: Bytes,
    /// The same, parsed.
    pub value: Value,
}

impl From<Value> for Document {
    /// The value as a representation of its own, without white space.
    fn from(value: Value) -> Self {
        Self {
            bytes: value.to_string().into(),
            value,
        }
    }
}

/// What is done to a resource when its precondition holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Creates the resource or replaces its representation.
    Put(Document),
    /// Applies a JSON Merge Patch (RFC 7396) to an existing resource.
    MergePatch(Value),
    /// Applies a JSON Patch (RFC 6902) to an existing resource.
    JsonPatch(JsonPatch),
    /// Deletes an existing resource.
    Delete,
    /// Changes nothing; the precondition alone decides. A `CHECK` of a transaction.
    Check,
}

/// One part of a transaction: a change of one resource, and the condition it is made under.
#[derive(Clone, Debug)]
pub struct Operation {
    /// The resource.
    pub key: ResourceKey,
    /// Evaluated against the resource's state inside the storage transaction. Tags of any variant
    /// of a representation stand for its version.
    pub preconditions: Preconditions,
    /// What to do.
    pub change: Change,
}

/// Makes the representation of a transaction's outcome, once its position is known.
pub type RenderOutcome = Box<dyn Fn(&Committed) -> Bytes + Send + Sync>;

/// Asks that a transaction's outcome be stored under an id that the client chose, in the same commit.
pub struct Record {
    /// The id: the transaction's UUID.
    pub id: ResourceId,
    /// Identifies the request's content: the same id with another digest is a mistake.
    pub digest: [u8; 16],
    /// Makes the stored representation.
    pub render: RenderOutcome,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// An atomic write: all its operations, or none.
///
/// Operations are decided in order, each seeing what the earlier ones did; no resource may stand
/// in two of them.
#[derive(Debug)]
pub struct Transaction {
    /// What to do. At least one, at most 2^20 - 1 including deletes that cascade.
    pub operations: Vec<Operation>,
    /// Where to keep the outcome, if it shall outlive the answer.
    pub record: Option<Record>,
    /// Who judges it by the rules of definitions; `None` where whoever writes is trusted.
    pub guard: Option<Arc<dyn Guard>>,
}

impl Transaction {
    /// A transaction of one operation, with no recorded outcome.
    #[must_use]
    pub fn single(operation: Operation) -> Self {
        Self::of(vec![operation])
    }

    /// A transaction of these operations, with no recorded outcome.
    #[must_use]
    pub fn of(operations: Vec<Operation>) -> Self {
        Self {
            operations,
            record: None,
            guard: None,
        }
    }

    /// The same, for whomever this guard judges.
    #[must_use]
    pub fn guarded(self, guard: Arc<dyn Guard>) -> Self {
        Self {
            guard: Some(guard),
            ..self
        }
    }
}

/// What an operation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The resource did not exist, now it does.
    Created,
    /// Its representation was replaced.
    Replaced,
    /// It already had exactly this representation: nothing was written.
    Unchanged,
    /// The condition is false because this very request was carried out before (RFC 9110 §13.1.1).
    AlreadyApplied,
    /// It existed, now it does not.
    Deleted,
    /// A check that held.
    Checked,
}

/// One operation that held, and the version that now stands.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The resource.
    pub key: ResourceKey,
    /// What was done.
    pub effect: Effect,
    /// The resource's newest version, a tombstone after a delete; `None` for a check of a resource
    /// that never was.
    pub version: Option<Version>,
}

/// A transaction that held.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The position of the commit; the head where nothing had to be written.
    pub position: Position,
    /// One for each operation, in their order.
    pub applied: Vec<Applied>,
}

/// One thing that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where: a JSON pointer into the document.
    pub pointer: String,
    /// What is wrong and what would be right, in words for the client's developer.
    pub detail: String,
}

/// Why an operation does not hold. Says nothing of status codes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Failure {
    /// A condition is false. `current` is what stands instead.
    PreconditionFailed {
        /// Which condition.
        condition: Condition,
        /// The newest version; `None` or a tombstone where the resource does not exist.
        current: Option<Version>,
    },
    /// The collection demands a condition for changes of existing resources, and there was none.
    PreconditionRequired {
        /// What stands.
        current: Version,
    },
    /// There is no resource to patch or delete.
    NotFound,
    /// The collection has no definition.
    CollectionNotDefined {
        /// The collection.
        collection: CollectionPath,
    },
    /// The resource that this one would lie below does not exist.
    ParentNotFound {
        /// The missing resource.
        parent: ResourceKey,
    },
    /// Resources lie below the one to be deleted, and their collection says `restrict`.
    HasChildren {
        /// A child collection that holds some.
        collection: CollectionPath,
    },
    /// The collection whose definition would be deleted still has resources or child collections.
    CollectionInUse {
        /// The collection.
        collection: CollectionPath,
    },
    /// The document violates the collection's schema, or an indexed value can't be ordered.
    InvalidDocument(Vec<Violation>),
    /// The document is not a definition.
    InvalidDefinition(Vec<Violation>),
    /// The patch can't be applied to what stands.
    PatchFailed(PatchError),
    /// The patched representation would be larger or deeper than allowed.
    ResultTooLarge {
        /// The largest representation allowed, in bytes.
        bytes_max: usize,
        /// How deep arrays and objects may lie within one another.
        depth_max: usize,
    },
    /// Two operations name the same resource.
    DuplicateOperation,
    /// More resources would change in one transaction than a store takes (deletes that cascade count).
    TooManyChanges,
    /// Only the service itself writes there.
    ReadOnly,
    /// The collection's rules don't let the subject do this. Says nothing of what stands that it may not read.
    Forbidden,
}

/// A transaction that did not hold: nothing of it was written.
#[derive(Clone, Debug)]
pub struct Rejected {
    /// The operations that failed, by their index, in order. At least one.
    pub failures: Vec<(usize, Failure)>,
}

impl Rejected {
    /// Whether nothing but conditions failed: somebody else was faster. Whoever reads again and
    /// decides anew may find that the transaction holds.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        let is_stale = |failure: &Failure| matches!(failure, Failure::PreconditionFailed { .. });
        self.failures.iter().all(|(_, failure)| is_stale(failure))
    }
}

/// What became of a transaction.
#[derive(Debug)]
pub enum Outcome {
    /// It holds and is durable.
    Committed(Committed),
    /// A transaction with this id and content was carried out before; this is its recorded outcome.
    Recorded(Version),
    /// The id was used before, for another content.
    RecordMismatch,
    /// It does not hold; nothing was written.
    Rejected(Rejected),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_write_would_not_help_is_not_stale() {
        let overtaken = || Failure::PreconditionFailed {
            condition: Condition::IfMatch,
            current: None,
        };
        let rejected = |failures| Rejected { failures };
        assert!(rejected(vec![(0, overtaken()), (1, overtaken())]).is_stale());
        assert!(!rejected(vec![(0, overtaken()), (1, Failure::NotFound)]).is_stale());
    }
}
