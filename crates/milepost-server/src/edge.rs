//! What every exchange has, whatever it is about: the way in and the way out.
//!
//! [`begin`] sees each request before it is routed, [`finish`] each response before it is sent.

use std::ops::ControlFlow;

use http::{Response, request::Parts};

use crate::{body::Body, service::Shared};

/// What the edge is configured with.
#[derive(Debug, Default)]
pub(crate) struct EdgeSettings {}

/// What is remembered of a request's beginning until its end.
#[derive(Debug)]
pub(crate) struct Begun {}

/// What is known of a request when its response is finished.
#[derive(Debug)]
#[expect(dead_code, reason = "filled by the modules of the edge")]
pub(crate) struct RequestFacts<'r> {
    /// The request without its body.
    pub(crate) request: &'r Parts,
    /// The kind of URL that it is for: `resource`, `collection`.
    pub(crate) route: &'static str,
    /// What was noted at its beginning.
    pub(crate) begun: &'r Begun,
}

/// Looks at a request before it is routed; answers those that need no route (CORS preflight).
#[expect(unused_variables, reason = "filled by the modules of the edge")]
pub(crate) fn begin(shared: &Shared, request: &Parts) -> ControlFlow<Response<Body>, Begun> {
    ControlFlow::Continue(Begun {})
}

/// Finishes a response: content coding, CORS, security fields, log and metrics.
#[expect(unused_variables, reason = "filled by the modules of the edge")]
pub(crate) fn finish(
    shared: &Shared,
    facts: &RequestFacts<'_>,
    response: Response<Body>,
) -> Response<Body> {
    response
}
