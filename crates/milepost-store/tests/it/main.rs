//! The backends against the conformance suite, and what each promises beyond it.

mod embedded;
mod memory;
mod model;

use milepost_store::Timestamp;

/// Sunday 2023-01-01, a time like any other.
const NOW: Timestamp = Timestamp(1_672_531_200_000);
