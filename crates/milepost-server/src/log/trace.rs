//! W3C Trace Context, level 1: whose trace a request belongs to.
//!
//! The service takes part by noting the trace in its log; it calls nobody, so it passes nothing on.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use http::{HeaderMap, HeaderName};

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A trace's id: 16 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceId(u128);

/// A span's id: 8 bytes, not all zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanId(u64);

/// What a request says about the trace it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceParent {
    /// The trace.
    pub trace: TraceId,
    /// The caller's span.
    pub parent: SpanId,
    /// Whether the caller may have recorded it.
    pub is_sampled: bool,
}

impl TraceParent {
    /// Reads `traceparent` (Trace Context §3.2). One that is malformed, or there twice, is to be
    /// taken as absent (§4.2).
    #[must_use]
    pub fn of(fields: &HeaderMap) -> Option<Self> {
        let mut values = fields.get_all(TRACEPARENT).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Self::parse(value.as_bytes()),
            _ => None,
        }
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let version = value.get(..2)?;
        let is_known_version = version == b"00" && value.len() == 55;
        let is_later_version = version != b"00"
            && version != b"ff"
            && hexadecimal(version).is_some()
            && matches!(value.get(55), None | Some(b'-'));
        let dashes = [2, 35, 52].map(|index| value.get(index));
        if !(is_known_version || is_later_version) || dashes != [Some(&b'-'); 3] {
            return None;
        }
        let trace = hexadecimal(value.get(3..35)?)?;
        let parent = u64::try_from(hexadecimal(value.get(36..52)?)?).ok()?;
        let flags = hexadecimal(value.get(53..55)?)?;
        (trace != 0 && parent != 0).then_some(Self {
            trace: TraceId(trace),
            parent: SpanId(parent),
            is_sampled: flags & 1 == 1,
        })
    }
}

/// Lower-case hexadecimal digits as a number.
fn hexadecimal(digits: &[u8]) -> Option<u128> {
    digits.iter().try_fold(0_u128, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some((number << 4) | u128::from(value))
    })
}

/// Makes ids: random enough to be unique, cheap enough to be made for each request.
#[derive(Debug)]
pub struct TraceIds(AtomicU64);

impl TraceIds {
    /// A source that starts anywhere.
    #[must_use]
    pub fn new() -> Self {
        let mut seed = [0; 8];
        // Without randomness ids are still unique within the process; they guard nothing.
        let _ = getrandom::fill(&mut seed);
        Self(AtomicU64::new(u64::from_ne_bytes(seed)))
    }

    /// A new span's id.
    #[must_use]
    pub fn span(&self) -> SpanId {
        SpanId(self.next().max(1))
    }

    /// A new trace's id.
    #[must_use]
    pub fn trace(&self) -> TraceId {
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

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const SPAN: &str = "00f067aa0ba902b7";

    fn parsed(value: &str) -> Option<(String, String, bool)> {
        TraceParent::parse(value.as_bytes())
            .map(|it| (it.trace.to_string(), it.parent.to_string(), it.is_sampled))
    }

    #[test]
    fn a_trace_is_carried_on() {
        let expected = |sampled| Some((TRACE.to_owned(), SPAN.to_owned(), sampled));
        assert_eq!(parsed(&format!("00-{TRACE}-{SPAN}-01")), expected(true));
        assert_eq!(parsed(&format!("00-{TRACE}-{SPAN}-00")), expected(false));
        assert_eq!(
            parsed(&format!("cc-{TRACE}-{SPAN}-03-what-comes-later")),
            expected(true)
        );
    }

    #[test]
    fn a_malformed_traceparent_is_taken_as_absent() {
        let (no_trace, no_span) = ("0".repeat(32), "0".repeat(16));
        for value in [
            String::new(),
            format!("ff-{TRACE}-{SPAN}-01"),
            format!("00-{}-{SPAN}-01", TRACE.to_uppercase()),
            format!("00-{no_trace}-{SPAN}-01"),
            format!("00-{TRACE}-{no_span}-01"),
            format!("00-{TRACE}-{SPAN}-01-more"),
            format!("cc-{TRACE}-{SPAN}-01.more"),
            format!("00-{TRACE}-{SPAN}-0"),
            format!("00_{TRACE}-{SPAN}-01"),
        ] {
            assert_eq!(parsed(&value), None, "{value}");
        }
    }

    #[test]
    fn two_traceparents_are_none() {
        let mut fields = HeaderMap::new();
        let value = http::HeaderValue::from_str(&format!("00-{TRACE}-{SPAN}-01")).unwrap();
        fields.append("traceparent", value.clone());
        assert!(TraceParent::of(&fields).is_some());
        fields.append("traceparent", value);
        assert!(TraceParent::of(&fields).is_none());
    }

    #[test]
    fn ids_differ() {
        let ids = TraceIds::new();
        let made: std::collections::HashSet<_> =
            (0..10_000).map(|_| ids.span().to_string()).collect();
        assert_eq!(made.len(), 10_000);
    }
}
