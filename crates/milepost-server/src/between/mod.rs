//! The only place where anything outlives the request that made it, apart from the store.
//!
//! What is kept here is about resources (pages that were written out) or about requests that are open
//! now (who waits). Nothing is about a client. All of it is bounded, and could be dropped at any moment
//! without changing an answer: another node, or this one after a restart, gives the same. That is why
//! locks may stand here and nowhere else.

#![expect(
    clippy::disallowed_types,
    reason = "what is shared here is about resources or open requests, bounded, and no answer is right only because of it"
)]

mod leaving;
mod pages;
mod waits;

pub(crate) use self::{
    leaving::Leaving,
    pages::{Pages, View, WrittenPage},
    waits::{News, Topic, Waits},
};
