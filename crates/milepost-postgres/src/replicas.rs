//! Servers that follow the primary, for what never changes again: a collection as of a position, closed
//! pages of changes, single versions.
//!
//! A follower may be behind. It is asked only for positions that it has, and only what the primary
//! would still tell; whatever it can't answer the primary is asked. Nothing that carries a head or the
//! newest entity tag comes from here.

use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use milepost_semantics::Position;
use milepost_store::ReadError;
use tokio::time::{Instant, timeout};

use crate::{
    OpenError,
    catalog::Catalog,
    connect::{Connector, Pool},
    options::Options,
    trouble::Trouble,
    view::View,
};

/// How long a follower has to answer before the primary is asked.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// How long one is left alone that didn't.
const REST: Duration = Duration::from_secs(5);

/// See the module.
#[derive(Debug)]
pub(crate) struct Replicas {
    each: Vec<Replica>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Replica {
    pool: Pool,
    /// What is declared there, as it was last read.
    catalog: RwLock<Option<Arc<Catalog>>>,
    rests_until: Mutex<Option<Instant>>,
}

impl Replicas {
    /// Those that the options name. Connects to none yet.
    pub(crate) fn new(options: &Options) -> Result<Self, OpenError> {
        let replica = |address| {
            let connector = Connector::to_replica(&Arc::new(address), &options.trust)?;
            Ok(Replica {
                pool: connector.pool(options.readers_max, ANSWER_MAX),
                catalog: RwLock::default(),
                rests_until: Mutex::default(),
            })
        };
        let each = options.replicas.iter().cloned().map(replica);
        Ok(Self {
            each: each.collect::<Result<_, OpenError>>()?,
            turn: AtomicUsize::new(0),
        })
    }

    /// What one of them answers that knows a position; `None` where the primary is to be asked.
    pub(crate) async fn ask<T, A>(
        &self,
        known: &Arc<Catalog>,
        position: Position,
        answer: impl FnOnce(View) -> A,
    ) -> Option<T>
    where
        A: Future<Output = Result<T, ReadError>>,
    {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let replica = self.each.get(turn.checked_rem(self.each.len())?)?;
        if replica.rests() {
            return None;
        }
        let Ok(Ok(view)) = timeout(ANSWER_MAX, replica.view(known)).await else {
            replica.rest();
            return None;
        };
        if view.lineage().sequence(position, view.head).is_none() {
            let _ = view.end();
            return None;
        }
        timeout(ANSWER_MAX, answer(view)).await.ok()?.ok()
    }
}

impl Replica {
    /// A moment of its own, with what is declared then.
    async fn view(&self, known: &Arc<Catalog>) -> Result<View, Trouble> {
        let own = self
            .catalog
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let own = own.unwrap_or_else(|| Arc::clone(known));
        let view = View::of(self.pool.get().await?, own).await?;
        let catalog = Some(Arc::clone(&view.catalog));
        *self.catalog.write().unwrap_or_else(PoisonError::into_inner) = catalog;
        Ok(view)
    }

    fn rests(&self) -> bool {
        let until = *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    fn rest(&self) {
        let until = Some(Instant::now() + REST);
        *self
            .rests_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = until;
    }
}
