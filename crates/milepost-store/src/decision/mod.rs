//! Whether a transaction holds, and what it writes: one pure function that every backend calls
//! inside its storage transaction.
//!
//! The problem: a precondition is worth something only if nothing can come between its evaluation
//! and the write it guards. A server that reads, compares and then writes has a gap; two clients
//! with the same entity tag can both pass. So the comparison lives here, behind [`State`], which a
//! backend implements over the very storage transaction that will hold the writes. Because the
//! function is shared, every backend decides alike, and because it has no I/O of its own, it can be
//! tested as a table.
//!
//! The order of decisions for one operation is that of RFC 9110 §13.2.1: what would fail without any
//! condition (an undefined collection, a missing parent, a document that violates its schema) fails
//! the same with one; then the conditions; then whether a condition was required at all.
//!
//! Where a collection has rules and the transaction a [`Guard`](crate::Guard), rules are asked before conditions, and
//! of what may not be read nothing is told (`judgement`).
//!
//! A condition that is false only because this very request was carried out before is not a failure
//! (RFC 9110 §13.1.1): the version that stands replaced the one that the client names, and is what
//! the request would make. No key is stored for this: the chain of versions knows. It knows one resource
//! only. Two transactions over several may make the same of one of them and not of the others (two
//! transfers of the same amount from one account), so that what one of them has made is no sign that
//! the other was carried out: there, such a condition has failed. Who repeats transactions gives them
//! an id, or lets them create something ([`Record`](crate::Record), `If-None-Match: *`).

mod below;
mod judgement;
mod operation;
mod prepare;
mod state;

use std::{collections::HashSet, sync::Arc};

use self::{operation::decide_operation, state::Overlay};
pub use self::{
    prepare::{
        Contents, Prepared, index_value, index_value_or_other, parse_stored, prepare, text_of,
    },
    state::{Current, State},
};
use crate::{Applied, Definition, Effect, Failure, Rejected, ResourceKey, Version};

/// Whether an operation holds, as long as the storage does.
type Held<E> = Result<Result<(), Failure>, E>;

/// Ends a decision with a failure where there is one.
macro_rules! hold {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(failure) => return Ok(Err(failure)),
        }
    };
}
use hold;

/// The most resources that one transaction may change, deletes that cascade included.
pub const CHANGES_MAX: usize = (1 << 20) - 1;

/// Bounds on what a patch may make of a representation.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest representation, in bytes.
    pub bytes_max: usize,
    /// How deep arrays and objects may lie within one another.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes_max: 1 << 20,
            depth_max: 128,
        }
    }
}

/// A version that is to be written.
#[derive(Clone, Debug)]
pub struct Write {
    /// The resource.
    pub key: ResourceKey,
    /// What it shall be; `None`: deleted.
    pub contents: Option<Contents>,
    /// Identifies the patch that made it, so that its repetition is known; zero for other writes.
    pub digest: [u8; 16],
    /// What it replaces.
    pub previous: Option<Current>,
}

/// What became of one operation, before its position is known.
#[derive(Clone, Debug)]
pub enum Decided {
    /// It is carried out by the write of this index.
    Writes(Effect, usize),
    /// Nothing needs to be written: this is what stands.
    Stands(Effect, Option<Version>),
}

impl Decided {
    /// What is told of the operation on this resource, once the transaction's writes, in their order, have
    /// become these versions.
    #[must_use]
    pub fn applied(self, key: ResourceKey, versions: &[Version]) -> Applied {
        let (effect, version) = match self {
            Self::Writes(effect, place) => (effect, versions.get(place).cloned()),
            Self::Stands(effect, version) => (effect, version),
        };
        Applied {
            key,
            effect,
            version,
        }
    }
}

/// A transaction that holds.
#[derive(Clone, Debug, Default)]
pub struct Decision {
    /// What to write, in order, all at one position. May be empty.
    pub writes: Vec<Write>,
    /// One for each operation.
    pub decided: Vec<(ResourceKey, Decided)>,
}

/// Decides a transaction against the state that earlier transactions left.
///
/// # Errors
/// What `state` says of the storage. A transaction that does not hold is not an error.
pub fn decide<S: State>(
    operations: &[Prepared],
    state: &mut S,
    limits: Limits,
) -> Result<Result<Decision, Rejected>, S::Error> {
    let duplicates = duplicates(operations);
    if !duplicates.is_empty() {
        return Ok(Err(Rejected {
            failures: duplicates,
        }));
    }
    let mut overlay = Overlay::new(state);
    let mut failures = Vec::new();
    for (index, prepared) in operations.iter().enumerate() {
        let decided = decide_operation(prepared, &mut overlay, limits)?;
        if let Err(failure) = decided.and_then(|()| overlay.refuse_part(operations.len())) {
            failures.push((index, failure));
        }
    }
    if failures.is_empty() {
        Ok(Ok(overlay.into_decision()))
    } else {
        Ok(Err(Rejected { failures }))
    }
}

fn duplicates(operations: &[Prepared]) -> Vec<(usize, Failure)> {
    if operations.len() < 2 {
        return Vec::new();
    }
    let mut seen = HashSet::with_capacity(operations.len());
    let repeated = operations
        .iter()
        .enumerate()
        .filter(|(_, prepared)| !seen.insert(&prepared.operation.key));
    repeated
        .map(|(index, _)| (index, Failure::DuplicateOperation))
        .collect()
}

/// What rules over a collection's resources: a definition, or the service's own rules.
#[derive(Clone, Debug)]
pub(crate) enum Governed {
    By(Arc<Definition>),
    AsDefinitions,
}
