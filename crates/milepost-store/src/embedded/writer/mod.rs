//! The sequencer: the one thread that writes.
//!
//! It takes whatever transactions are waiting, decides each against the state that the earlier ones
//! in the batch leave, writes those that hold, and commits the batch with one sync (group commit).
//! The disk's sync rate so bounds batches, not transactions; and as a batch is only ever what
//! gathered while the previous one was synced, nobody waits for company. A transaction that does not
//! hold writes nothing and disturbs nobody.
//!
//! Order is simple because there is one writer: each transaction that writes takes the next
//! sequence, and a reader sees either none of a batch or all of it.

mod apply;
mod indexes;
mod ledger;
mod maintenance;
mod retention;
mod trim;

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub(super) use self::ledger::Ledger;
use super::{Shared, Standing};
use crate::{
    Committed, MaintenanceError, Outcome, Record, WriteError,
    decision::{self, Prepared},
};

/// The most transactions that one sync makes durable: bounds how long the first of them waits.
const BATCH_MAX: usize = 512;
/// The most bytes of representations in one batch, about.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// How often retention by age is looked after when nobody writes.
const IDLE: Duration = Duration::from_secs(1);

/// A transaction on its way to the writer.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) operations: Vec<Prepared>,
    pub(super) record: Option<Record>,
    pub(super) reply: oneshot::Sender<Result<Outcome, WriteError>>,
}

#[derive(Debug)]
enum Message {
    Write(Request),
    /// Do all maintenance that is due, then say so.
    Settle(oneshot::Sender<()>),
    Stop,
}

