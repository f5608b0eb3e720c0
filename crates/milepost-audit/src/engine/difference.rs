//! Where two answers differ: status, field by field, JSON pointer by JSON pointer, line by line.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::Response;

/// Fields that say nothing about state: when and by whom an answer was made, how it travelled, who may
/// keep it (the caching checks look at that).
const TRAVEL: &[&str] = &[
    "age",
    "cache-control",
    "pragma",
    "vary",
    "alt-svc",
    "connection",
    "content-length",
    "date",
    "keep-alive",
    "server-timing",
    "set-cookie",
    "traceparent",
    "tracestate",
    "transfer-encoding",
    "via",
    "retry-after",
    "expires",
    "x-runtime",
    "x-response-time",
    "x-process-time",
    "x-cache",
    "x-served-by",
    "nel",
    "report-to",
    "x-amzn-trace-id",
    "cf-ray",
    "x-trace-id",
    "x-correlation-id",
    "request-id",
    "content-security-policy",
];

/// Whether a field is left out of every comparison.
pub(crate) fn is_travel(name: &str) -> bool {
    TRAVEL.contains(&name)
        || name.contains("ratelimit")
        || name.contains("rate-limit")
        || name.contains("request-id")
        || name.contains("requestid")
}

/// A place in an answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Spot {
    /// The status.
    Status,
    /// A field by its name.
    Field(String),
    /// A value in a JSON body, by its pointer.
    Json(String),
    /// A line of a text, counted from 1.
    Line(usize),
    /// The body as a whole.
    Body,
}

impl Spot {
    /// Whether it lies in the body.
    pub(crate) const fn is_body(&self) -> bool {
        matches!(self, Self::Json(_) | Self::Line(_) | Self::Body)
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status => write!(f, "status"),
            Self::Field(name) => write!(f, "field {name}"),
            Self::Json(pointer) if pointer.is_empty() => write!(f, "the body"),
            Self::Json(pointer) => write!(f, "{pointer}"),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Body => write!(f, "the body"),
        }
    }
}

/// What stands at a place in one answer and in the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) spot: Spot,
    pub(crate) left: String,
    pub(crate) right: String,
}

/// All differences, but for fields that only tell of the journey.
pub(crate) fn differences(left: &Response, right: &Response) -> Vec<Difference> {
    let mut found = Vec::new();
    if left.status != right.status {
        found.push(difference(Spot::Status, &left.status, &right.status));
    }
    fields(left, right, &mut found);
    if left.body != right.body {
        bodies(left, right, &mut found);
    }
    found
}

fn difference(spot: Spot, left: &dyn fmt::Display, right: &dyn fmt::Display) -> Difference {
    Difference {
        spot,
        left: left.to_string(),
        right: right.to_string(),
    }
}

fn fields(left: &Response, right: &Response, found: &mut Vec<Difference>) {
    let names = left.fields.iter().chain(right.fields.iter());
    let mut names: Vec<&str> = names
        .map(|(name, _)| name)
        .filter(|name| !is_travel(name))
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let joined = |response: &Response| response.fields.all(name).collect::<Vec<_>>().join(", ");
        let (left, right) = (joined(left), joined(right));
        if left != right {
            found.push(difference(Spot::Field(name.to_owned()), &left, &right));
        }
    }
}

fn bodies(left: &Response, right: &Response, found: &mut Vec<Difference>) {
    if let (Some(left), Some(right)) = (left.json(), right.json()) {
        values("", &left, &right, found);
        return;
    }
    let (left, right) = (left.text(), right.text());
    let (lines, others): (Vec<&str>, Vec<&str>) = (left.lines().collect(), right.lines().collect());
    if lines.len() != others.len() {
        found.push(difference(Spot::Body, &left, &right));
        return;
    }
    for (number, (line, other)) in lines.iter().zip(&others).enumerate() {
        if line != other {
            found.push(difference(Spot::Line(number + 1), line, other));
        }
    }
}

fn values(pointer: &str, left: &Value, right: &Value, found: &mut Vec<Difference>) {
    match (left, right) {
        (Value::Object(left), Value::Object(right)) => {
            let mut names: Vec<&String> = left.keys().chain(right.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let below = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
                let absent = Value::Null;
                let (left, right) = (left.get(name), right.get(name));
                values(
                    &below,
                    left.unwrap_or(&absent),
                    right.unwrap_or(&absent),
                    found,
                );
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                values(&format!("{pointer}/{index}"), left, right, found);
            }
        }
        _ if left == right => {}
        _ => found.push(difference(Spot::Json(pointer.to_owned()), left, right)),
    }
}

/// How many leaves a body has: what a share of it is counted in.
pub(crate) fn leaves(response: &Response) -> usize {
    fn count(value: &Value) -> usize {
        match value {
            Value::Object(members) => members.values().map(count).sum(),
            Value::Array(elements) => elements.iter().map(count).sum(),
            _ => 1,
        }
    }
    let leaves = response
        .json()
        .map_or_else(|| response.text().lines().count(), |value| count(&value));
    leaves.max(1)
}
