//! The backends against the conformance suite, and what each promises beyond it.

mod embedded;
mod followers;
mod memory;
mod model;

use milepost_store::Timestamp;

/// How many interleavings a test makes up: as many as `MILEPOST_CASES` says, else so many.
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("MILEPOST_CASES").ok();
    asked.map_or(usual, |asked| asked.parse().expect("a number of cases"))
}

/// Sunday 2023-01-01, a time like any other.
const NOW: Timestamp = Timestamp(1_672_531_200_000);
