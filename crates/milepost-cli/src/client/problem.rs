//! What an answer that is no success says, for people: problem documents (RFC 9457) of any server,
//! and whatever else comes.

use serde::Deserialize;
use serde_json::Value;
use ureq::http::header;

use super::Answer;
use crate::exit::{Exit, Failure};

/// How much of an answer that is no problem document is shown.
const EXCERPT_CHARS_MAX: usize = 200;

/// The members of a problem document that people need.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    href: Option<String>,
    instance: Option<String>,
    issues: Vec<Issue>,
}

/// One bad part of the input.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Issue {
    #[serde(rename = "in")]
    place: Option<String>,
    name: Option<String>,
    detail: Option<String>,
    value: Option<Value>,
}

/// The failure that an answer tells.
pub(crate) fn failure_of(answer: &Answer) -> Failure {
    let status = answer.status.as_u16();
    let exit = Exit::of_status(status);
    let failure = match parsed(answer) {
        Some(problem) => told(exit, answer, &problem),
        None => untold(exit, answer),
    };
    with_retry_after(failure, answer)
}

fn parsed(answer: &Answer) -> Option<Problem> {
    let content_type = answer.field(header::CONTENT_TYPE)?;
    let is_json = content_type.contains("json");
    is_json
        .then(|| serde_json::from_slice(&answer.body).ok())
        .flatten()
}

fn told(exit: Exit, answer: &Answer, problem: &Problem) -> Failure {
    let status = answer.status;
    let title = problem
        .title
        .as_deref()
        .or(status.canonical_reason())
        .unwrap_or("error");
    let message = match &problem.detail {
        Some(detail) => format!("{} ({}): {detail}", lower_first(title), status.as_u16()),
        None => format!("{} ({})", lower_first(title), status.as_u16()),
    };
    let mut failure = Failure::new(exit, message.trim_end_matches('.'));
    for issue in &problem.issues {
        failure = failure.detail(issue_line(issue));
    }
    if let Some(href) = &problem.href {
        failure = failure.detail(format!("about: {}", absolute(&answer.url, href)));
    }
    if let Some(instance) = problem
        .instance
        .as_ref()
        .filter(|_| status.is_server_error())
    {
        failure = failure.detail(format!(
            "instance: {instance} (the same id is in the server's log)"
        ));
    }
    failure
}

/// A link of an answer as a URL that can be followed.
fn absolute(url: &str, href: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |at| at + 3);
    let host_bytes = url.get(after_scheme..).and_then(|rest| rest.find('/'));
    match (href.starts_with('/'), host_bytes) {
        (true, Some(bytes)) => {
            format!(
                "{}{href}",
                url.get(..after_scheme + bytes).unwrap_or_default()
            )
        }
        _ => href.to_owned(),
    }
}

fn issue_line(issue: &Issue) -> String {
    let name = issue
        .name
        .as_deref()
        .filter(|name| !name.is_empty())
        .unwrap_or("(whole)");
    let place = issue
        .place
        .as_deref()
        .map(|place| format!(" in {place}"))
        .unwrap_or_default();
    let detail = issue.detail.as_deref().unwrap_or("not acceptable");
    let value = issue
        .value
        .as_ref()
        .map(|value| format!(" (got {})", excerpt(&value.to_string())));
    format!("{name}{place}: {detail}{}", value.unwrap_or_default())
}

fn untold(exit: Exit, answer: &Answer) -> Failure {
    let reason = answer.status.canonical_reason().unwrap_or("error");
    let message = format!(
        "{} {} from {}",
        answer.status.as_u16(),
        reason.to_lowercase(),
        answer.url
    );
    let failure = Failure::new(exit, message);
    match String::from_utf8_lossy(&answer.body).trim() {
        "" => failure,
        text => failure.detail(excerpt(text)),
    }
}

fn with_retry_after(failure: Failure, answer: &Answer) -> Failure {
    match answer.field(header::RETRY_AFTER) {
        Some(seconds) => failure.hint(format!("the server asks to try again after {seconds} s")),
        None => failure,
    }
}

fn excerpt(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    match line.char_indices().nth(EXCERPT_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters
        .next()
        .map(|c| c.to_lowercase().to_string())
        .unwrap_or_default();
    first + characters.as_str()
}

#[cfg(test)]
mod tests {
    use ureq::http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, content_type: &'static str, body: &str) -> Answer {
        let mut fields = HeaderMap::new();
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            fields,
            body: body.as_bytes().to_vec(),
            url: "http://127.0.0.1:7070/v1/accounts".to_owned(),
        }
    }

    #[test]
    fn a_problem_is_told_with_every_issue_and_where_to_read_on() {
        let body = r#"{"title":"Invalid document","status":400,"detail":"The body violates the schema.",
            "href":"/v1/-/problems/invalidDocument",
            "issues":[{"in":"body","name":"/balance","detail":"is no number","value":"x"},{"name":""}]}"#;
        let failure = failure_of(&answer(400, "application/problem+json", body));
        assert_eq!(failure.exit, Exit::InvalidInput);
        assert_eq!(
            failure.message,
            "invalid document (400): The body violates the schema"
        );
        assert_eq!(
            failure.details,
            [
                "/balance in body: is no number (got \"x\")",
                "(whole): not acceptable",
                "about: http://127.0.0.1:7070/v1/-/problems/invalidDocument",
            ]
        );
    }

    #[test]
    fn an_error_of_a_server_without_problem_documents_is_shown_too() {
        let failure = failure_of(&answer(502, "text/html", "<h1>bad gateway</h1>\nmore"));
        assert_eq!(failure.exit, Exit::Unreachable);
        assert_eq!(
            failure.message,
            "502 bad gateway from http://127.0.0.1:7070/v1/accounts"
        );
        assert_eq!(failure.details, ["<h1>bad gateway</h1>"]);
    }
}
