//! The promises of `milepost-semantics`, by module.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod fields;
mod index;
mod json;
mod patch;
mod pointer;
mod precondition;
mod problem;
mod tag;
mod values;
mod wire;
