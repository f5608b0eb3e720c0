//! Being up to date when somebody asks: what other nodes acknowledged before the question is in the
//! answer, though nobody told of it yet.
//!
//! One small question to the primary, shared by all who ask at the same time: who comes while one is
//! under way waits for the next one, which begins after all of them came.

use std::sync::{
    Mutex as StdMutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use milepost_store::ReadError;
use tokio::sync::Mutex;

use crate::{rows::unsigned, shared::Shared, trouble::Trouble, view::View};

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    /// How many have asked.
    asked: AtomicU64,
    /// Who holds it asks the primary.
    turn: Mutex<()>,
    answered: StdMutex<Answered>,
}

/// Up to whom the last question answered, and what.
#[derive(Clone, Debug, Default)]
struct Answered {
    upto: u64,
    error: Option<ReadError>,
}

/// Brings head and catalog up to date.
pub(crate) async fn refresh(shared: &Shared) -> Result<(), ReadError> {
    let fresh = &shared.freshness;
    let mine = fresh.asked.fetch_add(1, Ordering::AcqRel) + 1;
    let _turn = fresh.turn.lock().await;
    if let Some(answer) = fresh.answer(mine) {
        return answer;
    }
    let upto = fresh.asked.load(Ordering::Acquire);
    let asked = ask(shared).await.map_err(ReadError::from);
    let error = asked.as_ref().err().cloned();
    *fresh
        .answered
        .lock()
        .unwrap_or_else(PoisonError::into_inner) = Answered { upto, error };
    asked
}

impl Freshness {
    /// What was answered to a question that this one could share.
    fn answer(&self, mine: u64) -> Option<Result<(), ReadError>> {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        let is_shared = answered.upto >= mine;
        is_shared.then(|| answered.error.clone().map_or(Ok(()), Err))
    }
}

async fn ask(shared: &Shared) -> Result<(), Trouble> {
    let (catalog, began) = (shared.catalog(), shared.moment());
    let client = shared.pool.get().await?;
    let sql = "SELECT head, epoch FROM milepost.store";
    let statement = client.prepare_cached(sql).await?;
    let row = client.query_one(&statement, &[]).await?;
    if row.try_get::<_, i64>(1)? == catalog.epoch {
        shared.saw(&catalog, unsigned(row.try_get(0)?), began);
        return Ok(());
    }
    drop(client);
    View::open(shared).await?.end()
}
