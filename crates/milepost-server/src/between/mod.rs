//! The only place where anything outlives the request that made it, apart from the store.
//!
//! What is kept here is about resources (pages that were written out, a position that was the head a
//! moment ago) or about requests that are open now (who waits). Nothing is about a client. All of it
//! is bounded, and could be dropped at any moment without making an answer wrong. Another node, or
//! this one after a restart, answers as well: perhaps with another recent position to start again
//! from. That is why locks may stand here and nowhere else.

#![expect(
    clippy::disallowed_types,
    reason = "what is shared here is about resources or open requests, bounded, and no answer is right only because of it"
)]

mod anchor;
mod leaving;
mod pages;
mod waits;

pub(crate) use self::{
    anchor::Anchor,
    leaving::Leaving,
    pages::{Pages, View, WrittenPage},
    waits::{News, Topic, Waits},
};
