//! A service over a fresh store, and a client that shows whole answers.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use milepost_seal::{KeyRing, Secret};
use milepost_semantics::Position;
use milepost_server::{Body, Identity, Keys, Limits, Service};
use milepost_store::{Store, Timestamp, clock::Clock, memory::MemoryStore};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::nodes;

/// A clock that the test sets.
#[derive(Debug, Default)]
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn advance_s(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

/// Which service a request goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Serving {
    /// Always the same.
    One,
    /// Two, in turns.
    TwoInTurns,
    /// One made for this request alone.
    FreshEachTime,
}

#[derive(Debug)]
pub(crate) struct Scene {
    /// The nodes that requests go to in turns; where it is in memory, the same store twice.
    stores: [Arc<dyn Store>; 2],
    memory: Option<Arc<MemoryStore>>,
    pub(crate) clock: Arc<TestClock>,
    limits: Limits,
    identity: Option<Identity>,
    services: [Service; 2],
    serving: Serving,
    requests: AtomicUsize,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::with_limits(Limits::default())
    }

    pub(crate) fn with_limits(limits: Limits) -> Self {
        Self::serving(limits, Serving::FreshEachTime)
    }

    pub(crate) fn serving(limits: Limits, serving: Serving) -> Self {
        let clock = clock();
        match nodes::two(&clock) {
            Some(stores) => Self::over((stores, None), clock, limits, None, serving),
            None => Self::in_memory(limits, serving),
        }
    }

    /// Two services in turns that believe these issuers.
    pub(crate) fn believing(identity: Identity) -> Self {
        Self::serving(Limits::default(), Serving::TwoInTurns).and_believing(identity)
    }

    /// The same, believing these issuers from now on.
    pub(crate) fn and_believing(self, identity: Identity) -> Self {
        let stores = (self.stores, self.memory);
        let (clock, limits) = (self.clock, self.limits);
        Self::over(stores, clock, limits, Some(identity), Serving::TwoInTurns)
    }

    /// Over the model, whatever else is tried: it forgets when it is told to.
    pub(crate) fn in_memory(limits: Limits, serving: Serving) -> Self {
        let clock = clock();
        let memory = Arc::new(MemoryStore::with_clock(clock.clone()));
        Self::over_memory(memory, clock, limits, None, serving)
    }

    fn over_memory(
        memory: Arc<MemoryStore>,
        clock: Arc<TestClock>,
        limits: Limits,
        identity: Option<Identity>,
        serving: Serving,
    ) -> Self {
        let stores = [memory.clone() as Arc<dyn Store>, memory.clone()];
        Self::over((stores, Some(memory)), clock, limits, identity, serving)
    }

    fn over(
        (stores, memory): ([Arc<dyn Store>; 2], Option<Arc<MemoryStore>>),
        clock: Arc<TestClock>,
        limits: Limits,
        identity: Option<Identity>,
        serving: Serving,
    ) -> Self {
        let services =
            std::array::from_fn(|at| service(&stores[at], &clock, &limits, identity.as_ref()));
        Self {
            stores,
            memory,
            clock,
            limits,
            identity,
            services,
            serving,
            requests: AtomicUsize::new(0),
        }
    }

    /// The model, where the scene is over it.
    pub(crate) fn memory(&self) -> &MemoryStore {
        self.memory.as_deref().expect("a scene in memory")
    }

    /// A node, to write past the service.
    pub(crate) fn store(&self) -> &Arc<dyn Store> {
        &self.stores[0]
    }

    /// What was committed last, on whatever node.
    pub(crate) async fn head(&self) -> Position {
        self.stores[0].refresh().await.unwrap();
        self.stores[0].head()
    }

    /// As [`Scene::with_accounts`], over the model.
    pub(crate) async fn with_accounts_in_memory() -> Self {
        let scene = Self::in_memory(Limits::default(), Serving::FreshEachTime);
        scene.define_accounts().await;
        scene
    }

    /// With a collection `accounts` that has indexes, text and no demands.
    pub(crate) async fn with_accounts() -> Self {
        let scene = Self::new();
        scene.define_accounts().await;
        scene
    }

    pub(crate) async fn define_accounts(&self) {
        let definition = json!({
            "title": "Accounts",
            "indexes": { "owner": "/owner", "balance": "/balance", "city": "/address/city" },
            "text": ["/title"],
            "schema": { "type": "object", "properties": { "balance": { "type": "number" }, "owner": { "type": "string" } } }
        });
        self.define("accounts", &definition).await;
    }

    pub(crate) async fn define(&self, name: &str, definition: &Value) {
        let reply = self
            .put(
                &format!("/v1/-/collections/{name}"),
                &definition.to_string(),
            )
            .await;
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// Two scenes that begin as this one stands, and give what they commit the same positions.
    pub(crate) fn twins(&self) -> [Self; 2] {
        std::array::from_fn(|_| self.moved_to(self.memory().twin()))
    }

    /// The answer to somebody.
    pub(crate) async fn ask_as(
        &self,
        subject: &milepost_server::Subject,
        (method, url): (&str, &str),
        fields: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        let mut asked = request(method, url, fields, body);
        asked.extensions_mut().insert(subject.clone());
        self.send(asked).await
    }

    /// A scene over another store, with everything else as it is.
    pub(crate) fn moved_to(&self, store: MemoryStore) -> Self {
        let (clock, limits) = (Arc::clone(&self.clock), self.limits.clone());
        let identity = self.identity.clone();
        Self::over_memory(Arc::new(store), clock, limits, identity, self.serving)
    }

    /// An answer whose body is still to be read.
    pub(crate) async fn open(&self, url: &str, fields: &[(&str, &str)]) -> Response<Body> {
        let request = request("GET", url, fields, "");
        self.next_service().oneshot(request).await.unwrap()
    }

    pub(crate) async fn delete(&self, url: &str) {
        let reply = self.ask("DELETE", url, &[("if-match", "*")], "").await;
        assert_eq!(reply.status, 204, "{reply:?}");
    }

    /// Writes whatever stands there.
    pub(crate) async fn write(&self, url: &str, body: &str) {
        let reply = self.put(url, body).await;
        if reply.status == 428 {
            let reply = self.put_with(url, &[("if-match", "*")], body).await;
            assert!(reply.status.is_success(), "{reply:?}");
        }
    }

    /// The position at which a collection stands.
    pub(crate) async fn position(&self, url: &str) -> String {
        let page = self.get(url).await.json();
        page["position"].as_str().unwrap().to_owned()
    }

    /// The service that all requests go to, where it is always the same.
    pub(crate) fn service(&self) -> &Service {
        &self.services[0]
    }

    /// A service over another store, with everything else as it is.
    pub(crate) fn service_over(&self, store: &Arc<dyn Store>) -> Service {
        service(store, &self.clock, &self.limits, self.identity.as_ref())
    }

    /// A figure of the service's metrics, where it is always the same.
    pub(crate) async fn figure(&self, name: &str) -> u64 {
        let metrics = self.get("/v1/-/metrics").await;
        let mut lines = metrics.text().lines();
        let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("{name}")).parse().unwrap()
    }

    fn next_service(&self) -> Service {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        match self.serving {
            Serving::One => self.services[0].clone(),
            Serving::TwoInTurns => self.services[count % 2].clone(),
            Serving::FreshEachTime => self.service_over(&self.stores[count % 2]),
        }
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let response = self.next_service().oneshot(request).await.unwrap();
        Reply::of(response).await
    }

    pub(crate) async fn send_body<B>(&self, request: Request<B>) -> Reply
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
    {
        Reply::of(self.next_service().oneshot(request).await.unwrap()).await
    }

    pub(crate) async fn ask(
        &self,
        method: &str,
        url: &str,
        fields: &[(&str, &str)],
        body: &str,
    ) -> Reply {
        self.send(request(method, url, fields, body)).await
    }

    pub(crate) async fn get(&self, url: &str) -> Reply {
        self.ask("GET", url, &[], "").await
    }

    pub(crate) async fn get_with(&self, url: &str, fields: &[(&str, &str)]) -> Reply {
        self.ask("GET", url, fields, "").await
    }

    pub(crate) async fn put(&self, url: &str, body: &str) -> Reply {
        self.put_with(url, &[], body).await
    }

    pub(crate) async fn put_with(&self, url: &str, fields: &[(&str, &str)], body: &str) -> Reply {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(fields);
        self.ask("PUT", url, &all, body).await
    }

    pub(crate) async fn post(&self, url: &str, body: &str) -> Reply {
        self.ask("POST", url, &[("content-type", "application/json")], body)
            .await
    }

    /// Puts what must succeed; its tag.
    pub(crate) async fn made(&self, url: &str, body: &str) -> String {
        let reply = self.put(url, body).await;
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.etag()
    }

    /// Accounts `a00` … with an owner and a balance.
    pub(crate) async fn fill(&self, count: usize) {
        for index in 0..count {
            let owner = ["ada", "bob", "eve"][index % 3];
            let body = format!(
                r#"{{"owner":"{owner}","balance":{},"address":{{"city":"c{}"}}}}"#,
                index * 10,
                index % 2
            );
            self.made(&format!("/v1/accounts/a{index:02}"), &body).await;
        }
    }
}

