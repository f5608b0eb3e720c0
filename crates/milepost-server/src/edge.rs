//! What every exchange has, whatever it is about: the way in and the way out.
//!
//! [`begin`] sees each request before it is routed, [`finish`] each response before it is sent.

use std::{ops::ControlFlow, sync::Arc, time::Duration};

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Response, Version,
    header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST},
    request::Parts,
};
use http_body::Body as _;
use milepost_semantics::ProblemType;

use crate::{
    body::Body,
    coding,
    cors::{Cors, Origin},
    hosts::Hosts,
    identity,
    limits::Limits,
    listen::{Connection, Held},
    log::{Exchange, Incident, Log, Moment},
    metrics::{Admitted, Metrics, Observation, RouteKind},
    refusal::{Occurrence, Refusal},
    security::SecurityFields,
    service::Shared,
};

/// The full version of the wire contract; its first number is the one in the base path.
pub(crate) const API_VERSION_TEXT: &str = "1.0.0";
const API_VERSION: HeaderValue = HeaderValue::from_static(API_VERSION_TEXT);
pub(crate) const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// When who was refused for want of room should ask again.
const RETRY_AFTER_S: u32 = 1;

/// What the edge is configured with.
#[derive(Debug)]
pub(crate) struct EdgeSettings {
    pub(crate) cors: Cors,
    pub(crate) hosts: Hosts,
    pub(crate) security: SecurityFields,
    pub(crate) log: Log,
    pub(crate) metrics: Arc<Metrics>,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            cors: Cors::default(),
            hosts: Hosts::default(),
            security: SecurityFields::new(API_VERSION),
            log: Log::off(),
            metrics: Arc::default(),
        }
    }
}

/// What is remembered of a request's beginning until its end.
#[derive(Debug)]
pub(crate) struct Begun {
    came: Moment,
    origin: Origin,
    connection: Option<Connection>,
    /// Room among the requests in flight; `None` for those that are never refused it.
    admitted: Option<Admitted>,
}

impl Begun {
    /// Gives back the room among the requests in flight: for those that wait, which have a bound of
    /// their own.
    pub(crate) fn give_back(&self) {
        if let Some(admitted) = &self.admitted {
            admitted.give_back();
        }
    }

    /// Has the client watched while its request is held; `None` where its connection isn't known.
    pub(crate) fn hold(&self) -> Option<Held> {
        self.connection.as_ref().map(Connection::hold)
    }

    /// Takes room among at most this many requests in flight again; whether there was any.
    pub(crate) fn take_again(&self, in_flight_max: usize) -> bool {
        let admitted = self.admitted.as_ref();
        admitted.is_none_or(|admitted| admitted.take_again(in_flight_max))
    }
}

/// What is known of a request when its response is finished.
#[derive(Debug)]
pub(crate) struct RequestFacts<'r> {
    /// The request without its body.
    pub(crate) request: &'r Parts,
    /// The kind of URL that it is for.
    pub(crate) route: RouteKind,
    /// What was noted at its beginning.
    pub(crate) begun: &'r Begun,
}

/// Looks at a request before it is routed; answers those that need no route.
pub(crate) fn begin(
    shared: &Shared,
    request: &Parts,
    connection: Option<Connection>,
) -> ControlFlow<Response<Body>, Begun> {
    let edge = &shared.edge;
    let admitted = edge.metrics.admit(shared.limits.requests_in_flight_max);
    let is_refused = admitted.is_none() && !is_about_operations(shared, request);
    let begun = Begun {
        came: Moment::now(),
        origin: edge.cors.origin(&request.headers),
        connection,
        admitted,
    };
    let answer = if is_refused {
        Some(overloaded().into_response(&shared.base))
    } else if let Err(refusal) = check(shared, request) {
        Some(refusal.into_response(&shared.base))
    } else {
        edge.cors.preflight(request)
    };
    match answer {
        None => ControlFlow::Continue(begun),
        Some(response) => {
            let route = RouteKind::Unknown;
            let facts = RequestFacts {
                request,
                route,
                begun: &begun,
            };
            ControlFlow::Break(seal(shared, &facts, response))
        }
    }
}

/// Finishes a response: content coding, CORS, security fields, log and metrics.
pub(crate) async fn finish(
    shared: &Shared,
    facts: &RequestFacts<'_>,
    response: Response<Body>,
) -> Response<Body> {
    let response = coding::apply(&facts.request.headers, response).await;
    seal(shared, facts, response)
}

/// Those who watch the service must be able to see that it is busy.
fn is_about_operations(shared: &Shared, request: &Parts) -> bool {
    let below = request.uri.path().strip_prefix(&*shared.base);
    matches!(
        below,
        Some("/health" | "/-/health" | "/-/ready" | "/-/metrics")
    )
}

fn overloaded() -> Refusal {
    let detail = "as many requests as may be are being answered; this one was not performed";
    Refusal::new(ProblemType::Overloaded, detail).retry_after_s(RETRY_AFTER_S)
}

/// What makes a request unfit, whatever it is for.
pub(crate) fn check(shared: &Shared, request: &Parts) -> Result<(), Refusal> {
    check_fields(&shared.limits, &request.headers)?;
    check_host(&shared.edge.hosts, request)?;
    match request.headers.get(EXPECT) {
        Some(expected) if !expected.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            let detail = "100-continue is the only expectation that can be met";
            Err(Refusal::new(ProblemType::ExpectationFailed, detail))
        }
        Some(_) | None => Ok(()),
    }
}

