//! Rules: who may do what with a collection's resources, as its definition says (docs/rules.md).
//!
//! **The problem.** A reader must see exactly what the rules let it read, in everything that is told: resources, lists,
//! counts, feeds, snapshots, versions, errors. What it may not read must not show by its absence either. Nothing may
//! be remembered about readers. And a collection without rules must pay nothing.
//!
//! **The choice.** A rule is a boolean expression in CEL, compiled once and kept with its definition ([`compile`],
//! [`ruled`]), and evaluated with a bound on its cost ([`evaluate`]). Whoever asks is judged
//! - for reads, once for a request where the rule looks at the subject alone, else version by version, each by its own
//!   content ([`Sightline`]);
//! - for writes, inside the storage transaction, by what stands and what would stand ([`Judge`]): to whoever may not
//!   read something, it isn't there.
//!
//! Links that lead on in what was told (`next`, `resume`) name the reader's view in `seenBy` ([`view`]): where that is
//! no longer what whoever asks sees, a position is as good as expired, and they start again. So a reader never keeps what
//! it may no longer see, and the server needn't know what it was told.
//!
//! **Also considered.** Rules as filters of the store: then only what an index knows could be asked, and every backend
//! would have to know the language. Views that are kept per reader: state about clients.

mod book;
mod compile;
mod evaluate;
mod found;
mod judge;
mod node;
mod ruled;
mod seen;
mod sees;
mod sightline;
#[cfg(test)]
mod tests;
mod value;
mod view;

pub use self::book::{Attempt, RuleBook};
pub(crate) use self::{
    found::{found, look_up},
    judge::Judge,
    seen::Seen,
    sightline::Sightline,
    view::{name as view_name, visibility},
};

use std::sync::Arc;

use http::request::Parts;
use milepost_store::Guard;

use crate::identity::subject_of;

/// The key of a link's view.
pub(crate) const SEEN_BY: &str = "seenBy";

/// Who judges the writes of a request.
pub(crate) fn guard_of(request: &Parts) -> Arc<dyn Guard> {
    Arc::new(Judge(subject_of(request).clone()))
}
