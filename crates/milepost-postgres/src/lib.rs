//! The PostgreSQL backend: one store, any number of nodes, none of them special.
//!
//! Every node holds a [`Postgres`] on the same database (15 or newer). Whichever node writes does so
//! alone, under a lock in the database (`sequencer`), so all nodes' commits have one order; reads go
//! to the database, and never see part of a commit. What a node keeps is what it could read again at
//! any moment: what is declared (`catalog`), and the newest head that it heard of (`listen`). It
//! keeps no representations: a read after an acknowledged write sees it on every node.

mod address;
mod catalog;
mod changes;
mod connect;
mod error;
mod fresh;
mod list;
mod listen;
mod maintenance;
mod nodes;
mod options;
mod patroni;
mod primary;
mod read;
mod replicas;
mod restored;
mod rows;
mod schema;
mod sequencer;
mod shared;
mod transfer;
mod trouble;
mod trust;
mod view;
mod words;

use std::{future::Future, sync::Arc, time::Duration};

use async_trait::async_trait;
use milepost_semantics::Position;
use milepost_store::{
    ChangesPage, ChangesQuery, CollectionPath, CollectionState, Definitions, Health, Kind,
    ListQuery, MaintenanceError, Outcome, Page, ReadError, ResourceKey, Store, Transaction,
    Version, VersionPage, WriteError, decision,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::{Instant, sleep, timeout, timeout_at},
};

pub use self::{
    address::Address,
    error::OpenError,
    nodes::{KeyMarks, Node},
    options::Options,
    patroni::Member,
    restored::begin_history,
    transfer::{Arriving, Leaving},
    trust::Trust,
};
use self::{
    connect::Connector,
    patroni::Patroni,
    primary::Targets,
    replicas::Replicas,
    sequencer::{Begun, Request, Work},
    shared::Shared,
    trouble::Trouble,
    view::View,
};

/// How long to wait before a question is asked again whose connection broke.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a node that ends waits for the database to hear of it.
const FAREWELL_MAX: Duration = Duration::from_secs(2);

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
    /// [`OpenError`] says what is wrong: the address, a server, the database, or this node among the
    /// others.
    pub async fn open(options: Options) -> Result<Self, OpenError> {
        let (connector, targets, patroni) = way_to_primary(&options).await?;
        let following = patroni.map(|patroni| primary::follow(targets.clone(), patroni));
        let mut background: Vec<_> = following.map(tokio::spawn).into_iter().collect();
        let opened = Self::open_at(options, (connector, targets)).await;
        let (shared, begun) = opened.inspect_err(|_| {
            background.iter().for_each(JoinHandle::abort);
        })?;
        let (queue, waiting) = mpsc::channel(shared.options.queue_max.max(1));
        begun.go_on(Arc::clone(&shared), waiting);
        background.push(tokio::spawn(listen::run(Arc::clone(&shared))));
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

    async fn open_at(
        options: Options,
        way: (Connector, Targets),
    ) -> Result<(Arc<Shared>, Begun), OpenError> {
        let of = |trouble| OpenError::of(trouble, &options.database);
        let line = way.0.line().await.map_err(of)?;
        schema::prepare(&line.client, &options).await?;
        let begun = sequencer::begin(&way.0, &options.node).await.map_err(of)?;
        let read = view::read(&line.client).await.map_err(of)?;
        let replicas = Replicas::new(&options)?;
        let shared = Shared::new(options, (way, replicas), begun.sequencer, read);
        Ok((Arc::new(shared), begun))
    }

    /// From now on the node seals with other keys, which the other nodes are told.
    pub fn use_keys(&self, keys: KeyMarks) {
        self.shared.keys.send_replace(Some(keys));
    }

    /// The store's history, which every position of it begins with.
    #[must_use]
    pub fn history(&self) -> String {
        self.shared.head().history().as_str().to_owned()
    }

    /// Says to the other nodes that this one is gone. What was handed over must be answered already.
    pub async fn close(&self) {
        let leaving = async {
            let line = self.shared.connector.line().await?;
            nodes::leave(&line.client, self.shared.sequencer).await
        };
        // Where nobody hears it, they find out by themselves.
        let _ = timeout(FAREWELL_MAX, leaving).await;
    }

    /// Waits until what is due now is done, by whichever node: indexes complete, retention applied.
    ///
    /// # Errors
    /// [`MaintenanceError`] where the database fails.
    pub async fn settle(&self) -> Result<(), MaintenanceError> {
        Ok(maintenance::settle(&self.shared).await?)
    }

    /// What a follower of the primary answers about a position; `None` where the primary is to be asked.
    async fn asked_elsewhere<T, A>(
        &self,
        position: Position,
        answer: impl FnOnce(View) -> A,
    ) -> Option<T>
    where
        A: Future<Output = Result<T, ReadError>>,
    {
        let known = self.shared.catalog();
        self.shared.replicas.ask(&known, position, answer).await
    }

    /// Whether the primary still tells what stood at a position, as far as is known.
    fn is_remembered(&self, collection: &CollectionPath, at: Position) -> bool {
        let catalog = self.shared.catalog();
        let found = catalog.collections.get(collection);
        found.is_some_and(|found| found.floors.history <= at.sequence())
    }

    /// A question's answer, asked again where its connection broke; or that it took too long.
    async fn in_time<T, A>(&self, ask: impl Fn() -> A) -> Result<T, ReadError>
    where
        A: Future<Output = Result<T, ReadError>>,
    {
        let deadline = Instant::now() + self.shared.options.read_deadline;
        loop {
            let aim = self.shared.targets.aim().number;
            let answered = timeout_at(deadline, ask()).await;
            let answered = answered.map_err(|_late| ReadError::from(Trouble::Late))?;
            let error = match answered {
                // Read from what was the primary all the time.
                Ok(answer) if self.shared.targets.is_certainly(aim) => return Ok(answer),
                Ok(_) => Trouble::Nowhere.into(),
                Err(error) => error,
            };
            if !is_passing(&error) || Instant::now() + PAUSE >= deadline {
                return Err(error);
            }
            sleep(PAUSE).await;
        }
    }
}

