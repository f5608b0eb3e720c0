//! How drafts are deleted: on conditions, several at a time, and what is left to do where one can't be.

use milepost_semantics::{Position, Preconditions};
use milepost_store::{Change, CollectionPath, Failure, Operation, Rejected, ResourceKey, Version};

use super::Interrupted;

/// That a definition still is this version of it: what it orders is done only then.
pub(super) fn ordered(collection: &CollectionPath, defined: Position) -> Option<Operation> {
    Some(Operation {
        key: ResourceKey::definition(collection)?,
        preconditions: Preconditions::if_match(defined.into()),
        change: Change::Check,
    })
}

/// Deletes a draft that still is what was seen.
pub(super) fn of((key, version): &(ResourceKey, Version)) -> Operation {
    Operation {
        key: key.clone(),
        preconditions: Preconditions::if_match(version.entity_tag()),
        change: Change::Delete,
    }
}

/// Whether anything else was in the way than somebody who was faster.
pub(super) fn is_obstructed(rejected: &Rejected) -> bool {
    let is_overtaken = |failure: &Failure| {
        matches!(
            failure,
            Failure::PreconditionFailed { .. } | Failure::NotFound
        )
    };
    let failures = rejected.failures.iter();
    failures
        .map(|(_, failure)| failure)
        .any(|f| !is_overtaken(f))
}

/// Those that could be deleted without the others, where the definition stands: the first operation says so.
pub(super) fn without(
    due: Vec<(ResourceKey, Version)>,
    rejected: &Rejected,
) -> Result<Vec<(ResourceKey, Version)>, Interrupted> {
    let has_failed = |at: usize| rejected.failures.iter().any(|(failed, _)| *failed == at);
    if has_failed(0) {
        return Err(Interrupted::Redefined);
    }
    let due = due.into_iter().enumerate();
    let left = due.filter(|(at, _)| !has_failed(at + 1));
    Ok(left.map(|(_, one)| one).collect())
}
