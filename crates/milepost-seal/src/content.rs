//! What can be sealed: types that say what they are for.

use crate::Purpose;

/// A type whose values can be sealed.
///
/// The type decides the purpose, so bytes sealed from one type are never read as another. A purpose
/// belongs to one type. Reading is strict: unknown members, other shapes and rests are `None`. A type must not
/// choose what it becomes by what the bytes name (no class names, no open sets of tags).
pub trait Content: Sized {
    /// What values of this type are sealed for.
    const PURPOSE: Purpose;

    /// The value as bytes; at most [`CONTENT_BYTES_MAX`](crate::CONTENT_BYTES_MAX) can be sealed.
    fn to_bytes(&self) -> Vec<u8>;

    /// The value that these bytes, which are known to be ours, stand for. `None`: they stand for none, as
    /// those that another version of this program wrote may.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}