/// RFC 6585 §5.
fn check_fields(limits: &Limits, fields: &HeaderMap) -> Result<(), Refusal> {
    let bytes: usize = fields
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len())
        .sum();
    let (bytes_max, fields_max) = (limits.fields_bytes_max, limits.fields_max);
    if bytes <= bytes_max && fields.len() <= fields_max {
        return Ok(());
    }
    let detail = format!(
        "the request has {} fields of {bytes} bytes; at most {fields_max} of {bytes_max} bytes are taken",
        fields.len()
    );
    Err(Refusal::new(ProblemType::FieldsTooLarge, detail))
}

/// RFC 9112 §3.2: an HTTP/1.1 request has exactly one valid `Host`; RFC 9113 §8.3.1: `:authority`
/// may stand for it, and a target in absolute form overrides it (§3.2.2).
fn check_host(allowed: &Hosts, request: &Parts) -> Result<(), Refusal> {
    let mut hosts = request.headers.get_all(HOST).iter();
    let told = match (hosts.next(), hosts.next()) {
        (Some(host), None) if is_host(host.as_bytes()) => host.to_str().ok(),
        (None, _) if request.uri.host().is_some() || request.version == Version::HTTP_10 => None,
        _ => {
            let detail = "a request has exactly one valid Host field";
            return Err(Refusal::new(ProblemType::HostInvalid, detail));
        }
    };
    let host = request.uri.host().or(told);
    if allowed.admits(host) {
        return Ok(());
    }
    let detail = format!("the service is not called {:?}", host.unwrap_or_default());
    Err(Refusal::new(ProblemType::MisdirectedRequest, detail))
}

/// `uri-host [ ":" port ]`, by its characters; a name may be empty (RFC 9110 §7.2).
fn is_host(host: &[u8]) -> bool {
    let is_host_byte = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'[' | b']')
            || matches!(byte, b'!' | b'$' | b'&'..=b',' | b';' | b'=')
    };
    host.iter().all(is_host_byte)
}

/// The fields that are on every response, and the traces that every exchange leaves.
fn seal(shared: &Shared, facts: &RequestFacts<'_>, mut response: Response<Body>) -> Response<Body> {
    let edge = &shared.edge;
    let begun = facts.begun;
    let duration = begun.came.elapsed();
    let connection = begun.connection.as_ref();
    let is_tls = connection.is_some_and(|connection| connection.is_tls);
    let fields = response.headers_mut();
    edge.security.apply(fields, is_tls);
    edge.cors.apply(&begun.origin, fields);
    if let Some(identity) = &shared.identity {
        identity::finish(identity, &shared.base, facts.request, fields);
    }
    fields.insert(SERVER_TIMING, server_timing(duration));
    if shared.leaving.has_begun() && facts.request.version < Version::HTTP_2 {
        fields.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    let body_bytes = sent_bytes(&facts.request.method, &response);
    edge.metrics.observe(&Observation {
        method: (&facts.request.method).into(),
        route: facts.route,
        status: response.status(),
        duration,
        request_bytes: told_length(&facts.request.headers),
        response_bytes: body_bytes.unwrap_or(0),
    });
    if edge.log.includes(response.status()) {
        log(edge, facts, &response, duration, body_bytes);
    }
    response
}

fn log(
    edge: &EdgeSettings,
    facts: &RequestFacts<'_>,
    response: &Response<Body>,
    duration: Duration,
    body_bytes: Option<u64>,
) {
    let occurrence = response.extensions().get::<Occurrence>();
    let peer = facts.begun.connection.as_ref();
    let instance = occurrence.map(|occurrence| occurrence.id.urn().to_string());
    edge.log.record(&Exchange {
        came: &facts.begun.came,
        request: facts.request,
        peer: peer.map(|connection| connection.peer),
        route: facts.route.label(),
        status: response.status(),
        fields: response.headers(),
        body_bytes,
        duration,
        problem: occurrence.map(|occurrence| Incident {
            instance: instance.as_deref().unwrap_or_default(),
            kind: occurrence.kind.name(),
            detail: &occurrence.detail,
            cause: occurrence
                .cause
                .as_deref()
                .map(|cause| cause as &dyn std::error::Error),
        }),
    });
}

/// How many bytes of body will be sent, where that is known.
fn sent_bytes(method: &Method, response: &Response<Body>) -> Option<u64> {
    if method == Method::HEAD {
        Some(0)
    } else {
        response.body().size_hint().exact()
    }
}

fn told_length(fields: &HeaderMap) -> u64 {
    let length = fields
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok());
    length.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// `Server-Timing` (W3C): milliseconds, to the microsecond.
fn server_timing(duration: Duration) -> HeaderValue {
    let us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let mut text = Vec::with_capacity(32);
    text.extend_from_slice(b"total;dur=");
    text.extend_from_slice(itoa::Buffer::new().format(us / 1000).as_bytes());
    text.push(b'.');
    // The leading one makes room for zeros.
    let thousandths = us % 1000 + 1000;
    text.extend(itoa::Buffer::new().format(thousandths).bytes().skip(1));
    HeaderValue::try_from(text).unwrap_or_else(|_never| HeaderValue::from_static("total"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_from_tricks() {
        for host in [
            "",
            "example.org",
            "example.org:8080",
            "[::1]:80",
            "127.0.0.1",
            "a_b",
        ] {
            assert!(is_host(host.as_bytes()), "{host}");
        }
        for host in ["a/b", "a b", "a@b", "a\"b", "a<b", "a?b", "a#b", "ä"] {
            assert!(!is_host(host.as_bytes()), "{host}");
        }
    }

    #[test]
    fn server_timing_is_in_milliseconds() {
        assert_eq!(
            server_timing(Duration::from_micros(1_234_056)),
            "total;dur=1234.056"
        );
        assert_eq!(server_timing(Duration::from_micros(7)), "total;dur=0.007");
    }
}
