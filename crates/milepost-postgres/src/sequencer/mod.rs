//! The sequencer: the one task of a node that writes, on a thread of its own (`thread`).
//!
//! It takes whatever transactions are waiting and carries them out in one transaction of the
//! database: the store's lock makes it the only writer of all nodes, so that everything
//! it reads from then on is the state that every earlier transaction left. Each waiting transaction is
//! decided against that state and what the earlier ones in the batch made of it; those that hold take
//! the next positions. Then everything is written at once and committed. Positions are so dense and
//! in commit order over all nodes, and one commit of the database carries many of ours.
//!
//! A batch costs two exchanges with the database: one that begins, locks and reads what the operations
//! name; one that writes and commits. Only what nobody could foresee (children of what is deleted,
//! definitions that another node changed) takes more, and what came while other nodes held the lock:
//! that joins the batch, so that the more nodes there are, the longer a node waits and the more it
//! writes at once.
//!
//! **When an answer is lost.** A commit whose answer doesn't come may stand or not. It is never
//! repeated blindly: `fate` looks it up on a new connection, and only a batch that is known not to
//! stand is tried again. Deadlines are kept here, as the database's own don't end a commit.

mod apply;
mod attempt;
mod define;
mod fate;
mod flush;
mod line;
mod state;
mod thread;

use std::{sync::Arc, time::Duration};

use milepost_store::{Outcome, Record, WriteError, decision::Prepared};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use self::{attempt::Failed, fate::Fate, line::Sequencing};
pub(crate) use self::{
    flush::{ADDED, VERSIONS},
    line::LOCK,
    thread::{Begun, begin},
};
use crate::{shared::Shared, trouble::Trouble};

/// The most transactions in one batch: bounds how long the first of them waits.
const BATCH_MAX: usize = 512;
/// The most bytes of representations in one batch, about.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// How long to wait before the database is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// A transaction on its way to the database.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<Outcome, WriteError>>,
}

/// What is to be decided.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) operations: Vec<Prepared>,
    pub(crate) record: Option<Record>,
}

/// Carries out what comes, until nobody can send any more.
async fn run(
    shared: Arc<Shared>,
    mut sequencing: Sequencing,
    mut waiting: mpsc::Receiver<Request>,
) {
    while let Some(first) = waiting.recv().await {
        let mut batch = Batch::new(first, waiting);
        let outcomes = carry_out(&shared, &mut sequencing, &mut batch).await;
        match outcomes {
            Ok(outcomes) => batch
                .replies
                .into_iter()
                .zip(outcomes)
                .for_each(|(reply, outcome)| answer(reply, Ok(outcome))),
            Err(error) => batch
                .replies
                .into_iter()
                .for_each(|reply| answer(reply, Err(error.clone()))),
        }
        waiting = batch.waiting;
    }
}

type Reply = oneshot::Sender<Result<Outcome, WriteError>>;

/// Transactions that are carried out together, and those that wait behind them.
struct Batch {
    works: Vec<Work>,
    replies: Vec<Reply>,
    bytes: usize,
    waiting: mpsc::Receiver<Request>,
}

impl Batch {
    fn new(first: Request, waiting: mpsc::Receiver<Request>) -> Self {
        let mut batch = Self {
            works: Vec::new(),
            replies: Vec::new(),
            bytes: 0,
            waiting,
        };
        batch.add(first);
        batch.gather();
        batch
    }

    fn add(&mut self, request: Request) {
        self.bytes += weight(&request.work);
        self.works.push(request.work);
        self.replies.push(request.reply);
    }

    /// Takes what is waiting now, as far as it fits.
    fn gather(&mut self) {
        while self.works.len() < BATCH_MAX
            && self.bytes < BATCH_BYTES_MAX
            && let Ok(request) = self.waiting.try_recv()
        {
            self.add(request);
        }
    }

    /// Whether so much came since that it pays to ask the database once more for it.
    fn has_company(&self) -> bool {
        self.waiting.len() >= self.works.len()
    }
}

/// Whoever asked may be gone; the write stands all the same.
fn answer(reply: Reply, outcome: Result<Outcome, WriteError>) {
    let _ = reply.send(outcome);
}

fn weight(work: &Work) -> usize {
    let weight = |prepared: &Prepared| match &prepared.operation.change {
        milepost_store::Change::Put(document) => document.bytes.len(),
        _ => 1024,
    };
    work.operations.iter().map(weight).sum()
}

/// Carries out a batch, again where an attempt is known to have left nothing, until its deadline.
async fn carry_out(
    shared: &Shared,
    sequencing: &mut Sequencing,
    batch: &mut Batch,
) -> Result<Vec<Outcome>, WriteError> {
    let deadline = Instant::now() + shared.options.write_deadline;
    loop {
        let failed = match attempt::attempt(shared, sequencing, batch, deadline).await {
            Ok(outcomes) => {
                shared.tried(None);
                return Ok(outcomes);
            }
            Err(failed) => failed,
        };
        sequencing.disconnect();
        let trouble = match failed {
            Failed::Nothing(trouble) => trouble,
            Failed::Unknown(committing, trouble) => {
                // The answer's own time is up; its fate is looked for as long again.
                let until = Instant::now() + shared.options.write_deadline;
                match fate::find(shared, &committing, until).await {
                    Fate::Stands => {
                        committing.publish(shared);
                        return Ok(committing.outcomes);
                    }
                    Fate::Nothing => trouble,
                    Fate::Unknown => return Err(unknown(shared)),
                }
            }
        };
        if (trouble.is_refusal() && !trouble.is_passing()) || Instant::now() >= deadline {
            shared.tried(Some(trouble.to_string()));
            return Err(trouble.into_write_error());
        }
        sleep(PAUSE).await;
    }
}

fn unknown(shared: &Shared) -> WriteError {
    shared.tried(Some(Trouble::Late.to_string()));
    WriteError::Unknown
}
