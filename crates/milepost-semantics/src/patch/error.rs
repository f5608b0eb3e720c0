//! What can be wrong with a JSON Patch, or between it and a document.

/// A patch that could not be read or applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", prefix(*operation))]
pub struct PatchError {
    /// The operation's index from 0; `None` when the document as a whole is no patch.
    pub operation: Option<usize>,
    /// What is wrong with it.
    pub fault: PatchFault,
}

fn prefix(operation: Option<usize>) -> String {
    operation.map_or_else(String::new, |index| format!("operation {index}: "))
}

/// Why a patch was refused, by what can be done about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatchFault {
    /// It is no RFC 6902 operation: the patch itself must be corrected.
    #[error("{detail}")]
    Malformed {
        /// What is missing or wrong.
        detail: String,
    },
    /// The document has nothing at this place.
    #[error("there is nothing at {pointer:?}")]
    PathNotFound {
        /// The place, as a JSON pointer.
        pointer: String,
    },
    /// An array index is beyond the array's end, or no index at all.
    #[error("{pointer:?} is no place in an array of {length}")]
    IndexOutOfRange {
        /// The place, as a JSON pointer.
        pointer: String,
        /// How many elements the array has.
        length: usize,
    },
    /// The whole document cannot be removed: delete the resource instead.
    #[error("the whole document cannot be removed")]
    RootRemoved,
    /// A value cannot be moved into itself.
    #[error("{from:?} cannot be moved into itself, to {path:?}")]
    MoveIntoItself {
        /// The place it is at.
        from: String,
        /// The place inside it.
        path: String,
    },
    /// A `test` found another value.
    #[error("the value at {pointer:?} is not the one tested for")]
    TestFailed {
        /// The place, as a JSON pointer.
        pointer: String,
    },
    /// The document would become larger than allowed.
    #[error("the document would have more than {bytes_max} bytes")]
    TooLarge {
        /// The limit.
        bytes_max: usize,
    },
    /// The document would become deeper than allowed.
    #[error("the document would have more than {depth_max} levels")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// The operations together cost too much work.
    #[error("the patch takes too much work; split it into smaller ones")]
    TooMuchWork,
}

impl PatchFault {
    /// Whether the patch itself is wrong, whatever it is applied to.
    #[must_use]
    pub const fn is_malformed(&self) -> bool {
        matches!(
            self,
            Self::Malformed { .. } | Self::RootRemoved | Self::MoveIntoItself { .. }
        )
    }

    /// Whether a limit was reached.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::TooLarge { .. } | Self::TooDeep { .. } | Self::TooMuchWork
        )
    }

    pub(super) const fn in_operation(self, index: usize) -> PatchError {
        PatchError {
            operation: Some(index),
            fault: self,
        }
    }
}
