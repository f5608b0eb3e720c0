//! One version of one resource, as a store hands it out.

use bytes::Bytes;
use milepost_semantics::{EntityTag, Position};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down (as HTTP dates are).
    #[must_use]
    pub fn as_seconds(self) -> u64 {
        self.0 / 1000
    }
}

/// One version of a resource: what one write made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The position of the write that made it; its entity tag.
    pub position: Position,
    /// The position of the version that it replaced, if there was one (a tombstone counts).
    pub replaced: Option<Position>,
    /// When it was written. Never earlier than the version it replaced.
    pub modified: Timestamp,
    /// The representation, byte for byte as it was sent; `None` where the write deleted the resource.
    pub body: Option<Bytes>,
}

impl Version {
    /// Whether this version says that the resource is gone.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.body.is_none()
    }

    /// The strong entity tag of the identity representation.
    #[must_use]
    pub fn entity_tag(&self) -> EntityTag {
        EntityTag::from(self.position)
    }
}
