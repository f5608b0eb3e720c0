//! The service's own documents: what it is, what it offers, what its problems mean, how it is.

use http::{Response, StatusCode, request::Parts};

use crate::{body::Body, service::Shared};

/// One of the service's own documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page<'p> {
    /// `/`: links, limits, conformance.
    Service,
    /// `/.well-known/api-catalog` (RFC 9727).
    ApiCatalog,
    /// `/openapi.json`.
    OpenApi,
    /// `/health`.
    Health,
    /// `/-/metrics`.
    Metrics,
    /// `/-/problems`: every type.
    Problems,
    /// `/-/problems/{type}`: what it means and what to do about it.
    Problem(&'p str),
}

/// Answers a request for one of the service's own documents, whatever its method.
#[expect(unused_variables, reason = "the pages come with their own change")]
pub(crate) fn answer(shared: &Shared, page: Page<'_>, request: &Parts) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
