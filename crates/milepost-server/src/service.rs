//! The service: configuration and a store, and the way of a request through them.
//!
//! `begin (edge) → route → method → store → representation → finish (edge)`. What a [`Service`]
//! holds is the same for every client and never changes: nothing is remembered between two requests
//! but what the store keeps.

use std::{
    convert::Infallible,
    ops::ControlFlow,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, header::CONTENT_LENGTH, request::Parts};
use http_body_util::BodyExt;
use milepost_semantics::prefer::PREFER;
use milepost_store::{
    Definition, Store,
    clock::{Clock, SystemClock},
};

use crate::{
    between::{Leaving, Pages, View, Waits},
    body::Body,
    cors::Cors,
    digest,
    dispatch::{dispatch, options_of_service},
    edge::{self, Begun, EdgeSettings, RequestFacts},
    failure, fresh,
    hosts::Hosts,
    identity::{self, Identity},
    intake::{Interrupted, RequestBody},
    keys::Keys,
    limits::Limits,
    listen::Connection,
    log::Log,
    method::Access,
    metrics::{Metrics, RouteKind},
    openapi::ApiInfo,
    refusal::Refusal,
    representation::Outline,
    route::{self, Route},
};

/// The service, ready to answer. Cheap to clone; clones are the same service.
#[derive(Clone, Debug)]
pub struct Service {
    shared: SharedHandle,
}

/// What all requests share, for those who go on after their request was answered.
pub(crate) type SharedHandle = Arc<Shared>;

/// What all requests share: configuration and the store.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The path that everything lies under, without a slash at its end: `/v1`.
    pub(crate) base: String,
    /// What one request may cost.
    pub(crate) limits: Limits,
    /// Which requests of clients are carried out.
    pub(crate) access: Access,
    /// Resource state.
    pub(crate) store: Arc<dyn Store>,
    /// What holds for the service's own collections.
    pub(crate) own_definition: Arc<Definition>,
    /// The time.
    pub(crate) clock: Arc<dyn Clock>,
    /// What sealed state is sealed and opened with; `None`: nothing is.
    pub(crate) keys: Option<Keys>,
    /// Whom the service believes; `None`: nobody's credentials are looked at.
    pub(crate) identity: Option<Identity>,
    /// What the documentation says about the API.
    pub(crate) api: ApiInfo,
    /// What the edge is configured with.
    pub(crate) edge: EdgeSettings,
    /// What answers about one resource begin with; made from the edge's settings.
    pub(crate) outline: Outline,
    /// Pages of the feed that were written out.
    pub(crate) pages: Pages,
    /// Who waits for news.
    pub(crate) waits: Arc<Waits>,
    /// Whether the service is about to stop.
    pub(crate) leaving: Leaving,
}

impl Shared {
    /// What a request sees of the store before it reads.
    pub(crate) fn view(&self) -> View {
        View {
            head: self.store.head(),
            definitions: self.store.definitions(),
        }
    }
}

/// Makes a [`Service`].
#[derive(Debug)]
pub struct Builder {
    shared: Shared,
}

impl Service {
    /// Starts to configure a service over a store: under `/v1`, with the default limits.
    #[must_use]
    pub fn builder(store: Arc<dyn Store>) -> Builder {
        let limits = Limits::default();
        Builder {
            shared: Shared {
                base: "/v1".to_owned(),
                pages: Pages::new(Arc::clone(&store), limits.kept_pages_bytes_max),
                waits: Arc::new(Waits::new(
                    Arc::clone(&store),
                    limits.waits_max,
                    limits.streams_max,
                )),
                leaving: Leaving::default(),
                limits,
                access: Access::default(),
                store,
                own_definition: Arc::new(Definition::default()),
                clock: Arc::new(SystemClock),
                keys: None,
                identity: None,
                api: ApiInfo::default(),
                edge: EdgeSettings::default(),
                outline: Outline::default(),
            },
        }
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn handle(&self) -> SharedHandle {
        Arc::clone(&self.shared)
    }

    /// The store that the service answers from, for an application's own routes.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.shared.store
    }

