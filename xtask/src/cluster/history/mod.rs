//! Whether a recorded history is one that a store may have: linear, nothing lost, feeds whole.
//!
//! **What is known.** Every client writes down what it sent and was told, with the moments before it sent
//! and after it was answered. Every body carries a number that no other body has, so a version names the
//! write that made it. Afterwards the store is asked for all that it holds to have happened, each version
//! in the order of commits: the *timeline*.
//!
//! **What must hold.** Of the timeline: each version was made by a recorded write that was not refused,
//! on top of the version that the write named (`writes`). Each acknowledged write stands there, where it
//! was said to stand; two that replaced one version are a lost update. A write whose outcome nobody was told
//! may stand there or not. Of what was seen: everything is on the timeline, and can be put in one order
//! with the commits that agrees with real time: what was answered before something else was sent comes
//! before it (`order`). Of followers: each page is exactly what changed between its two positions, and
//! goes on where the one before ended (`feeds`).
//!
//! **Why this is enough.** The search for an order, which is hard in general, is easy here because the
//! store tells the order of commits: each operation has a known range of places in it, real time says
//! which may not be before which, and the earliest choice for each is the best for all. It takes time
//! n log n. That the check is exact is tried against all orders of small histories.
//!
//! Nothing here asks a server or reads a clock.

#[cfg(test)]
mod controls;
#[cfg(test)]
mod exact;
mod feeds;
mod order;
mod record;
#[cfg(test)]
mod simulated;
mod timeline;
mod violation;
mod writes;

pub(crate) use record::{
    Edit, Follower, Outcome, Page, Parent, Position, Read, Record, Resource, Seen, Span, Write,
};
pub(crate) use timeline::{Entry, Timeline};
pub(crate) use violation::Violation;

/// All that is wrong with a history; nothing where it is linear and no follower was misled.
pub(crate) fn verify(record: &Record, timeline: &Timeline) -> Vec<Violation> {
    let mut violations = timeline.violations();
    violations.extend(writes::check(record, timeline));
    violations.extend(order::check(record, timeline));
    violations.extend(feeds::check(record, timeline));
    violations
}
