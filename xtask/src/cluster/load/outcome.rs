//! What a client may conclude from an answer to a write: only what the protocol promises.

use serde_json::Value;

use super::wire::Answer;
use crate::{cluster::history::Position, http::Response};

/// What one attempt came to.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It was carried out, there where that is told.
    Done(Option<Position>),
    /// It was not carried out, and won't be: its condition doesn't hold.
    Refused(Option<Position>),
    /// It was not carried out; it may be tried again.
    NotNow,
    /// Nobody knows.
    Unknown,
    /// An answer that a client should never see.
    Absurd(String),
}

/// Problems with status 503 that promise that nothing was done.
const NOTHING_WAS_DONE: &[&str] = &["overloaded", "storageFull", "storageUnavailable"];

/// Judges an answer.
pub(super) fn judge(answer: &Answer) -> Attempt {
    match answer {
        Answer::Unsent => Attempt::NotNow,
        Answer::Silence => Attempt::Unknown,
        Answer::Told(response) => match response.status {
            200 | 201 | 204 => Attempt::Done(tag(response).or_else(|| told_in_body(response))),
            404 | 412 => Attempt::Refused(tag(response)),
            // Of a balancer: it may have sent it to somebody.
            500 | 502 | 504 => Attempt::Unknown,
            503 => unavailable(response),
            status => Attempt::Absurd(format!(
                "{status}: {}",
                String::from_utf8_lossy(&response.body)
            )),
        },
    }
}

fn unavailable(response: &Response) -> Attempt {
    let problem: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let kind = problem
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let kind = kind.rsplit(':').next().unwrap_or_default();
    if NOTHING_WAS_DONE.contains(&kind) {
        Attempt::NotNow
    } else {
        Attempt::Unknown
    }
}

/// The entity tag of an answer.
pub(super) fn tag(response: &Response) -> Option<Position> {
    response.field("etag").and_then(Position::parse)
}

/// Transactions tell their position in the body.
fn told_in_body(response: &Response) -> Option<Position> {
    let document: Value = serde_json::from_slice(&response.body).ok()?;
    Position::parse(document.get("position")?.as_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    fn judged(status: &str, body: &str) -> Attempt {
        let raw = format!(
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        judge(&Answer::Told(http::whole(raw.into_bytes()).unwrap()))
    }

    #[test]
    fn only_what_promises_that_nothing_was_done_is_taken_for_it() {
        let problem = |kind: &str| format!(r#"{{"type":"urn:problem-type:milepost:{kind}"}}"#);
        let status = "503 Service Unavailable";
        assert!(matches!(
            judged(status, &problem("storageUnavailable")),
            Attempt::NotNow
        ));
        assert!(matches!(
            judged(status, &problem("outcomeUnknown")),
            Attempt::Unknown
        ));
        assert!(matches!(
            judged(status, "<html>no server</html>"),
            Attempt::Unknown
        ));
        assert!(matches!(judge(&Answer::Silence), Attempt::Unknown));
        assert!(matches!(judge(&Answer::Unsent), Attempt::NotNow));
    }
}