fn clock() -> Arc<TestClock> {
    let clock = Arc::new(TestClock::default());
    clock.advance_s(1_700_000_000);
    clock
}

fn service(
    store: &Arc<dyn Store>,
    clock: &Arc<TestClock>,
    limits: &Limits,
    identity: Option<&Identity>,
) -> Service {
    let builder = Service::builder(store.clone())
        .limits(limits.clone())
        .clock(clock.clone())
        .keys(keys());
    match identity {
        Some(identity) => builder.identity(identity.clone()).build(),
        None => builder.build(),
    }
}

/// The ring that all services of a scene share.
fn keys() -> Keys {
    let secret = Secret::from_bytes([7; 32]);
    let made = milepost_seal::Timestamp::from_unix_seconds(0);
    Keys::new(KeyRing::of_secret(secret, made))
}

pub(crate) fn request(
    method: &str,
    url: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder()
        .method(method)
        .uri(url)
        .header("host", "example.org");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.body(Full::from(body.to_owned())).unwrap()
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) async fn of(response: Response<Body>) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }

    pub(crate) fn field(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn etag(&self) -> String {
        assert!(self.headers.contains_key("etag"), "{self:?}");
        self.field("etag").to_owned()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The ids on a page.
    pub(crate) fn ids(&self) -> Vec<String> {
        let page = self.json();
        let items = page["items"]
            .as_array()
            .unwrap_or_else(|| panic!("{self:?}"))
            .iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Checks that this is a problem of a type, told as RFC 9457 and the protocol demand.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, name: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.field("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(
            problem["type"],
            format!("urn:problem-type:milepost:{name}"),
            "{problem}"
        );
        assert_eq!(problem["status"], status);
        assert_eq!(problem["href"], format!("/v1/-/problems/{name}"));
        assert!(
            problem["title"].is_string() && problem["detail"].is_string(),
            "{problem}"
        );
        assert!(
            problem["instance"]
                .as_str()
                .unwrap()
                .starts_with("urn:uuid:")
        );
        problem
    }
}

impl Scene {
    /// A collection whose definition is short enough for the smallest limits.
    pub(crate) async fn define_accounts_small(&self) {
        self.define("notes", &json!({})).await;
    }
}
