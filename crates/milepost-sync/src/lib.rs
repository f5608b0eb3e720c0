//! Follow a feed into a local replica, and write back with preconditions.
//!
//! A server of the Milepost protocol remembers none of its clients: a follower keeps its place
//! itself, as a link (the *bookmark*) that lies beside the data. This crate is that follower.
//!
//! - [`follow`]: the algorithm as a state machine without I/O, time or randomness of its own;
//! - [`Replica`] and what keeps one: a [`MemoryReplica`], an SQLite file ([`SqliteReplica`]), a folder
//!   of JSON files ([`FolderReplica`]), or whatever implements the trait;
//! - [`Transport`] and [`HttpTransport`]: requests and answers;
//! - [`Pull`]: the loop that connects the three;
//! - [`push`] and [`merge`]: sending local edits with the entity tag they started from, and what to
//!   do when somebody else was faster.
//!
//! It knows HTTP and the protocol, and no type of a server. It prints nothing.

pub mod clock;
pub mod digest;
pub mod follow;
pub mod merge;
pub mod page;
pub mod pull;
pub mod push;
pub mod replica;
pub mod transport;
pub mod url;

pub use clock::{Clock, SystemClock};
pub use digest::SetDigest;
pub use follow::{Follower, Options};
pub use page::{Change, Delivery, EVERYTHING_NAME, Key, Scope};
pub use pull::{Event, Meanwhile, Pull, PullError, Verdict};
pub use push::{Conflict, Push, PushError, Resolution};
pub use replica::{
    Applied, Edit, Editable, FolderReplica, Held, MemoryReplica, Replica, ReplicaError,
    SqliteReplica, Version,
};
pub use transport::{Answer, HttpTransport, Request, Transport, Unanswered};
pub use url::Url;
