//! What things are sealed for: a closed list. A purpose decides keys and cipher; nothing that comes from
//! a client ever does.

/// What a sealed thing is for. Each has keys of its own, and exactly one type of [`Content`](crate::Content).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// The answers given so far in a flow, in a form or a document.
    FlowState,
    /// The same in a link that somebody keeps, to go on later or on another device.
    FlowPlace,
    /// A link that is equal whenever it means the same, so that caches know it again.
    Link,
}

/// How a purpose is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Variant {
    /// XChaCha20-Poly1305 with a random nonce: sealed twice, it looks different twice.
    Randomised,
    /// AES-256-GCM-SIV: sealed twice, it is the same bytes.
    Deterministic,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 3] = [Self::FlowState, Self::FlowPlace, Self::Link];

    /// Its name, as it stands in associated data and key derivation. Names are part of the format.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FlowState => "flow-state",
            Self::FlowPlace => "flow-place",
            Self::Link => "link",
        }
    }

    /// Whether the same content, in the same context and with the same stamp, is always sealed to the same bytes.
    #[must_use]
    pub const fn is_deterministic(self) -> bool {
        matches!(self.variant(), Variant::Deterministic)
    }

    pub(crate) const fn variant(self) -> Variant {
        match self {
            Self::FlowState | Self::FlowPlace => Variant::Randomised,
            Self::Link => Variant::Deterministic,
        }
    }
}
