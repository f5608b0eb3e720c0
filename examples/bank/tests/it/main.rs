//! The bank, held to what it promises.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod closed;
mod races;
mod readme;
mod stage;
mod story;
mod transfers;
