//! What can go wrong with a database, and what that means to whoever asked.

use std::sync::Arc;

use milepost_store::{MaintenanceError, ReadError, WriteError};
use tokio_postgres::error::SqlState;

/// Why the database didn't answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    /// It refused, or the connection broke.
    #[error("the database failed")]
    Database(#[from] tokio_postgres::Error),
    /// No connection was to be had.
    #[error("no connection to the database is to be had")]
    Pool(#[from] deadpool_postgres::PoolError),
    /// It took longer than is waited for.
    #[error("the database did not answer in time")]
    Late,
    /// What is stored isn't what a store keeps.
    #[error("the database holds what no store writes: {what}")]
    Malformed {
        /// What was found.
        what: String,
    },
}

impl Trouble {
    /// Whether the database itself said no, so that nothing of the transaction stands.
    pub(crate) fn is_refusal(&self) -> bool {
        match self {
            // Class 57 is an operator's intervention: a commit may stand that was cut off by one.
            Self::Database(error) => error
                .as_db_error()
                .is_some_and(|refused| !refused.code().code().starts_with("57")),
            Self::Pool(_) | Self::Late | Self::Malformed { .. } => false,
        }
    }

    /// What it means for writes of which nothing stands.
    pub(crate) fn into_write_error(self) -> WriteError {
        let code = match &self {
            Self::Database(error) => error.code(),
            Self::Pool(_) | Self::Late | Self::Malformed { .. } => None,
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
