//! How a store in PostgreSQL is opened: where it is, and how long anything may take.

use std::{sync::Arc, time::Duration};

use milepost_store::{
    MaintenanceError,
    clock::{Clock, SystemClock},
    decision::Limits,
};
use tokio_postgres::{Config, config::TargetSessionAttrs};

/// How a store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the database is, and who asks. Only a server that takes writes is used.
    pub database: Config,
    /// Where the time of writes comes from.
    pub clock: Arc<dyn Clock>,
    /// Bounds on what a patch may make of a representation.
    pub limits: Limits,
    /// The most transactions that wait for the writer; more are refused.
    pub queue_max: usize,
    /// The most connections that read at the same time. Three more write, listen and look after the
    /// store.
    pub readers_max: usize,
    /// How long a question may take, waiting for a connection included.
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
    /// Usual options for the database that `address` names, a URL (`postgres://user@host:5432/name`,
    /// with several hosts: `postgres://one,other/name`) or libpq's `key=value` pairs.
    ///
    /// # Errors
    /// [`MaintenanceError::NotAStore`] where the address can't be read.
    pub fn new(address: &str) -> Result<Self, MaintenanceError> {
        let malformed = |_error| MaintenanceError::NotAStore {
            // The address itself may hold a password.
            path: "what the PostgreSQL address names".to_owned(),
        };
        let mut database: Config = address.parse().map_err(malformed)?;
        database.target_session_attrs(TargetSessionAttrs::ReadWrite);
        if database.get_application_name().is_none() {
            database.application_name("milepost");
        }
        if database.get_connect_timeout().is_none() {
            database.connect_timeout(Duration::from_secs(3));
        }
        Ok(Self::of(database))
    }

    fn of(database: Config) -> Self {
        Self {
            database,
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
