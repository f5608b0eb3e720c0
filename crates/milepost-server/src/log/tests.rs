//! What a line promises.

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
    let location = request.uri().to_string();
    let fields = [
        (header::ETAG, "\"k3.1\"".parse().unwrap()),
        (header::LOCATION, location.parse().unwrap()),
    ];
    let (log, flush) = Log::start(level, Sink(sender), Arc::default()).unwrap();
    log.record(&Exchange {
        came: &Moment::now(),
        request: &request.into_parts().0,
        peer: Some("[::1]:99".parse().unwrap()),
        route: "resource",
        status: StatusCode::from_u16(status).unwrap(),
        fields: &HeaderMap::from_iter(fields),
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
    let request = request("/v1/a?b=1&access%5Ftoken=secret")
        .header("authorization", "Bearer secret")
        .header("cookie", "sid=secret")
        .header("proxy-authorization", "secret")
        .header("x-api-key", "secret");
    let lines = logged(LogLevel::All, request.body(()).unwrap(), 200, None);
    assert!(!lines[0].to_string().contains("secret"));
    assert_eq!(lines[0]["authorization"], "redacted");
    for name in ["target", "location"] {
        assert_eq!(lines[0][name], "/v1/a?b=1&access_token=redacted");
    }
}

#[test]
fn sealed_state_never_reaches_the_log() {
    let request = request("/v1/-/flows/registration?place=secret").body(());
    let lines = logged(LogLevel::All, request.unwrap(), 303, None);
    assert!(!lines[0].to_string().contains("secret"));
    assert_eq!(
        lines[0]["location"],
        "/v1/-/flows/registration?place=redacted"
    );
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
