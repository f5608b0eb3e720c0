//! The feed: what changed after a position, so that any number of clients stay in sync by plain GETs.
//!
//! **The problem.** A feed that remembers its readers grows with them, and loses them when it is
//! restarted. One that doesn't must find out from the request alone what to tell, cheaply enough that
//! everybody may ask all the time, and completely: an answer is the whole delta from the position
//! asked, or says that it can't be told.
//!
//! **The choice.** Where a client is up to stands in the URL ([`asked`]). What changed since is the
//! store's to say, up to where it says that the page ends ([`read`], [`render`]). A page that ends
//! before the head never changes and is told to caches as such; one at the head is told anew after
//! each commit, and shared by all who ask for it meanwhile ([`between`](crate::between)). Who doesn't
//! want to ask again and again waits inside a request: until there is news ([`hold`]), or for a
//! stream of it ([`stream`]). A position that can't be answered is 410 with the way on
//! ([`mod@expired`]).
//!
//! Sections: protocol, *Changes*; RFC 9110 §15.5.11 (410), RFC 7240 §4.3 (`wait`), WHATWG HTML
//! (server-sent events), RFC 9111 and RFC 8246 (caching).

mod answer;
mod asked;
mod everything;
mod expired;
mod hold;
mod read;
mod remembered;
mod render;
mod stream;
mod told;

pub(crate) use self::{
    answer::{changes, kept},
    everything::snapshot,
    expired::expired,
    remembered::remembered,
};
