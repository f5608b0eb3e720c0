//! The service: configuration and a store, and the way of a request through them.
//!
//! `begin (edge) → route → method → store → representation → finish (edge)`. What a [`Service`]
//! holds is the same for every client and never changes: nothing is remembered between two requests
//! but what the store keeps.

use std::{
    convert::Infallible,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Method, Request, Response, header::CONTENT_LENGTH, request::Parts};

use crate::{
    body::Body,
    edge::{self, EdgeSettings, RequestFacts},
    limits::Limits,
    pages::{self, Page},
    refusal::Refusal,
};

/// The service, ready to answer. Cheap to clone; clones are the same service.
#[derive(Clone, Debug)]
pub struct Service {
    shared: Arc<Shared>,
}

/// What all requests share: configuration and the store.
#[derive(Debug)]
pub(crate) struct Shared {
    /// The path that everything lies under, without a slash at its end: `/v1`.
    pub(crate) base: String,
    /// What one request may cost.
    pub(crate) limits: Limits,
    /// What the edge is configured with.
    #[expect(dead_code, reason = "read by the modules of the edge")]
    pub(crate) edge: EdgeSettings,
}

/// Makes a [`Service`].
#[derive(Debug)]
pub struct Builder {
    shared: Shared,
}

impl Service {
    /// Starts to configure a service over a store: under `/v1`, with the default limits.
    #[must_use]
    pub fn builder() -> Builder {
        Builder {
            shared: Shared {
                base: "/v1".to_owned(),
                limits: Limits::default(),
                edge: EdgeSettings::default(),
            },
        }
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

    /// Answers a request. Never fails: what goes wrong is a problem document.
    pub async fn respond<B>(&self, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let shared = &*self.shared;
        let (request, body) = request.into_parts();
        let begun = match edge::begin(shared, &request) {
            ControlFlow::Continue(begun) => begun,
            ControlFlow::Break(response) => return response,
        };
        drop(body);
        let (route, response) = routed(shared, &request);
        let facts = RequestFacts {
            request: &request,
            route,
            begun: &begun,
        };
        let response = edge::finish(shared, &facts, response);
        if request.method == Method::HEAD {
            without_body(response)
        } else {
            response
        }
    }
}

/// The form of the URL, and the answer.
fn routed(shared: &Shared, request: &Parts) -> (&'static str, Response<Body>) {
    match request.uri.path().strip_prefix(&shared.base) {
        Some("/health") => ("/health", pages::answer(shared, Page::Health, request)),
        Some("" | "/") => ("/", pages::answer(shared, Page::Service, request)),
        _ => (
            "(none)",
            Refusal::not_found("nothing stands here").into_response(&shared.base),
        ),
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
        self.shared.limits = limits;
        self
    }

    /// The service.
    #[must_use]
    pub fn build(self) -> Service {
        Service {
            shared: Arc::new(self.shared),
        }
    }
}
