//! The promises of the crate: what was sealed here opens here, for what and whom it was sealed, until its time is
//! up; nothing else does; and keys are kept as they are said to be.
//!
//! No clock and no randomness but the machine's for keys in files: both are arguments.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects has failed"
)]

mod file;
mod mutated;
mod primitives;
mod ring;
mod sealing;
mod stage;
mod vectors;
