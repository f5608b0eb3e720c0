//! Ids for spans and traces: random enough to be unique, cheap enough to be made for each request.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

/// A trace's id: 16 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceId(u128);

/// A span's id: 8 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanId(u64);

impl From<[u8; 16]> for TraceId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }
}

impl From<[u8; 8]> for SpanId {
    fn from(bytes: [u8; 8]) -> Self {
        Self(u64::from_be_bytes(bytes))
    }
}

/// Makes ids.
#[derive(Debug)]
pub(super) struct TraceIds(AtomicU64);

impl TraceIds {
    /// A source that starts anywhere.
    pub(super) fn new() -> Self {
        let mut seed = [0; 8];
        // Without randomness ids are still unique within the process; they guard nothing.
        let _ = getrandom::fill(&mut seed);
        Self(AtomicU64::new(u64::from_ne_bytes(seed)))
    }

    /// A new span's id.
    pub(super) fn span(&self) -> SpanId {
        SpanId(self.next().max(1))
    }

    /// A new trace's id.
    pub(super) fn trace(&self) -> TraceId {
        TraceId((u128::from(self.next()) << 64) | u128::from(self.next().max(1)))
    }

    /// `SplitMix64`: a counter, well mixed.
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut mixed = self.0.fetch_add(STEP, Relaxed).wrapping_add(STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Default for TraceIds {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ() {
        let ids = TraceIds::new();
        let made: std::collections::HashSet<_> =
            (0..10_000).map(|_| ids.span().to_string()).collect();
        assert_eq!(made.len(), 10_000);
    }
}
