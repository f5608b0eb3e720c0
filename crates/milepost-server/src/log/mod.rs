//! The request log: one line of JSON per request, enough to understand it and to repeat it.
//!
//! A line holds what the request asked (method, target with its query, the fields that decide the
//! answer) and how it went (status, sizes, duration, entity tag, problem, causes). It never holds a
//! body, credentials or cookies. Writing happens elsewhere, in batches; see [`writer`].

mod json;
mod moment;
mod trace;
mod writer;

use std::{error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use http::{HeaderMap, HeaderName, StatusCode, Version, header, request};
use milepost_semantics::trace::TraceParent;

pub(crate) use self::moment::Rfc3339;
use self::{
    json::Object,
    trace::{SpanId, TraceId, TraceIds},
    writer::Queue,
};
pub use self::{moment::Moment, writer::LogFlush};
use crate::metrics::Metrics;

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
        line.plain("time", Rfc3339(exchange.came.unix_us));
        self.write_request(&mut line, exchange.request, exchange.peer);
        write_answer(&mut line, exchange);
        queue.push(line.into_line());
    }

    fn write_request(&self, line: &mut Object, request: &request::Parts, peer: Option<SocketAddr>) {
        line.text("method", request.method.as_str().as_bytes());
        line.text("target", target(&request.uri).as_bytes());
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
    const LOGGED: [(&str, HeaderName); 3] = [
        ("etag", header::ETAG),
        ("location", header::LOCATION),
        ("coding", header::CONTENT_ENCODING),
    ];
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
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use http::Request;
    use serde_json::Value;

    use super::*;

    struct Sink(Sender<Vec<u8>>);

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(
        level: LogLevel,
        request: Request<()>,
        status: u16,
        problem: Option<Incident<'_>>,
    ) -> Vec<Value> {
        let (sender, written) = channel();
        let (log, flush) = Log::start(level, Sink(sender), Arc::default()).unwrap();
        log.record(&Exchange {
            came: &Moment::now(),
            request: &request.into_parts().0,
            peer: Some("[::1]:99".parse().unwrap()),
            route: "resource",
            status: StatusCode::from_u16(status).unwrap(),
            fields: &HeaderMap::from_iter([(header::ETAG, "\"k3.1\"".parse().unwrap())]),
            body_bytes: Some(17),
            duration: Duration::from_micros(42),
            problem,
        });
        drop(flush);
        let bytes: Vec<u8> = written.try_iter().flatten().collect();
        let lines = String::from_utf8(bytes).unwrap();
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    fn request(target: &str) -> http::request::Builder {
        Request::builder().method("PUT").uri(target)
    }

    #[test]
    fn a_line_is_enough_to_repeat_the_request() {
        let request = request("/v1/a/1?x=%22y%22")
            .header("if-match", "\"a,b\"")
            .header("prefer", "return=minimal")
            .header(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            );
        let lines = logged(LogLevel::All, request.body(()).unwrap(), 200, None);
        let line = lines.first().unwrap();
        for (name, value) in [
            ("method", "PUT"),
            ("target", "/v1/a/1?x=%22y%22"),
            ("version", "HTTP/1.1"),
            ("if-match", "\"a,b\""),
            ("prefer", "return=minimal"),
            ("traceId", "4bf92f3577b34da6a3ce929d0e0e4736"),
            ("parentSpanId", "00f067aa0ba902b7"),
            ("peer", "[::1]:99"),
            ("etag", "\"k3.1\""),
        ] {
            assert_eq!(line[name], value, "{name}");
        }
        assert_eq!(line["status"].to_string(), "200");
        assert_eq!(line["durationUs"].to_string(), "42");
        assert_eq!(line["responseBytes"].to_string(), "17");
        assert_ne!(line["spanId"], "00f067aa0ba902b7");
    }

    #[test]
    fn credentials_never_reach_the_log() {
        let request = request("/v1/a")
            .header("authorization", "Bearer secret")
            .header("cookie", "sid=secret")
            .header("proxy-authorization", "secret")
            .header("x-api-key", "secret");
        let lines = logged(LogLevel::All, request.body(()).unwrap(), 200, None);
        assert!(!lines[0].to_string().contains("secret"));
        assert_eq!(lines[0]["authorization"], "redacted");
    }

    #[test]
    fn causes_stand_beside_the_instance_that_the_client_was_told() {
        #[derive(Debug, thiserror::Error)]
        #[error("can't write")]
        struct Outer(#[source] io::Error);
        let cause = Outer(io::Error::other("disk \"sda\"\nis gone"));
        let incident = Incident {
            instance: "urn:uuid:1",
            kind: "storageFailed",
            detail: "told",
            cause: Some(&cause),
        };
        let request = request("/v1/a").body(()).unwrap();
        let lines = logged(LogLevel::Errors, request, 503, Some(incident));
        assert_eq!(lines[0]["instance"], "urn:uuid:1");
        assert_eq!(lines[0]["causes"][0], "can't write");
        assert_eq!(lines[0]["causes"][1], "disk \"sda\"\nis gone");
    }

    #[test]
    fn levels_say_which_requests_are_logged() {
        let request =
            |status, level| logged(level, request("/v1").body(()).unwrap(), status, None).len();
        assert_eq!(request(404, LogLevel::Errors), 0);
        assert_eq!(request(500, LogLevel::Errors), 1);
        assert_eq!(request(500, LogLevel::Off), 0);
        assert_eq!(request(200, LogLevel::All), 1);
    }

    #[test]
    fn a_writer_that_hangs_makes_no_request_wait_and_no_line_vanish_uncounted() {
        struct Hanging(std::sync::mpsc::Receiver<()>);
        impl io::Write for Hanging {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (release, held) = channel::<()>();
        let metrics = Arc::new(Metrics::default());
        let (log, flush) = Log::start(LogLevel::All, Hanging(held), Arc::clone(&metrics)).unwrap();
        let (parts, ()) = request(&format!("/{}", "x".repeat(8000)))
            .body(())
            .unwrap()
            .into_parts();
        for _ in 0..4_000 {
            log.record(&Exchange {
                came: &Moment::now(),
                request: &parts,
                peer: None,
                route: "resource",
                status: StatusCode::OK,
                fields: &HeaderMap::new(),
                body_bytes: None,
                duration: Duration::ZERO,
                problem: None,
            });
        }
        assert!(metrics.dropped_log_lines() > 0);
        drop(release);
        drop(flush);
    }
}
