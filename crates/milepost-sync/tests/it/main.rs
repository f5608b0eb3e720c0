//! The promises of the crate: followers, replicas and edits against a model of a server that follows
//! the protocol, and against everything that lies between.
//!
//! No sockets and no waiting: transport and clock are arguments.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects has failed"
)]

mod converging;
mod editing;
mod everything;
mod following;
mod merging;
mod replicas;
mod stage;
