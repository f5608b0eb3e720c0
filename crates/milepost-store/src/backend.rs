//! What backends have in common, for those that live in other crates: how listings are ordered,
//! where pages of changes end, what positions look like, which words a text has.
//!
//! A backend that answers by these rules answers as every other one does, and its cursors and
//! bookmarks mean the same everywhere. Whoever only uses a store needs nothing of this.

use crate::definition::{Bounds as Kept, Retention};
pub use crate::{
    decision::{index_value_or_other, parse_stored, text_of},
    page_end::{Bounds, ends},
    plan::{OrderKey, order, ties_descend, undeclared, undeclared_among},
    positions::{Incarnation, Lineage, random},
    words::words,
};

/// How long, and how many, transactions' outcomes are kept.
pub const OUTCOMES: Kept = Kept {
    count: Some(1_000_000),
    age_ms: Some(7 * 24 * 60 * 60 * 1000),
    bytes: None,
};
/// What holds for the service's own collections.
pub const OWN_RETENTION: Retention = Retention {
    history: Kept {
        count: Some(10_000),
        age_ms: Some(90 * 24 * 60 * 60 * 1000),
        bytes: Some(64 << 20),
    },
    tombstones: Kept {
        count: Some(10_000),
        age_ms: Some(90 * 24 * 60 * 60 * 1000),
        bytes: None,
    },
};
