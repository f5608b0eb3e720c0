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

/// A batch that was decided, and whose commit was asked for where it writes anything.
pub(super) struct Committing {
    pub(super) sequencer: i64,
    /// Its number; 0: it writes nothing.
    pub(super) batch: i64,
    /// The database's own id of the transaction.
    pub(super) transaction: String,
    pub(super) outcomes: Vec<Outcome>,
    /// What it was decided on, and what it has made of it.
    pub(super) head: u64,
    catalog: Arc<Catalog>,
    /// When the store's lock was held.
    began: u64,
}

impl Committing {
    pub(super) fn is_written(&self) -> bool {
        self.batch != 0
    }

    pub(super) fn epoch(&self) -> i64 {
        self.catalog.epoch
    }

    /// It is sure to stay: whoever waits may know.
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
) -> Result<Committing, Failed> {
    sequencing.batch += 1;
    let (sequencer, batch) = (sequencing.sequencer, sequencing.batch);
    let line = sequencing.line(shared, deadline).await?;
    let deciding = timeout_at(deadline, decide(shared, &line.client, works)).await;
    let (mut pending, transaction) = deciding.map_err(|_late| Trouble::Late)??;
    let outcomes = std::mem::take(&mut pending.outcomes);
    pending.seal();
    let is_written = pending.writes_anything();
    let committing = Committing {
        sequencer,
        batch: if is_written { batch } else { 0 },
        transaction,
        outcomes,
        head: pending.head,
        began: pending.began,
        catalog: Arc::clone(&pending.held.catalog),
    };
    if !is_written {
        let ending = timeout_at(deadline, line.client.batch_execute("ROLLBACK")).await;
        ending
            .map_err(|_late| Trouble::Late)?
            .map_err(Trouble::from)?;
        return Ok(committing);
    }
    // Warnings of before are about other commits.
    is_doubtful(line);
    let flushing = flush(&line.client, &pending, sequencer, batch);
    let flushed = timeout_at(deadline, flushing).await;
    let trouble = match flushed {
        Ok(Ok(())) if is_doubtful(line) => Trouble::Late,
        Ok(Ok(())) => return Ok(committing),
        Ok(Err(trouble)) if trouble.is_refusal() => return Err(Failed::Nothing(trouble)),
        Ok(Err(trouble)) => trouble,
        Err(_late) => Trouble::Late,
    };
    Err(Failed::Unknown(Box::new(committing), trouble))
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
        // Published once it is sure to stay.
        let catalog = Arc::new(catalog::load(client, Some(&held.catalog)).await?);
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
