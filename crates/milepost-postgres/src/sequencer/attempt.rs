//! One attempt to carry out a batch, on one connection.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Outcome, ResourceKey, Version,
    decision::{self, State},
};
use tokio::time::{Instant, timeout_at};

use super::{
    Batch, Work,
    apply::Pending,
    flush::flush,
    line::{LOCK, Sequencing, is_doubtful},
    state::{Held, Opening, named, rows_of},
};
use crate::{
    catalog::{self, Catalog},
    shared::Shared,
    trouble::Trouble,
};

/// How an attempt failed.
pub(super) enum Failed {
    /// Nothing of it stands.
    Nothing(Trouble),
    /// The commit was asked for, and its answer is missing.
    Unknown(Box<Committing>, Trouble),
}

/// A batch whose commit was asked for.
pub(super) struct Committing {
    pub(super) sequencer: i64,
    pub(super) batch: i64,
    /// The database's own id of the transaction.
    pub(super) transaction: String,
    pub(super) outcomes: Vec<Outcome>,
    catalog: Arc<Catalog>,
    head: u64,
    /// When the store's lock was held.
    began: u64,
}

impl Committing {
    /// It stands: whoever waits may know.
    pub(super) fn publish(&self, shared: &Shared) {
        shared.publish(&self.catalog, self.began);
        shared.saw(&self.catalog, self.head, self.began);
    }
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self::Nothing(trouble)
    }
}

pub(super) async fn attempt(
    shared: &Shared,
    sequencing: &mut Sequencing,
    works: &mut Batch,
    deadline: Instant,
) -> Result<Vec<Outcome>, Failed> {
    sequencing.batch += 1;
    let (sequencer, batch) = (sequencing.sequencer, sequencing.batch);
    let line = sequencing.line(shared, deadline).await?;
    let deciding = timeout_at(deadline, decide(shared, &line.client, works)).await;
    let (mut pending, transaction) = deciding.map_err(|_late| Trouble::Late)??;
    let outcomes = std::mem::take(&mut pending.outcomes);
    // What was recorded may stand on this machine alone: a commit behind it confirms it.
    let confirms = outcomes
        .iter()
        .any(|outcome| matches!(outcome, Outcome::Recorded(_)));
    if !pending.writes_anything() && !confirms {
        let ending = timeout_at(deadline, line.client.batch_execute("ROLLBACK")).await;
        ending
            .map_err(|_late| Trouble::Late)?
            .map_err(Trouble::from)?;
        if !shared.targets.is_certain() {
            return Err(Trouble::Nowhere.into());
        }
        return Ok(outcomes);
    }
    pending.seal();
    // Warnings of before are about other commits.
    is_doubtful(line);
    let flushing = flush(&line.client, &pending, sequencer, batch);
    let flushed = timeout_at(deadline, flushing).await;
    let committing = Committing {
        sequencer,
        batch,
        transaction,
        outcomes,
        head: pending.head,
        began: pending.began,
        catalog: pending.into_catalog(),
    };
    finish(shared, line, committing, flushed)
}

fn finish(
    shared: &Shared,
    line: &mut crate::connect::Line,
    committing: Committing,
    flushed: Result<Result<(), Trouble>, tokio::time::error::Elapsed>,
) -> Result<Vec<Outcome>, Failed> {
    let unknown = |committing, trouble| Err(Failed::Unknown(Box::new(committing), trouble));
    match flushed {
        Ok(Ok(())) => {
            if is_doubtful(line) {
                return unknown(committing, Trouble::Late);
            }
            committing.publish(shared);
            Ok(committing.outcomes)
        }
        Ok(Err(trouble)) if trouble.is_refusal() => Err(Failed::Nothing(trouble)),
        Ok(Err(trouble)) => unknown(committing, trouble),
        Err(_late) => unknown(committing, Trouble::Late),
    }
}

/// Begins, locks, reads and decides; answers what is to be written, and the transaction's id.
async fn decide(
    shared: &Shared,
    client: &ClientWrapper,
    batch: &mut Batch,
) -> Result<(Pending, String), Trouble> {
    let (mut held, opening) = begin(shared, client, &batch.works).await?;
    let began = shared.moment();
    if opening.epoch != held.catalog.epoch {
        let catalog = Arc::new(catalog::load(client, Some(&held.catalog)).await?);
        shared.publish(&catalog, began);
        held = Held::new(catalog);
        held.read_more(client, named(&batch.works)).await?;
    }
    if batch.has_company() {
        let before = batch.works.len();
        batch.gather();
        let newcomers = batch.works.get(before..).unwrap_or_default();
        held.read_more(client, named(newcomers)).await?;
    }
    let now = shared.options.clock.now();
    let mut pending = Pending::new(held, opening.head, now);
    pending.began = began;
    for work in &batch.works {
        let outcome = decide_one(shared, client, &mut pending, work).await?;
        pending.outcomes.push(outcome);
        pending.held.next_transaction();
    }
    Ok((pending, opening.transaction))
}

/// One exchange: begins, waits for the lock, and reads what is named as those before have left it.
async fn begin(
    shared: &Shared,
    client: &ClientWrapper,
    works: &[Work],
) -> Result<(Held, Opening), Trouble> {
    let lock = client.prepare_cached(LOCK).await?;
    let keys = named(works);
    let mut held = Held::new(shared.catalog());
    let catalog = Arc::clone(&held.catalog);
    // In this order each is handed over when it is first looked at.
    let (begun, locked, opened, read) = tokio::join!(
        biased;
        client.batch_execute("BEGIN"),
        client.query_one(&lock, &[]),
        held.open(client, &keys),
        rows_of(client, &catalog, &keys)
    );
    begun?;
    locked?;
    let opening = opened?;
    held.take(keys, &read?)?;
    Ok((held, opening))
}

async fn decide_one(
    shared: &Shared,
    client: &ClientWrapper,
    pending: &mut Pending,
    work: &Work,
) -> Result<Outcome, Trouble> {
    loop {
        let decided = try_one(shared, pending, work);
        match decided {
            Ok(outcome) => return Ok(outcome),
            Err(missing) => pending.held.fetch(client, missing).await?,
        }
    }
}

fn try_one(
    shared: &Shared,
    pending: &mut Pending,
    work: &Work,
) -> Result<Outcome, super::state::Missing> {
    if let Some(record) = &work.record {
        let key = ResourceKey::top(CollectionPath::transactions(), record.id.clone());
        let recorded = pending.held.current(&key)?;
        if let Some(recorded) = recorded.filter(|recorded| !recorded.version.is_deleted()) {
            let version: Version = recorded.version;
            return Ok(if recorded.digest == record.digest {
                Outcome::Recorded(version)
            } else {
                Outcome::RecordMismatch
            });
        }
    }
    let limits = shared.options.limits;
    match decision::decide(&work.operations, &mut pending.held, limits)? {
        Ok(decision) => {
            pending.ready(&decision)?;
            Ok(Outcome::Committed(
                pending.apply(decision, work.record.as_ref()),
            ))
        }
        Err(rejected) => Ok(Outcome::Rejected(rejected)),
    }
}
