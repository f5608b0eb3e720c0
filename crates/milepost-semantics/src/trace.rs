//! `traceparent` (W3C Trace Context, level 1): which trace a request belongs to.
//!
//! Reads and writes the field; making new ids is the caller's, since it takes randomness. A value
//! that cannot be read is as good as none: the specification demands to start a new trace then.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};

/// The field.
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A position in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TraceParent {
    trace_id: [u8; 16],
    parent_id: [u8; 8],
    flags: u8,
}

impl TraceParent {
    /// A position in a trace; `None` when one of the ids is all zeros, which is invalid.
    #[must_use]
    pub fn new(trace_id: [u8; 16], parent_id: [u8; 8], is_sampled: bool) -> Option<Self> {
        let is_valid = trace_id != [0; 16] && parent_id != [0; 8];
        is_valid.then_some(Self {
            trace_id,
            parent_id,
            flags: u8::from(is_sampled),
        })
    }

    /// Reads a request's field; `None` when it is absent, malformed, or stands more than once.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Option<Self> {
        let mut lines = headers.get_all(TRACEPARENT).iter();
        let only = lines.next().filter(|_| lines.next().is_none())?;
        Self::parse(only.to_str().ok()?)
    }

    /// Reads `00-{32 hex}-{16 hex}-{2 hex}`, lower case. Later versions may have more behind that
    /// and are read as far as this one goes (§3.2.4); version `ff` is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(55)?;
        let mut parts = known.split('-');
        let [version] = hex::<1>(parts.next()?)?;
        let trace_id = hex(parts.next()?)?;
        let parent_id = hex(parts.next()?)?;
        let [flags] = hex(parts.next()?)?;
        let is_whole = match version {
            0 => more.is_empty(),
            0xFF => false,
            _ => more.is_empty() || more.starts_with('-'),
        };
        if !is_whole || parts.next().is_some() {
            return None;
        }
        // Other flags are not known in level 1, and must not be passed on.
        Self::new(trace_id, parent_id, flags & 1 == 1)
    }

    /// The id of the whole trace.
    #[must_use]
    pub const fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The id of the operation that sent the request.
    #[must_use]
    pub const fn parent_id(&self) -> [u8; 8] {
        self.parent_id
    }

    /// Whether the caller records the trace.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.flags & 1 == 1
    }

    /// The same trace as seen by whoever the operation with this id calls; `None` for an all-zero id.
    #[must_use]
    pub fn child(&self, parent_id: [u8; 8]) -> Option<Self> {
        Self::new(self.trace_id, parent_id, self.is_sampled())
    }

    /// The field value.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "hexadecimal digits always are a field value"
    )]
    pub fn to_header_value(&self) -> HeaderValue {
        HeaderValue::try_from(self.to_string()).expect("hexadecimal digits and hyphens")
    }
}

impl fmt::Display for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let trace_id = u128::from_be_bytes(self.trace_id);
        let parent_id = u64::from_be_bytes(self.parent_id);
        write!(f, "00-{trace_id:032x}-{parent_id:016x}-{:02x}", self.flags)
    }
}

/// Exactly `N` bytes in lower-case hexadecimal.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let is_lower_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != N * 2 || !text.bytes().all(is_lower_hex) {
        return None;
    }
    let mut bytes = [0; N];
    let (pairs, _) = text.as_bytes().as_chunks::<2>();
    for (slot, pair) in bytes.iter_mut().zip(pairs) {
        *slot = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}
