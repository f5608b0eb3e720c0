//! The request log: one line of JSON per request, enough to understand it and to repeat it.
//!
//! A line holds what the request asked (method, target with its query, the fields that decide the
//! answer) and how it went (status, sizes, duration, entity tag, problem, causes). It never holds a
//! body, credentials or cookies. Writing happens elsewhere, in batches; see `writer`.

mod json;
mod moment;
mod trace;
mod writer;

use std::{borrow::Cow, error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, StatusCode, Version, header, request};
use milepost_semantics::trace::TraceParent;

pub(crate) use self::moment::Rfc3339;
use self::{
    json::Object,
    trace::{SpanId, TraceId, TraceIds},
    writer::Queue,
};
pub use self::{moment::Moment, writer::LogFlush};
use crate::{identity, metrics::Metrics};

/// Which requests are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    /// Every one.
    #[default]
    All,
    /// Those answered by 5xx.
    Errors,
    /// None.
    Off,
}

/// A request log. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Log {
    level: LogLevel,
    queue: Option<Queue>,
    ids: Arc<TraceIds>,
}

/// A request and how it was answered: what a line tells.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// When the request came.
    pub came: &'a Moment,
    /// The request, without its body.
    pub request: &'a request::Parts,
    /// Who is at the other end of the connection, where that is known.
    pub peer: Option<SocketAddr>,
    /// What kind of URL it was for.
    pub route: &'a str,
    /// The response's status.
    pub status: StatusCode,
    /// The response's fields.
    pub fields: &'a HeaderMap,
    /// The length of its body in bytes, where that is known.
    pub body_bytes: Option<u64>,
    /// How long it took to answer.
    pub duration: Duration,
    /// What went wrong, if anything.
    pub problem: Option<Incident<'a>>,
}

/// What went wrong.
#[derive(Clone, Copy, Debug)]
pub struct Incident<'a> {
    /// The problem's `instance`, the same that the client was told.
    pub instance: &'a str,
    /// The problem's type.
    pub kind: &'a str,
    /// What the client was told.
    pub detail: &'a str,
    /// What caused it. Clients never see it.
    pub cause: Option<&'a dyn Error>,
}

/// The request fields that decide the answer. Credentials are not among them, and never will be.
const LOGGED_FIELDS: [HeaderName; 16] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::ORIGIN,
    header::RANGE,
    header::USER_AGENT,
    HeaderName::from_static("last-event-id"),
    HeaderName::from_static("prefer"),
    HeaderName::from_static("want-repr-digest"),
];

impl Default for Log {
    fn default() -> Self {
        Self::off()
    }
}

impl Log {
    /// A log that writes to `out`, on a thread of its own.
    ///
    /// # Errors
    /// Where the thread can't be started.
    pub fn start(
        level: LogLevel,
        out: impl io::Write + Send + 'static,
        metrics: Arc<Metrics>,
    ) -> io::Result<(Self, LogFlush)> {
        let (queue, flush) = Queue::start(out, metrics)?;
        Ok((
            Self {
                level,
                queue: Some(queue),
                ids: Arc::default(),
            },
            flush,
        ))
    }

    /// A log that writes nothing.
    #[must_use]
    pub fn off() -> Self {
        Self {
            level: LogLevel::Off,
            queue: None,
            ids: Arc::default(),
        }
    }

    /// Whether an exchange with this status is logged.
    #[must_use]
    pub fn includes(&self, status: StatusCode) -> bool {
        match self.level {
            LogLevel::All => true,
            LogLevel::Errors => status.is_server_error(),
            LogLevel::Off => false,
        }
    }

    /// Logs an exchange, where the level says so. Never waits.
    pub fn record(&self, exchange: &Exchange<'_>) {
        let Some(queue) = self
            .queue
            .as_ref()
            .filter(|_| self.includes(exchange.status))
        else {
            return;
        };
        let mut line = Object::with_capacity(768);
        line.plain("time", Rfc3339(exchange.came.unix_us()));
        self.write_request(&mut line, exchange.request, exchange.peer);
        write_answer(&mut line, exchange);
        queue.push(line.into_line());
    }

    fn write_request(&self, line: &mut Object, request: &request::Parts, peer: Option<SocketAddr>) {
        line.text("method", request.method.as_str().as_bytes());
        line.text("target", without_secrets(target(&request.uri)).as_bytes());
        line.plain("version", version(request.version));
        if let Some(peer) = peer {
            line.plain("peer", peer);
        }
        self.write_trace(line, &request.headers);
        for (name, value) in &request.headers {
            if LOGGED_FIELDS.contains(name) {
                line.text(name.as_str(), value.as_bytes());
            } else if *name == header::AUTHORIZATION {
                line.plain(name.as_str(), "redacted");
            }
        }
    }

    fn write_trace(&self, line: &mut Object, fields: &HeaderMap) {
        match TraceParent::from_headers(fields) {
            Some(parent) => {
                line.plain("traceId", TraceId::from(parent.trace_id()));
                line.plain("parentSpanId", SpanId::from(parent.parent_id()));
            }
            None => line.plain("traceId", self.ids.trace()),
        }
        line.plain("spanId", self.ids.span());
    }
}

fn write_answer(line: &mut Object, exchange: &Exchange<'_>) {
    const LOGGED: [(&str, HeaderName); 2] =
        [("etag", header::ETAG), ("coding", header::CONTENT_ENCODING)];
    line.plain("route", exchange.route);
    line.number("status", u64::from(exchange.status.as_u16()));
    line.number(
        "durationUs",
        u64::try_from(exchange.duration.as_micros()).unwrap_or(u64::MAX),
    );
    if let Some(bytes) = exchange.body_bytes {
        line.number("responseBytes", bytes);
    }
    for (name, field) in &LOGGED {
        if let Some(value) = exchange.fields.get(field) {
            line.text(name, value.as_bytes());
        }
    }
    let location = exchange.fields.get(header::LOCATION);
    if let Some(location) = location.and_then(|value| value.to_str().ok()) {
        line.text("location", without_secrets(location).as_bytes());
    }
    if let Some(incident) = exchange.problem {
        line.text("problem", incident.kind.as_bytes());
        line.text("detail", incident.detail.as_bytes());
        line.text("instance", incident.instance.as_bytes());
        let causes = causes(incident.cause);
        if !causes.is_empty() {
            line.texts("causes", causes.iter().map(String::as_str));
        }
    }
}

/// The texts of an error and of all that caused it, outermost first.
fn causes(mut error: Option<&dyn Error>) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(cause) = error {
        texts.push(cause.to_string());
        error = cause.source();
    }
    texts
}

/// A target without the state that a flow's link carries, which is as good as the answers in it, and without credentials.
fn without_secrets(target: &str) -> Cow<'_, str> {
    match target.split_once('?') {
        Some((path, query)) if path.contains("/-/flows/") && query.contains("place=") => {
            format!("{path}?place=redacted").into()
        }
        Some((path, query)) => match identity::redacted(query) {
            Cow::Borrowed(_) => target.into(),
            Cow::Owned(redacted) => format!("{path}?{redacted}").into(),
        },
        None => target.into(),
    }
}

fn target(uri: &http::Uri) -> &str {
    uri.path_and_query()
        .map_or_else(|| uri.path(), http::uri::PathAndQuery::as_str)
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "HTTP/1.0",
        Version::HTTP_11 => "HTTP/1.1",
        Version::HTTP_2 => "HTTP/2",
        _ => "HTTP",
    }
}

#[cfg(test)]
mod tests;
