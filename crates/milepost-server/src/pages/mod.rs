//! The service's own documents: what it is, what it offers, what its problems mean, how it is.

mod catalog;
mod document;
mod markdown;
mod operations;
mod problems;
mod protected_resource;
mod root;

use http::request::Parts;

use crate::{openapi, refusal::Answer, service::Shared};

pub(crate) use self::{
    document::{Document, JSON, negotiate, tag_of},
    markdown::Escaped,
};

/// One of the service's own documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page<'p> {
    /// `/`: links, limits, conformance.
    Service,
    /// `/.well-known/api-catalog` (RFC 9727).
    ApiCatalog,
    /// `/.well-known/oauth-protected-resource` (RFC 9728).
    ProtectedResource,
    /// `/openapi.json`.
    OpenApi,
    /// `/health`, `/-/health`.
    Health,
    /// `/-/ready`.
    Ready,
    /// `/-/metrics`.
    Metrics,
    /// `/-/problems`: every type.
    Problems,
    /// `/-/problems/{type}`: what it means and what to do about it.
    Problem(&'p str),
}

/// Answers GET and HEAD of one of the service's own documents.
pub(crate) fn answer(shared: &Shared, page: Page<'_>, request: &Parts) -> Answer {
    match page {
        Page::Service => root::answer(shared, request),
        Page::ApiCatalog => catalog::answer(shared, request),
        Page::ProtectedResource => protected_resource::answer(shared, request),
        Page::OpenApi => openapi::answer(shared, request),
        Page::Health => operations::health(shared, request),
        Page::Ready => operations::ready(shared, request),
        Page::Metrics => operations::metrics(shared, request),
        Page::Problems => problems::all(shared, request),
        Page::Problem(name) => problems::one(shared, name, request),
    }
}