/// Whether the same question may be answered on another connection.
fn is_passing(error: &ReadError) -> bool {
    let ReadError::Unavailable(cause) = error else {
        return false;
    };
    let trouble = cause.downcast_ref::<Trouble>();
    trouble.is_some_and(Trouble::is_passing)
}

/// Who connects to the primary, and who knows where it is.
async fn way_to_primary(
    options: &Options,
) -> Result<(Connector, Targets, Option<Arc<Patroni>>), OpenError> {
    let address = Arc::new(options.database.clone());
    let places = address.places();
    if options.patroni.is_empty() {
        let targets = Targets::fixed(places);
        let connector = Connector::to_primary(&address, &options.trust, targets.clone())?;
        return Ok((connector, targets, None));
    }
    let patroni = Arc::new(Patroni::new(&options.patroni, &options.trust)?);
    let targets = Targets::sought(Instant::now());
    let deadline = Instant::now() + options.read_deadline;
    loop {
        let pause = primary::look(&targets, &patroni).await;
        if targets.is_certain() || Instant::now() + pause > deadline {
            break;
        }
        sleep(pause).await;
    }
    let connector = Connector::to_primary(&address, &options.trust, targets.clone())?;
    Ok((connector, targets, Some(patroni)))
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

    fn at(&self, sequence: u64) -> Option<Position> {
        let is_there = sequence <= self.shared.head().sequence();
        is_there.then(|| self.shared.catalog().lineage.position(sequence))
    }

    async fn refresh(&self) -> Result<(), ReadError> {
        self.in_time(|| fresh::refresh(&self.shared)).await
    }

    fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.shared.catalog().definitions)
    }

    fn health(&self) -> Health {
        if self.queue.is_closed() {
            return Health::Down("this node writes no more: restart it".to_owned());
        }
        self.shared.health()
    }

    fn kind(&self) -> Kind {
        Kind {
            name: "postgresql",
            has_primary: true,
        }
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        self.in_time(|| read::collection(&self.shared, collection))
            .await
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        let Some(at) = at else {
            return self.in_time(|| read::newest(&self.shared, key)).await;
        };
        if self.is_remembered(&key.collection, at)
            && let Some(version) = self
                .asked_elsewhere(at, |view| read::as_of(view, key, at))
                .await
        {
            return Ok(version);
        }
        self.in_time(|| async { read::as_of(View::open(&self.shared).await?, key, at).await })
            .await
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        let made_by = |view| read::made_by(view, key, position);
        if let Some(Some(version)) = self.asked_elsewhere(position, made_by).await {
            return Ok(Some(version));
        }
        self.in_time(|| async { made_by(View::open(&self.shared).await?).await })
            .await
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        self.in_time(|| read::versions(&self.shared, key, before, limit))
            .await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        // Text is searched in what stands now, which a follower may not have.
        let at = query.at.filter(|_| query.text.is_none());
        if let Some(at) = at.filter(|at| self.is_remembered(&query.collection, *at))
            && let Some(page) = self
                .asked_elsewhere(at, |view| list::answer(view, query))
                .await
        {
            return Ok(page);
        }
        self.in_time(|| list::list(&self.shared, query)).await
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        let ahead = self
            .shared
            .head()
            .sequence()
            .saturating_sub(query.since.sequence());
        // Only what is far from the head is likely to end before it.
        let is_far = usize::try_from(ahead).is_ok_and(|ahead| ahead > query.limit.items);
        if is_far && changes::tells(&self.shared, query) {
            let asked = self.asked_elsewhere(query.since, |view| changes::answer(view, query));
            if let Some(page) = asked.await.filter(|page| page.immutable) {
                return Ok(Arc::new(page));
            }
        }
        let page = self
            .in_time(|| changes::changes(&self.shared, query))
            .await?;
        Ok(Arc::new(page))
    }

    fn tells(&self, query: &ChangesQuery) -> bool {
        changes::tells(&self.shared, query)
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
        // The sequencer answers every request it took, unless its thread ended.
        answer.await.unwrap_or(Err(WriteError::Unknown))
    }
}
