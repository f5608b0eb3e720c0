//! The PostgreSQL backend: one store, any number of nodes, none of them special.
//!
//! Every node holds a [`Postgres`] on the same database (15 or newer). Whichever node writes does so
//! alone, under a lock in the database (`sequencer`), so all nodes' commits have one order; reads go
//! to the database, and never see part of a commit. What a node keeps is what it could read again at
//! any moment: what is declared (`catalog`), and the newest head that it heard of (`listen`). It
//! keeps no representations: a read after an acknowledged write sees it on every node.

mod catalog;
mod changes;
mod connect;
mod list;
mod listen;
mod maintenance;
mod options;
mod read;
mod restored;
mod rows;
mod schema;
mod sequencer;
mod shared;
mod trouble;
mod view;
mod words;

use std::{future::Future, sync::Arc};

use async_trait::async_trait;
use milepost_semantics::Position;
use milepost_store::{
    ChangesPage, ChangesQuery, CollectionPath, CollectionState, Definitions, Health, ListQuery,
    MaintenanceError, Outcome, Page, ReadError, ResourceKey, Store, Transaction, Version,
    VersionPage, WriteError, decision,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, timeout},
};

use self::{
    maintenance::Other,
    sequencer::{Connected, Request, Work},
    shared::Shared,
    trouble::Trouble,
};
pub use self::{options::Options, restored::begin_history};

/// A node's handle on a store in PostgreSQL.
///
/// Dropping it ends what the node does in the background; writes that were handed over are finished.
#[derive(Debug)]
pub struct Postgres {
    shared: Arc<Shared>,
    queue: mpsc::Sender<Request>,
    background: Vec<JoinHandle<()>>,
}

impl Postgres {
    /// Opens the store in a database, or makes one where there is none. Needs a runtime.
    ///
    /// # Errors
    /// [`MaintenanceError`] where the database can't be reached, or a newer version of the program
    /// has written it.
    pub async fn open(options: Options) -> Result<Self, MaintenanceError> {
        let pool = connect::pool(&options)?;
        let line = connect::line(&options.database).await?;
        schema::prepare(&line.client).await?;
        let mut sequencing = Connected::new();
        let deadline = Instant::now() + options.write_deadline;
        sequencing.connect(&options, deadline).await?;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        line.client
            .batch_execute(begin)
            .await
            .map_err(Trouble::from)?;
        let catalog = catalog::load(&line.client, None).await?;
        let head = line.client.query_one(view::STORE, &[]).await;
        let head: i64 = head.and_then(|row| row.try_get(0)).map_err(Trouble::from)?;
        let queue_max = options.queue_max.max(1);
        let shared = Arc::new(Shared::new(options, pool, catalog, rows::unsigned(head)));
        let (queue, waiting) = mpsc::channel(queue_max);
        tokio::spawn(sequencer::run(Arc::clone(&shared), sequencing, waiting));
        let mut background = vec![tokio::spawn(listen::run(Arc::clone(&shared)))];
        if let Some(pause) = shared.options.upkeep {
            let upkeep = maintenance::run(Arc::clone(&shared), pause);
            background.push(tokio::spawn(upkeep));
        }
        Ok(Self {
            shared,
            queue,
            background,
        })
    }

    /// Waits until what is due now is done, by whichever node: indexes complete, retention applied.
    ///
    /// # Errors
    /// [`MaintenanceError`] where the database fails.
    pub async fn settle(&self) -> Result<(), MaintenanceError> {
        Ok(maintenance::settle(&self.shared, Other::Await).await?)
    }

    /// A question's answer, or that it took too long.
    async fn in_time<T>(
        &self,
        answer: impl Future<Output = Result<T, ReadError>>,
    ) -> Result<T, ReadError> {
        let answered = timeout(self.shared.options.read_deadline, answer).await;
        answered.map_err(|_late| ReadError::from(Trouble::Late))?
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.background.iter().for_each(JoinHandle::abort);
    }
}

#[async_trait]
impl Store for Postgres {
    fn head(&self) -> Position {
        self.shared.head()
    }

    fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.shared.catalog().definitions)
    }

    fn health(&self) -> Health {
        self.shared.health()
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        self.in_time(read::collection(&self.shared, collection))
            .await
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        match at {
            Some(at) => self.in_time(read::as_of(&self.shared, key, at)).await,
            None => self.in_time(read::newest(&self.shared, key)).await,
        }
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        self.in_time(read::made_by(&self.shared, key, position))
            .await
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        self.in_time(read::versions(&self.shared, key, before, limit))
            .await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        self.in_time(list::list(&self.shared, query)).await
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        let page = self.in_time(changes::changes(&self.shared, query)).await?;
        Ok(Arc::new(page))
    }

    /// What other nodes have forgotten since is not known here without asking.
    fn tells(&self, _query: &ChangesQuery) -> bool {
        false
    }

    fn commits(&self) -> watch::Receiver<Position> {
        self.shared.commits()
    }

    async fn write(&self, transaction: Transaction) -> Result<Outcome, WriteError> {
        let definitions = self.definitions();
        let guard = transaction.guard.as_ref();
        let prepare = |operation| decision::prepare(operation, guard, &definitions);
        let work = Work {
            operations: transaction.operations.into_iter().map(prepare).collect(),
            record: transaction.record,
        };
        let (reply, answer) = oneshot::channel();
        self.queue
            .try_send(Request { work, reply })
            .map_err(|refused| match refused {
                mpsc::error::TrySendError::Full(_) => WriteError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => WriteError::Stopped,
            })?;
        // The sequencer answers every request it took, unless the runtime ended.
        answer.await.unwrap_or(Err(WriteError::Unknown))
    }
}
