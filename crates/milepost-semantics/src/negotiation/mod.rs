//! Proactive negotiation (RFC 9110 §12): which representation a client would like.
//!
//! Each field is read into a value that chooses among what is offered. The offers and what to do
//! when none is acceptable are the server's.

mod accept;
mod encoding;
mod quality;

use http::header::{HeaderName, HeaderValue};

pub use accept::Accept;
pub use encoding::AcceptEncoding;
pub use quality::Quality;

/// The value of `Vary` (§12.5.5): the request fields that the choice depended on, each once, in the
/// given order; `None` when there are none.
#[must_use]
pub fn vary(fields: &[HeaderName]) -> Option<HeaderValue> {
    let mut names: Vec<&str> = Vec::new();
    for field in fields {
        if !names.contains(&field.as_str()) {
            names.push(field.as_str());
        }
    }
    if names.is_empty() {
        None
    } else {
        HeaderValue::try_from(names.join(", ")).ok()
    }
}
