//! The PostgreSQL backend against the conformance suite, and what it promises beyond it.
//!
//! The tests start a PostgreSQL of their own. Where there is none installed they fail in continuous
//! integration, and elsewhere say that they are skipped.

mod cluster;
mod conformance;
mod nodes;

use milepost_store::Timestamp;

/// Sunday 2023-01-01, a time like any other.
const NOW: Timestamp = Timestamp(1_672_531_200_000);
