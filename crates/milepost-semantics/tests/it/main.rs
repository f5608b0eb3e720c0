//! The promises of `milepost-semantics`, by module.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fields;
mod json;
mod precondition;
mod tag;
mod wire;
