//! A bank in this process, asked as a client asks, and a store that somebody meddles with.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use axum::{Router, body::Body};
use bank::{
    application::{application, service},
    founding,
};
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;
use milepost_semantics::Position;
use milepost_store::{
    ChangesPage, ChangesQuery, CollectionPath, CollectionState, Definitions, Health, Kind,
    ListQuery, Outcome, Page, ReadError, ResourceKey, Store, Transaction, Version, VersionPage,
    WriteError, memory::MemoryStore,
};
use serde_json::{Value, json};
use tokio::sync::watch;
use tower::ServiceExt as _;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) fields: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// A field that must be there.
    #[track_caller]
    pub(crate) fn field(&self, name: &str) -> &str {
        let value = self.fields.get(name);
        value
            .unwrap_or_else(|| panic!("no {name} in {self:?}"))
            .to_str()
            .unwrap()
    }

    /// Demands this status and this type of problem.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("content-type"), "application/problem+json");
        let kind = format!("urn:problem-type:milepost:{name}");
        assert_eq!(self.body["type"], kind, "{self:?}");
    }
}

/// A founded bank.
#[derive(Clone, Debug)]
pub(crate) struct Bank {
    pub(crate) store: Arc<dyn Store>,
    application: Router,
}

impl Bank {
    /// A bank that forgets everything when it closes.
    pub(crate) async fn open() -> Self {
        Self::over(Arc::new(MemoryStore::new())).await
    }

    /// A bank over this store.
    pub(crate) async fn over(store: Arc<dyn Store>) -> Self {
        founding::found(&*store).await.unwrap();
        let service = service(Arc::clone(&store), &[]);
        Self {
            store,
            application: application(&service),
        }
    }

    /// Sends a request with JSON.
    pub(crate) async fn ask(&self, method: &str, url: &str, body: &str) -> Reply {
        let request = Request::builder().method(method).uri(url);
        let request = request
            .header("host", "localhost")
            .header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Reply {
        let response = self.application.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Reply {
            status: parts.status.as_u16(),
            fields: parts.headers,
            body: serde_json::from_slice(&bytes).unwrap_or_default(),
        }
    }

    pub(crate) async fn read(&self, url: &str) -> Value {
        let reply = self.ask("GET", url, "").await;
        assert_eq!(reply.status, 200, "{url}: {reply:?}");
        reply.body
    }

    /// Gives an order.
    pub(crate) async fn order(&self, document: &Value) -> Reply {
        let body = document.to_string();
        self.ask("POST", "/v1/transfers", &body).await
    }

    /// Every balance by account, in cents.
    pub(crate) async fn balances(&self) -> BTreeMap<String, i64> {
        let page = self.read("/v1/accounts").await;
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| {
                let balance = item["value"]["balance"].as_i64().unwrap();
                (item["id"].as_str().unwrap().to_owned(), balance)
            })
            .collect()
    }

    /// Demands that nothing is written while `what` happens.
    pub(crate) async fn unchanged_by<T>(&self, what: impl Future<Output = T>) -> T {
        let before = self.store.head();
        let happened = what.await;
        assert_eq!(self.store.head(), before, "something was written");
        happened
    }
}

/// An order of euros from 17 to 18.
pub(crate) fn rent(id: &str, amount: i64) -> Value {
    json!({ "id": id, "from": "17", "to": "18", "amount": amount, "currency": "EUR" })
}

/// What somebody else does to a store.
pub(crate) type Meddling = Box<dyn Fn(&Step) -> Meddled + Send + Sync>;

/// What a store is asked for, and how often it was asked before.
pub(crate) struct Step {
    pub(crate) number: usize,
    pub(crate) is_write: bool,
}

/// How it goes on.
pub(crate) enum Meddled {
    /// As asked.
    GoOn,
    /// With these being written first.
    After(Transaction),
    /// With this failure.
    Fail(WriteError),
}

/// A store that somebody else gets at between two calls.
pub(crate) struct MeddledStore {
    inner: MemoryStore,
    calls: AtomicUsize,
    meddling: Meddling,
}

impl std::fmt::Debug for MeddledStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.inner.fmt(f)
    }
}

impl MeddledStore {
    /// A founded bank's store, with meddling from now on.
    pub(crate) async fn founded(meddling: Meddling) -> Self {
        let inner = MemoryStore::new();
        founding::found(&inner).await.unwrap();
        Self {
            inner,
            calls: AtomicUsize::new(0),
            meddling,
        }
    }

    /// How often it was read and written.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    async fn meddle(&self, is_write: bool) -> Result<(), WriteError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        match (self.meddling)(&Step { number, is_write }) {
            Meddled::GoOn => Ok(()),
            Meddled::After(transaction) => {
                let outcome = self.inner.write(transaction).await?;
                assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
                Ok(())
            }
            Meddled::Fail(error) => Err(error),
        }
    }
}

#[async_trait]
impl Store for MeddledStore {
    fn head(&self) -> Position {
        self.inner.head()
    }

    fn at(&self, sequence: u64) -> Option<Position> {
        self.inner.at(sequence)
    }

    fn definitions(&self) -> Arc<Definitions> {
        self.inner.definitions()
    }

    fn health(&self) -> Health {
        self.inner.health()
    }

    fn kind(&self) -> Kind {
        self.inner.kind()
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        self.inner.collection(collection).await
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        self.meddle(false).await.unwrap();
        self.inner.read(key, at).await
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        self.inner.version(key, position).await
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        self.inner.versions(key, before, limit).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        self.inner.list(query).await
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        self.inner.changes(query).await
    }

    fn tells(&self, query: &ChangesQuery) -> bool {
        self.inner.tells(query)
    }

    fn commits(&self) -> watch::Receiver<Position> {
        self.inner.commits()
    }

    async fn write(&self, transaction: Transaction) -> Result<Outcome, WriteError> {
        self.meddle(true).await?;
        self.inner.write(transaction).await
    }
}