/// The way to the writer's thread, which ends with it.
#[derive(Debug)]
pub(super) struct Writer {
    queue: SyncSender<Message>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        db: Connection,
        shared: Arc<Shared>,
        queue_max: usize,
    ) -> Result<Self, MaintenanceError> {
        let ledger = Ledger::open(db, Arc::clone(&shared)).map_err(super::cause)?;
        let (queue, waiting) = sync_channel(queue_max);
        let sequencer = Sequencer {
            ledger,
            shared,
            waiting,
        };
        let thread = std::thread::Builder::new()
            .name("milepost-writer".to_owned())
            .spawn(move || sequencer.run())
            .map_err(|source| MaintenanceError::Io {
                path: "thread".to_owned(),
                source,
            })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    /// Hands a transaction over.
    pub(super) fn send(&self, request: Request) -> Result<(), WriteError> {
        self.queue
            .try_send(Message::Write(request))
            .map_err(|error| match error {
                TrySendError::Full(_) => WriteError::Overloaded,
                TrySendError::Disconnected(_) => WriteError::Stopped,
            })
    }

    /// Waits until all maintenance that is due is done.
    pub(super) async fn settle(&self) {
        let (reply, done) = oneshot::channel();
        if self.queue.send(Message::Settle(reply)).is_ok() {
            // The writer drops the sender only when it ends, and then there is nothing to wait for.
            let _ = done.await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Where the queue is gone the thread has ended already.
        let _ = self.queue.send(Message::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Sequencer {
    ledger: Ledger,
    shared: Arc<Shared>,
    waiting: Receiver<Message>,
}

impl Sequencer {
    fn run(mut self) {
        loop {
            // Where the disk takes nothing there is no use in trying again at once.
            let may_work = self.shared.standing() == Standing::Good && self.ledger.has_work();
            let wait = if may_work { Duration::ZERO } else { IDLE };
            let stop = match self.waiting.recv_timeout(wait) {
                Ok(message) => {
                    self.ledger.work.is_idle = false;
                    self.batch(message)
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.ledger.work.is_idle |= wait == IDLE;
                    self.maintain();
                    false
                }
                Err(RecvTimeoutError::Disconnected) => true,
            };
            if stop {
                return;
            }
        }
    }

    /// Carries out what is waiting. Answers whether to stop.
    fn batch(&mut self, first: Message) -> bool {
        let mut requests = Vec::new();
        let mut settled = Vec::new();
        let mut stop = false;
        let mut bytes = 0;
        let mut next = Some(first);
        while let Some(message) = next {
            match message {
                Message::Write(request) => {
                    bytes += weight(&request);
                    requests.push(request);
                }
                Message::Settle(reply) => settled.push(reply),
                Message::Stop => stop = true,
            }
            let is_full = requests.len() >= BATCH_MAX || bytes >= BATCH_BYTES_MAX;
            next = if stop || is_full {
                None
            } else {
                self.waiting.try_recv().ok()
            };
        }
        self.write(requests);
        if !settled.is_empty() {
            self.settle(settled);
        }
        stop
    }

    fn write(&mut self, requests: Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        if self.shared.standing() == Standing::Poisoned {
            requests
                .into_iter()
                .for_each(|request| answer(request.reply, Err(WriteError::Stopped)));
            return;
        }
        // A checkpoint's last step and a batch take turns, so that the log can begin anew.
        let shared = Arc::clone(&self.shared);
        let _turn = shared.gate.enter();
        let (replies, work): (Vec<_>, Vec<_>) = requests
            .into_iter()
            .map(|request| (request.reply, (request.operations, request.record)))
            .unzip();
        match self.commit(work) {
            Ok(outcomes) => {
                self.shared.recovered();
                replies
                    .into_iter()
                    .zip(outcomes)
                    .for_each(|(reply, outcome)| answer(reply, Ok(outcome)));
            }
            Err(error) => {
                let error = self.failed(&error);
                replies
                    .into_iter()
                    .for_each(|reply| answer(reply, Err(error.clone())));
            }
        }
    }

    fn commit(
        &mut self,
        work: Vec<(Vec<Prepared>, Option<Record>)>,
    ) -> rusqlite::Result<Vec<Outcome>> {
        self.ledger.begin()?;
        let mut outcomes = Vec::with_capacity(work.len());
        for (operations, record) in work {
            outcomes.push(self.decide(&operations, record)?);
        }
        self.ledger.maintain_beside()?;
        self.ledger.commit()?;
        Ok(outcomes)
    }

    fn decide(
        &mut self,
        operations: &[Prepared],
        record: Option<Record>,
    ) -> rusqlite::Result<Outcome> {
        if let Some(record) = &record
            && let Some(recorded) = self.ledger.recorded(record)?
        {
            return Ok(if recorded.digest == record.digest {
                Outcome::Recorded(recorded.version)
            } else {
                Outcome::RecordMismatch
            });
        }
        let limits = self.shared.limits;
        let decision = match decision::decide(operations, &mut self.ledger, limits)? {
            Ok(decision) => decision,
            Err(rejected) => return Ok(Outcome::Rejected(rejected)),
        };
        let committed: Committed = self.ledger.apply(decision, record)?;
        Ok(Outcome::Committed(committed))
    }

    /// Undoes a batch whose storage failed, and finds out what that means for later ones.
    fn failed(&mut self, error: &rusqlite::Error) -> WriteError {
        let outcome = super::write_error(error);
        match &outcome {
            WriteError::Poisoned => self.shared.poison(),
            WriteError::Full => self.shared.full(),
            _ => {}
        }
        if self.ledger.roll_back().is_err() {
            self.shared.poison();
            return WriteError::Poisoned;
        }
        outcome
    }

    fn maintain(&mut self) {
        if self.shared.standing() == Standing::Poisoned {
            return;
        }
        let shared = Arc::clone(&self.shared);
        let _turn = shared.gate.enter();
        if let Err(error) = self.ledger.maintain_alone() {
            self.failed(&error);
        }
    }

    fn settle(&mut self, settled: Vec<oneshot::Sender<()>>) {
        self.ledger.look_for_work();
        while self.ledger.has_work() && self.shared.standing() == Standing::Good {
            self.maintain();
        }
        settled.into_iter().for_each(|reply| {
            let _ = reply.send(());
        });
    }
}

/// Whoever asked may be gone; the write stands all the same.
fn answer(
    reply: oneshot::Sender<Result<Outcome, WriteError>>,
    outcome: Result<Outcome, WriteError>,
) {
    let _ = reply.send(outcome);
}

fn weight(request: &Request) -> usize {
    let weight = |prepared: &Prepared| match &prepared.operation.change {
        crate::Change::Put(document) => document.bytes.len(),
        _ => 1024,
    };
    request.operations.iter().map(weight).sum()
}
