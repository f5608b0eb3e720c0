//! Moving the write-ahead log into the database, away from the committing thread.
//!
//! The log is moved often and so in small steps, beside the writer, who never waits for it. But a
//! log that is always being appended to is never wholly moved, and so never begins anew; once it has
//! grown large, a last step is done while the writer holds still, right after one beside it: what is
//! left by then is a few milliseconds' worth.

use std::{
    convert::Infallible,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;

use super::{Shared, cause, connection, headroom::Headroom};
use crate::MaintenanceError;

/// How often it is looked whether there is enough to move.
const INTERVAL: Duration = Duration::from_millis(50);
/// The log is moved when about so much was added to it.
const STEP_BYTES: u64 = 16 << 20;
/// The writer holds still for the last step when the log is this large.
const LOG_BYTES_MAX: u64 = 64 << 20;
/// A store that was written this much to, in bytes, is going to be written to again.
const WRITTEN_MIN: u64 = 256 << 10;
/// A page and its header, as they lie in the log.
const FRAME_BYTES: u64 = 4096 + 24;

/// The thread that moves the log; ends with the value.
#[derive(Debug)]
pub(super) struct Checkpointer {
    /// Nothing is ever sent: that it is gone is the message.
    open: Option<Sender<Infallible>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpointer {
    pub(super) fn start(database: &Path, shared: Arc<Shared>) -> Result<Self, MaintenanceError> {
        let db = connection::checkpointer(database).map_err(cause)?;
        let (open, closed) = channel();
        let log = Log {
            db,
            shared,
            moved_bytes: 0,
            // What is written while the last step is done lies behind it.
            headroom: Headroom::of(database, LOG_BYTES_MAX + STEP_BYTES),
        };
        let thread = std::thread::Builder::new()
            .name("milepost-checkpoint".to_owned())
            .spawn(move || log.run(&closed))
            .map_err(|source| MaintenanceError::Io {
                path: "thread".to_owned(),
                source,
            })?;
        Ok(Self {
            open: Some(open),
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.open = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Log {
    db: Connection,
    shared: Arc<Shared>,
    /// What the writer had added in all when the log was last moved.
    moved_bytes: u64,
    headroom: Headroom,
}

impl Log {
    fn run(mut self, closed: &Receiver<Infallible>) {
        loop {
            match closed.recv_timeout(INTERVAL) {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(never) => match never {},
            }
        }
    }

    fn look(&mut self) {
        if self.headroom.is_wanted() && self.shared.logged_bytes() >= WRITTEN_MIN {
            self.headroom.extend(&self.shared.gate);
        }
        if self.shared.logged_bytes() >= self.moved_bytes + STEP_BYTES {
            self.step();
        }
    }

    /// A failure here loses nothing: the log stays, and the next step tries again.
    fn step(&mut self) {
        self.moved_bytes = self.shared.logged_bytes();
        if self.checkpoint() >= LOG_BYTES_MAX {
            // Once all of it is moved, the writer's next commit begins the log anew, in place.
            let _turn = self.shared.gate.enter();
            self.checkpoint();
        }
    }

    /// Moves what no reader holds back. Answers how large the log is.
    fn checkpoint(&self) -> u64 {
        let frames = self
            .db
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| {
                row.get::<_, i64>(1)
            });
        u64::try_from(frames.unwrap_or(0)).unwrap_or(0) * FRAME_BYTES
    }
}
