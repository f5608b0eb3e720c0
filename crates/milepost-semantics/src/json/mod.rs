//! Strict JSON: bytes to a value, or a precise reason why not (RFC 8259).
//!
//! **The problem.** Two parsers that disagree about one text disagree about a resource: the first
//! of two equal keys or the last, a lone surrogate or a replacement character, `1e400` or infinity.
//! **The choice.** A text is refused whenever readers are known to differ: duplicate keys, invalid
//! UTF-8, a byte order mark, lone surrogates, and everything outside the grammar. Numbers are kept
//! as their text, of any size and precision, so nothing is rounded on the way to an index or a
//! patch. The parser keeps its own stack, so depth costs no stack space and has a limit of its own.
//!
//! Writing JSON is `serde_json`'s.

mod error;
mod number;
mod parser;
mod scan;
mod string;

use serde_json::Value;

pub use error::{JsonError, JsonErrorKind};

/// The deepest nesting that any limit can allow: dropping and writing a value recurses once per
/// level, and that must fit the stack of any thread.
pub const DEPTH_MAX: usize = 512;

/// What a document may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many arrays and objects may be open at once; never more than [`DEPTH_MAX`].
    pub depth: usize,
}

impl Limits {
    /// Limits with this depth.
    #[must_use]
    pub const fn with_depth(depth: usize) -> Self {
        Self {
            depth: if depth > DEPTH_MAX { DEPTH_MAX } else { depth },
        }
    }
}

impl Default for Limits {
    /// 128 levels: what the service accepts in a resource unless configured otherwise.
    fn default() -> Self {
        Self::with_depth(128)
    }
}

/// Reads one JSON document. Members keep their order, numbers their text.
///
/// # Errors
/// The first violation, with its place; see [`JsonErrorKind`].
pub fn parse(bytes: &[u8], limits: Limits) -> Result<Value, JsonError> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => return Err(not_utf8(bytes, error.valid_up_to(), limits)),
    };
    parser::parse(text, limits).map_err(|fault| fault.located_in(text))
}

/// The error for bytes that are no UTF-8: what comes before them is parsed, to say where in the
/// document they stand, or what was wrong even earlier.
fn not_utf8(bytes: &[u8], valid_bytes: usize, limits: Limits) -> JsonError {
    let valid = bytes.get(..valid_bytes).unwrap_or_default();
    let text = std::str::from_utf8(valid).unwrap_or_default();
    let mut fault = match parser::parse(text, limits) {
        Ok(_) => error::Fault::at(JsonErrorKind::InvalidUtf8, valid_bytes),
        Err(fault) => fault,
    };
    if fault.kind == JsonErrorKind::UnexpectedEnd || fault.kind == JsonErrorKind::Empty {
        fault.kind = JsonErrorKind::InvalidUtf8;
        fault.offset = valid_bytes;
        fault.found = None;
    }
    fault.located_in(text)
}
