//! Changing a JSON document by a patch document.
//!
//! Two formats: JSON Merge Patch (RFC 7396) for "make it look like this", JSON Patch (RFC 6902) for
//! a list of operations. Both are pure functions of document and patch; which one is meant is told
//! by the media type, and preconditions are not looked at here.

mod apply;
mod error;
mod merge;
mod parse;
mod weight;

pub use error::{PatchError, PatchFault};
pub use merge::merge_patch;

use serde_json::Value;

use crate::json::DEPTH_MAX;
use crate::pointer::JsonPointer;

/// The media type of a JSON Merge Patch.
pub const MERGE_PATCH_MEDIA_TYPE: &str = "application/merge-patch+json";

/// The media type of a JSON Patch.
pub const JSON_PATCH_MEDIA_TYPE: &str = "application/json-patch+json";

/// The usual limit on work: a fifth of a second or so, and enough to copy a whole document of the
/// usual size a few times.
pub const WORK_MAX: usize = 2_000_000;

/// What applying a patch may cost. A patch of a few bytes can double a document per operation, or
/// walk it over and over; each of these bounds one of the ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PatchLimits {
    /// The largest document at any time, in bytes of its JSON text (without white space).
    pub bytes: usize,
    /// The deepest nesting at any time.
    pub depth: usize,
    /// The work of all operations together: values compared or copied and places moved, a unit of
    /// each in about 100 ns.
    pub work: usize,
}

impl PatchLimits {
    /// Limits for documents of this many bytes and levels, with the usual limit on work.
    #[must_use]
    pub const fn new(bytes: usize, depth: usize) -> Self {
        let depth = if depth > DEPTH_MAX { DEPTH_MAX } else { depth };
        Self {
            bytes,
            depth,
            work: WORK_MAX,
        }
    }
}

impl Default for PatchLimits {
    /// 1 MiB and 128 levels: what the service accepts in a resource unless configured otherwise.
    fn default() -> Self {
        Self::new(1024 * 1024, 128)
    }
}

/// A JSON Patch: operations that are applied in order, all or none.
#[derive(Clone, Debug, PartialEq)]
pub struct JsonPatch {
    operations: Vec<Operation>,
}

#[derive(Clone, Debug, PartialEq)]
enum Operation {
    Add {
        path: JsonPointer,
        value: Value,
    },
    Remove {
        path: JsonPointer,
    },
    Replace {
        path: JsonPointer,
        value: Value,
    },
    Move {
        from: JsonPointer,
        path: JsonPointer,
    },
    Copy {
        from: JsonPointer,
        path: JsonPointer,
    },
    Test {
        path: JsonPointer,
        value: Value,
    },
}

impl JsonPatch {
    /// Reads a patch document: an array of operations. Members that RFC 6902 doesn't know are
    /// ignored, as it demands (§4).
    ///
    /// # Errors
    /// [`PatchFault::Malformed`] for the first operation that is none.
    pub fn parse(document: &Value) -> Result<Self, PatchError> {
        parse::operations(document).map(|operations| Self { operations })
    }

    /// How many operations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies the operations in order, within the default limits.
    ///
    /// # Errors
    /// As [`JsonPatch::apply_within`].
    pub fn apply(&self, target: &mut Value) -> Result<(), PatchError> {
        self.apply_within(target, PatchLimits::default())
    }

    /// Applies the operations in order. When one fails the target is as it was.
    ///
    /// # Errors
    /// The first operation that cannot be applied, and why; see [`PatchFault`].
    pub fn apply_within(&self, target: &mut Value, limits: PatchLimits) -> Result<(), PatchError> {
        *target = apply::patched(target.clone(), &self.operations, limits)?;
        Ok(())
    }
}
