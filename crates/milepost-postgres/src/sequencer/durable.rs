//! Making sure of what was committed, before anybody is told of it.
//!
//! A batch is committed without waiting for any disk, so that the store's lock is free at once and other
//! nodes write while this one waits. What was committed so can be seen, and can be lost, together with all
//! that came after it. So nobody is told of it, neither who wrote it nor who reads it, before a later
//! commit was waited for as the server's settings ask: one of nothing but the newest head, in this node's
//! row of `flushed`. That one makes sure of everything that was committed before it, by any node; one at
//! a time is under way, for all who wait.
//!
//! Where its answer is lost or in doubt, each batch's fate is looked up by itself.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use milepost_store::{Outcome, WriteError};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout, timeout_at},
};

use super::{
    Reply, answer,
    attempt::Committing,
    fate::{self, Fate},
    line::is_doubtful,
};
use crate::{connect::Line, listen::CHANNEL, shared::Shared, trouble::Trouble};

/// How long news of other nodes is waited for, before this one makes sure itself.
const GRACE: Duration = Duration::from_millis(5);
/// How long to wait before the database is tried again.
const PAUSE: Duration = Duration::from_millis(100);

/// How much of what was committed is sure to stay.
#[derive(Debug, Default)]
pub(crate) struct Durability {
    /// The newest head of which that is known.
    known: watch::Sender<u64>,
    /// The newest head of which somebody wants to know it.
    wanted: watch::Sender<u64>,
    /// How many transactions of this node's are committed and not known to stay.
    outstanding: watch::Sender<usize>,
}

impl Durability {
    /// A head was found to be sure.
    pub(crate) fn found(&self, head: u64) {
        raise(&self.known, head);
    }

    /// Whether a head is known to be sure.
    pub(crate) fn has(&self, head: u64) -> bool {
        *self.known.borrow() >= head
    }

    /// Waits until a head that was seen is sure to stay; in vain for as long as `most`.
    pub(crate) async fn of(&self, head: u64, most: Duration) -> Result<(), Trouble> {
        let mut known = self.known.subscribe();
        if timeout(GRACE, known.wait_for(|known| *known >= head))
            .await
            .is_ok()
        {
            return Ok(());
        }
        raise(&self.wanted, head);
        let known = timeout(most, known.wait_for(|known| *known >= head)).await;
        known.map(|_| ()).map_err(|_late| Trouble::Late)
    }

    /// Where it can be seen how many transactions are not known to stay.
    pub(super) fn outstanding(&self) -> watch::Receiver<usize> {
        self.outstanding.subscribe()
    }

    pub(super) fn begins(&self, count: usize) {
        self.outstanding.send_modify(|standing| *standing += count);
    }

    fn ends(&self, count: usize) {
        self.outstanding
            .send_modify(|standing| *standing = standing.saturating_sub(count));
    }
}

fn raise(head: &watch::Sender<u64>, to: u64) {
    head.send_if_modified(|head| {
        let is_news = to > *head;
        *head = to.max(*head);
        is_news
    });
}

/// A batch that was decided, and committed where it writes anything.
pub(super) struct Decided {
    pub(super) replies: Vec<Reply>,
    pub(super) committing: Committing,
}

/// Makes sure of what comes, until nobody can send any more.
pub(crate) async fn run(shared: Arc<Shared>, mut decided: mpsc::Receiver<Decided>) {
    let mut line = None;
    let mut wanted = shared.durability.wanted.subscribe();
    loop {
        let mut batches = Vec::new();
        tokio::select! {
            batch = decided.recv() => match batch {
                Some(batch) => batches.push(batch),
                None => return,
            },
            _wanted = wanted.wait_for(|head| !shared.durability.has(*head)) => {}
        }
        while let Ok(batch) = decided.try_recv() {
            batches.push(batch);
        }
        let heads = batches.iter().map(|batch| batch.committing.head);
        let head = heads.fold(*shared.durability.wanted.borrow(), u64::max);
        match make_sure(&shared, &mut line, head).await {
            Ok(()) => {
                tell(&line, &batches);
                batches.into_iter().for_each(|batch| stands(&shared, batch));
            }
            Err(trouble) => {
                line = None;
                shared.tried(Some(trouble.to_string()));
                let until = Instant::now() + shared.options.write_deadline;
                for batch in batches {
                    look_up(&shared, batch, until).await;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Waits until a head is sure to stay, by a commit where that isn't known.
async fn make_sure(shared: &Shared, line: &mut Option<Line>, head: u64) -> Result<(), Trouble> {
    let is_certain = shared.targets.is_certain();
    if is_certain && shared.durability.has(head) {
        return Ok(());
    }
    let deadline = Instant::now() + shared.options.write_deadline;
    let making = async {
        if !is_certain || line.as_ref().is_none_or(|line| line.client.is_closed()) {
            *line = Some(shared.connector.line().await?);
        }
        let line = line.as_mut().ok_or(Trouble::Late)?;
        commit(shared, line, head).await
    };
    timeout_at(deadline, making)
        .await
        .map_err(|_late| Trouble::Late)?
}

/// Commits that a head was seen; all that was committed before stays where that does.
pub(super) async fn commit(shared: &Shared, line: &mut Line, head: u64) -> Result<(), Trouble> {
    // Warnings of before are about other commits.
    is_doubtful(line);
    let sequencer = shared.sequencer;
    let sql = format!(
        "BEGIN; INSERT INTO milepost.flushed (sequencer, head) VALUES ({sequencer}, {head})
         ON CONFLICT (sequencer) DO UPDATE SET head = greatest(flushed.head, excluded.head); COMMIT"
    );
    line.client.batch_execute(&sql).await?;
    if is_doubtful(line) {
        return Err(Trouble::Late);
    }
    shared.durability.found(head);
    Ok(())
}

/// Tells other nodes; whether they hear it is not waited for.
fn tell(line: &Option<Line>, batches: &[Decided]) {
    let mut latest_first = batches.iter().rev();
    let written = latest_first.find(|batch| batch.committing.is_written());
    if let (Some(line), Some(batch)) = (line, written) {
        let (head, epoch) = (batch.committing.head, batch.committing.epoch());
        let sql = format!("SELECT pg_notify('{CHANNEL}', '{head} {epoch}')");
        let _told = line.client.batch_execute(&sql).now_or_never();
    }
}

fn stands(shared: &Shared, batch: Decided) {
    batch.committing.publish(shared);
    shared.tried(None);
    shared.durability.ends(batch.replies.len());
    let outcomes = batch.committing.outcomes.into_iter();
    for (reply, outcome) in batch.replies.into_iter().zip(outcomes) {
        answer(reply, Ok::<Outcome, WriteError>(outcome));
    }
}

/// Finds out what became of a batch by itself.
async fn look_up(shared: &Shared, batch: Decided, until: Instant) {
    let fate = if batch.committing.is_written() {
        fate::find(shared, &batch.committing, until).await
    } else {
        // What it was decided on may be lost.
        Fate::Nothing
    };
    let error = match fate {
        Fate::Stands => return stands(shared, batch),
        Fate::Nothing => Trouble::Late.into_write_error(),
        Fate::Unknown => WriteError::Unknown,
    };
    shared.durability.ends(batch.replies.len());
    for reply in batch.replies {
        answer(reply, Err(error.clone()));
    }
}