    /// The path that everything lies under, without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// What one request may cost.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.shared.limits
    }

    /// The ring that state for clients is sealed with, for an application's own routes; `None` where none was given.
    #[must_use]
    pub fn keys(&self) -> Option<&Keys> {
        self.shared.keys.as_ref()
    }

    /// What the service counts about itself.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.shared.edge.metrics
    }

    /// Says that the service is about to stop, and goes on to answer: `/health` and `/-/ready` are 503 from
    /// now on, so that who balances load sends new requests elsewhere, and every answer over HTTP/1
    /// asks its client to close the connection.
    pub fn leave(&self) {
        self.shared.leaving.begin();
    }

    /// Ends every wait and every stream of events, now and from now on, as if its time was up: the
    /// answers are proper ones, and clients come back elsewhere. To be called when the service is
    /// asked to stop, before its listener waits for what is in flight.
    pub fn end_waits(&self) {
        self.shared.waits.end();
    }

    /// Answers a request. Never fails: what goes wrong is a problem document.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let connection = request.extensions().get().cloned();
        self.respond_on(request, connection).await
    }

    /// Answers a request that came on this connection, as far as that is known.
    pub(crate) async fn respond_on<B>(
        &self,
        request: Request<B>,
        connection: Option<Connection>,
    ) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let shared = &self.shared;
        let (mut request, body) = request.into_parts();
        if shared.identity.is_some() {
            identity::take_linked(&mut request);
        }
        let begun = match edge::begin(shared, &request, connection) {
            ControlFlow::Continue(begun) => begun,
            ControlFlow::Break(response) => return response,
        };
        let body = pin!(body.map_err(|_broken| Interrupted));
        let admitted = match &shared.identity {
            Some(identity) => identity::admit(shared, identity, &mut request).await,
            None => Ok(()),
        };
        let (route, response) = match admitted {
            Ok(()) => routed(shared, &request, &begun, body).await,
            Err(refusal) => (RouteKind::Unknown, refusal.into_response(&shared.base)),
        };
        let facts = RequestFacts {
            request: &request,
            route,
            begun: &begun,
        };
        let response = edge::finish(shared, &facts, response).await;
        let response = digest::on_request(&request, response);
        if request.method == Method::HEAD {
            without_body(response)
        } else {
            response
        }
    }
}

/// The kind of URL, and the answer.
async fn routed(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    body: RequestBody<'_>,
) -> (RouteKind, Response<Body>) {
    if route::is_too_long(&request.uri, shared.limits.url_bytes_max) {
        return (
            RouteKind::Unknown,
            Refusal::uri_too_long(&shared.limits).into_response(&shared.base),
        );
    }
    if request.method == Method::OPTIONS && request.uri.path() == "*" {
        return (RouteKind::Unknown, options_of_service(shared.access));
    }
    match route::parse(&shared.base, request.uri.path()) {
        Ok(route) => (
            kind(request, &route),
            match fresh::catch_up(shared, request, &route).await {
                Ok(()) => dispatch(shared, request, begun, route, body).await,
                Err(error) => failure::of_read(shared, error).into_response(&shared.base),
            },
        ),
        Err(stray) => (
            RouteKind::Unknown,
            stray.into_response(request, &shared.base),
        ),
    }
}

/// What kind of URL it is, and whether time is meant to pass before it is answered.
fn kind(request: &Parts, route: &Route<'_>) -> RouteKind {
    let kind = route.kind();
    let asks_to_wait = || {
        let query = request.uri.query();
        request.headers.contains_key(PREFER) || query.is_some_and(|query| query.contains("wait="))
    };
    if kind == RouteKind::Changes && asks_to_wait() {
        RouteKind::Wait
    } else {
        kind
    }
}

