//! A store between a service and another store: it fails, forgets and waits where it is told to, and keeps what it was asked.

#![expect(
    clippy::disallowed_types,
    reason = "a test looks at what a store was asked"
)]

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use milepost_semantics::Position;
use milepost_store::{
    ChangesPage, ChangesQuery, CollectionPath, CollectionState, Definitions, Health, Kind,
    ListQuery, Outcome, Page, ReadError, ResourceKey, Store, Transaction, Version, VersionPage,
    WriteError,
};
use tokio::sync::watch;

/// What happens between two things that a store is asked.
pub(crate) struct Meanwhile(pub(crate) Pin<Box<dyn Future<Output = ()> + Send>>);

impl fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Meanwhile")
    }
}

/// Fails every read, every write, or both, where it is told so; and keeps what it was asked.
#[derive(Debug)]
pub(crate) struct MeddledStore {
    inside: Arc<dyn Store>,
    pub(crate) read: Option<ReadError>,
    pub(crate) write: Option<WriteError>,
    /// Written once, before what is written first.
    pub(crate) first: Mutex<Option<Transaction>>,
    /// Waited for once, before the read or write that comes after so many others.
    pub(crate) meanwhile: Mutex<Option<(usize, Meanwhile)>>,
    /// As if all outcomes of transactions were too old to be kept.
    pub(crate) forgets_outcomes: bool,
    asked: Mutex<Vec<&'static str>>,
}

impl MeddledStore {
    /// One that does what the other does.
    pub(crate) fn over(inside: Arc<dyn Store>) -> Self {
        Self {
            inside,
            read: None,
            write: None,
            first: Mutex::default(),
            meanwhile: Mutex::default(),
            forgets_outcomes: false,
            asked: Mutex::default(),
        }
    }

    /// What it was asked since this was last called, in order.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    async fn wait(&self) {
        let due = {
            let mut meanwhile = self.meanwhile.lock().unwrap();
            match &mut *meanwhile {
                Some((0, _)) => meanwhile.take(),
                Some((left, _)) => {
                    *left -= 1;
                    None
                }
                None => None,
            }
        };
        if let Some((_, Meanwhile(happens))) = due {
            happens.await;
        }
    }

    fn readable(&self, asked: &'static str) -> Result<(), ReadError> {
        self.asked.lock().unwrap().push(asked);
        self.read.clone().map_or(Ok(()), Err)
    }
}

#[async_trait]
impl Store for MeddledStore {
    fn head(&self) -> Position {
        self.inside.head()
    }

    fn at(&self, sequence: u64) -> Option<Position> {
        self.inside.at(sequence)
    }

    fn definitions(&self) -> Arc<Definitions> {
        self.inside.definitions()
    }

    fn health(&self) -> Health {
        self.inside.health()
    }

    fn kind(&self) -> Kind {
        self.inside.kind()
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        self.readable("collection")?;
        self.inside.collection(collection).await
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        self.readable("read")?;
        self.wait().await;
        if self.forgets_outcomes && key.collection == CollectionPath::transactions() {
            return Ok(None);
        }
        self.inside.read(key, at).await
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        self.readable("version")?;
        self.inside.version(key, position).await
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        self.readable("versions")?;
        self.inside.versions(key, before, limit).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        self.readable("list")?;
        self.inside.list(query).await
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        self.readable("changes")?;
        self.inside.changes(query).await
    }

    fn tells(&self, query: &ChangesQuery) -> bool {
        self.read.is_none() && self.inside.tells(query)
    }

    fn commits(&self) -> watch::Receiver<Position> {
        self.inside.commits()
    }

    async fn write(&self, mut transaction: Transaction) -> Result<Outcome, WriteError> {
        self.asked.lock().unwrap().push("write");
        self.wait().await;
        transaction.record = transaction.record.filter(|_| !self.forgets_outcomes);
        let first = self.first.lock().unwrap().take();
        if let Some(first) = first {
            self.inside.write(first).await?;
        }
        match &self.write {
            Some(error) => Err(error.clone()),
            None => self.inside.write(transaction).await,
        }
    }
}
