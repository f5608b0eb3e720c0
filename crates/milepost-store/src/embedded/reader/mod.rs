//! Reading: any number of threads, each with a connection of its own, none waiting for the writer.

mod changes;
mod list;
mod resource;
mod snapshot;
mod stretch;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::Connection;
use tokio::sync::Semaphore;

pub(super) use self::{
    changes::{Asked, changes},
    list::{is_quick, list},
    resource::{collection, resource, resource_at, version, versions},
};
use super::{Shared, connection};
use crate::ReadError;

/// The most connections that are kept open while nobody uses them.
const IDLE_MAX: usize = 16;
/// The most questions that are asked beside the threads that ask; more wait their turn.
const BESIDE_MAX: usize = 16;

/// The connections that read.
#[derive(Debug)]
pub(super) struct Readers {
    database: PathBuf,
    idle: Mutex<Vec<Connection>>,
    beside: Semaphore,
}

impl Readers {
    pub(super) fn new(database: PathBuf) -> Self {
        Self {
            database,
            idle: Mutex::default(),
            beside: Semaphore::new(BESIDE_MAX),
        }
    }

    /// Asks on the thread that calls. For what takes microseconds.
    pub(super) fn now<T>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T, ReadError>,
    ) -> Result<T, ReadError> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let db = match idle {
            Some(db) => db,
            None => connection::reader(&self.database).map_err(unavailable)?,
        };
        let answer = ask(&db);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE_MAX {
            idle.push(db);
        }
        drop(idle);
        answer
    }
}

/// Asks on another thread. For what may take milliseconds.
pub(super) async fn beside<T: Send + 'static>(
    shared: &Arc<Shared>,
    ask: impl FnOnce(&Connection, &Shared) -> Result<T, ReadError> + Send + 'static,
) -> Result<T, ReadError> {
    // Never closed, so there is always a turn to wait for.
    let _turn = shared.readers.beside.acquire().await;
    let shared = Arc::clone(shared);
    let asked =
        tokio::task::spawn_blocking(move || shared.readers.now(|db| ask(db, &shared))).await;
    asked.unwrap_or_else(|stopped| Err(ReadError::Unavailable(Arc::new(stopped))))
}

pub(super) fn unavailable(error: rusqlite::Error) -> ReadError {
    ReadError::Unavailable(Arc::new(error))
}