/// An answer to HEAD: all fields of the answer to GET, and no body (RFC 9110 §9.3.2).
fn without_body(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    if let Some(bytes) = body
        .as_full()
        .filter(|_| !parts.headers.contains_key(CONTENT_LENGTH))
    {
        parts.headers.insert(CONTENT_LENGTH, bytes.len().into());
    }
    Response::from_parts(parts, Body::empty())
}

impl<B> tower::Service<Request<B>> for Service
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.respond(request).await) })
    }
}

/// A base path that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{base:?} can't be a base path: it is empty, or begins with a slash, does not end with one, and consists of unreserved characters"
)]
pub struct MalformedBase {
    /// What was given.
    pub base: String,
}

impl Builder {
    /// The path that everything lies under, `/v1` unless said otherwise; empty for the host's root.
    ///
    /// # Errors
    /// [`MalformedBase`] where the path isn't made of non-empty segments of unreserved characters.
    pub fn base(mut self, base: &str) -> Result<Self, MalformedBase> {
        let is_unreserved =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        let is_segment = |segment: &str| !segment.is_empty() && segment.chars().all(is_unreserved);
        let is_path = base
            .strip_prefix('/')
            .is_some_and(|path| path.split('/').all(is_segment));
        if !is_path && !base.is_empty() {
            return Err(MalformedBase {
                base: base.to_owned(),
            });
        }
        base.clone_into(&mut self.shared.base);
        Ok(self)
    }

    /// What one request may cost.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        let shared = &mut self.shared;
        let store = Arc::clone(&shared.store);
        shared.pages = Pages::new(Arc::clone(&store), limits.kept_pages_bytes_max);
        shared.waits = Arc::new(Waits::new(store, limits.waits_max, limits.streams_max));
        shared.limits = limits;
        self
    }

    /// Takes no write from clients: whatever isn't a read is 405, with an `Allow` that says so, and the
    /// OpenAPI document offers none. For applications whose own routes hold rules that nobody is to
    /// pass by; they write through [`Service::store`].
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.shared.access = Access::ReadOnly;
        self
    }

    /// Where the time comes from; the operating system unless said otherwise.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.shared.clock = clock;
        self
    }

    /// What state for clients is sealed and opened with; without it, nothing is sealed. All nodes of a service need the
    /// same ring.
    #[must_use]
    pub fn keys(mut self, keys: Keys) -> Self {
        self.shared.keys = Some(keys);
        self
    }

    /// Whom the service believes. Without it, nobody's credentials are looked at, and everybody who can reach the service may
    /// do everything that no rule forbids to everybody.
    #[must_use]
    pub fn identity(mut self, identity: Identity) -> Self {
        self.shared.identity = Some(identity);
        self
    }

    /// What the documentation says about the API: its title, and whom to ask.
    #[must_use]
    pub fn api_info(mut self, api: ApiInfo) -> Self {
        self.shared.api = api;
        self
    }

    /// Which origins' pages may read answers; all unless said otherwise.
    #[must_use]
    pub fn cors(mut self, cors: Cors) -> Self {
        self.shared.edge.cors = cors;
        self
    }

    /// Which names requests may call the service by; any unless said otherwise. Name them where
    /// nobody has to show credentials.
    #[must_use]
    pub fn hosts(mut self, hosts: Hosts) -> Self {
        self.shared.edge.hosts = hosts;
        self
    }

    /// Where requests are logged; nowhere unless said otherwise.
    #[must_use]
    pub fn log(mut self, log: Log) -> Self {
        self.shared.edge.log = log;
        self
    }

    /// Where requests are counted, e.g. to count connections and dropped log lines in the same
    /// place; counters of its own unless said otherwise.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.shared.edge.metrics = metrics;
        self
    }

    /// The service.
    #[must_use]
    pub fn build(mut self) -> Service {
        self.shared.outline = Outline::of(&self.shared.edge);
        Service {
            shared: Arc::new(self.shared),
        }
    }
}
