//! What can go wrong with a database, and what that means to whoever asked.

use std::{fmt, sync::Arc};

use milepost_store::{MaintenanceError, ReadError, WriteError};
use tokio_postgres::error::SqlState;

use crate::address::Place;

/// Why the database didn't answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It refused, or the connection broke.
    #[error("the database failed")]
    Database(#[from] tokio_postgres::Error),
    /// No server let us in.
    #[error("the database's primary can't be reached")]
    Unconnected(Vec<Attempt>),
    /// It is not known which server is the primary.
    #[error("no server is known to be the database's primary")]
    Nowhere,
    /// No connection was to be had in time.
    #[error("no connection to the database is to be had")]
    Busy,
    /// It took longer than is waited for.
    #[error("the database did not answer in time")]
    Late,
    /// The machine has no thread for the sequencer.
    #[error("the machine gives no thread to write with")]
    Thread(#[source] std::io::Error),
    /// Other nodes serve the store with keys that don't go with this one's.
    #[error("other nodes serve this store with other keys: {nodes}")]
    OtherKeys {
        /// Who they are.
        nodes: String,
    },
    /// What is stored isn't what a store keeps.
    #[error("the database holds what no store writes: {what}")]
    Malformed {
        /// What was found.
        what: String,
    },
}

/// What became of connecting to one server.
#[derive(Debug)]
pub(crate) struct Attempt {
    pub(crate) place: Place,
    pub(crate) why: Unconnected,
}

/// Why a server let nobody in.
#[derive(Debug)]
pub(crate) enum Unconnected {
    /// It said so, or the network did.
    Refused(tokio_postgres::Error),
    /// It said nothing.
    Late,
}

impl fmt::Display for Attempt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: ", self.place)?;
        match &self.why {
            Unconnected::Late => formatter.write_str("takes too long"),
            Unconnected::Refused(error) => {
                let cause = std::error::Error::source(error);
                write!(formatter, "{}", cause.unwrap_or(error))
            }
        }
    }
}

impl Trouble {
    /// Whether the database itself said no, so that nothing of the transaction stands.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            // Class 57 is an operator's intervention: a commit may stand that was cut off by one.
            Self::Database(error) => error
                .as_db_error()
                .is_some_and(|refused| !refused.code().code().starts_with("57")),
            _ => false,
        }
    }

    /// Whether the same may work on another connection, or once another server is the primary.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Unconnected(_) | Self::Nowhere => true,
            Self::Database(error) => match error.code() {
                None => error.is_closed() || std::error::Error::source(error).is_some(),
                Some(code) => {
                    *code == SqlState::READ_ONLY_SQL_TRANSACTION
                        || code.code().starts_with("57")
                        || code.code().starts_with("40")
                }
            },
            Self::Busy
            | Self::Late
            | Self::Thread(_)
            | Self::OtherKeys { .. }
            | Self::Malformed { .. } => false,
        }
    }

    /// What it means for writes of which nothing stands.
    pub(crate) fn into_write_error(self) -> WriteError {
        let code = match &self {
            Self::Database(error) => error.code(),
            _ => None,
        };
        if code == Some(&SqlState::DISK_FULL) {
            WriteError::Full
        } else {
            WriteError::Unavailable(Arc::new(self))
        }
    }
}

impl From<Trouble> for ReadError {
    fn from(trouble: Trouble) -> Self {
        Self::Unavailable(Arc::new(trouble))
    }
}

impl From<Trouble> for MaintenanceError {
    fn from(trouble: Trouble) -> Self {
        Self::Storage(Arc::new(trouble))
    }
}
