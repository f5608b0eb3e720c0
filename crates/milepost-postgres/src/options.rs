//! How a store in PostgreSQL is opened: where it is, who opens it, and how long anything may take.

use std::{sync::Arc, time::Duration};

use milepost_semantics::History;
use milepost_store::{
    clock::{Clock, SystemClock},
    decision::Limits,
};

use crate::{OpenError, address::Address, nodes::Node, patroni::Member, trust::Trust};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the database is, and who asks. Only a server that takes writes is used.
    pub database: Address,
    /// Whose certificates of servers are believed, where TLS is used.
    pub trust: Trust,
    /// Patroni's members, who are asked which server is the primary; none: whichever server of the
    /// address takes writes is.
    pub patroni: Vec<Member>,
    /// Servers that follow the primary, each by itself: asked for what never changes again.
    pub replicas: Vec<Address>,
    /// The history that the store must have. Where it is given, no store is made.
    pub history: Option<History>,
    /// Who this node is to the others.
    pub node: Node,
    /// Where the time of writes comes from.
    pub clock: Arc<dyn Clock>,
    /// Bounds on what a patch may make of a representation.
    pub limits: Limits,
    /// The most transactions that wait for the writer; more are refused.
    pub queue_max: usize,
    /// The most connections that read at the same time. Three more write, listen and look after the
    /// store.
    pub readers_max: usize,
    /// How long a question may take, waiting for a connection and for a primary included.
    pub read_deadline: Duration,
    /// How long a batch of transactions may take; after that their outcome is looked up.
    pub write_deadline: Duration,
    /// How often this node looks whether the store needs something done: retention, indexes. `None`:
    /// never, that is other nodes' work.
    pub upkeep: Option<Duration>,
    /// How often the store is looked at for what no notification told.
    pub poll: Duration,
}

impl Options {
    /// Usual options for the database that `address` names, see [`Address::parse`].
    ///
    /// # Errors
    /// [`OpenError::MalformedAddress`] where the address can't be read.
    pub fn new(address: &str) -> Result<Self, OpenError> {
        Ok(Self::of(Address::parse(address)?))
    }

    /// Usual options for the database at an address.
    #[must_use]
    pub fn of(database: Address) -> Self {
        Self {
            database,
            trust: Trust::default(),
            patroni: Vec::new(),
            replicas: Vec::new(),
            history: None,
            node: Node::default(),
            clock: Arc::new(SystemClock),
            limits: Limits::default(),
            queue_max: 4096,
            readers_max: 16,
            read_deadline: Duration::from_secs(10),
            write_deadline: Duration::from_secs(10),
            upkeep: Some(Duration::from_secs(1)),
            poll: Duration::from_secs(1),
        }
    }
}
