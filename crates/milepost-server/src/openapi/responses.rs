//! Responses and their fields, as components.

use std::collections::BTreeMap;

use milepost_semantics::{Problem, ProblemType, problem::MEDIA_TYPE};
use serde_json::{Map, Value, json};

use super::{component, object};

/// The statuses that any request may be answered with, whatever it is for.
pub(super) const EVERYWHERE: &[u16] = &[400, 404, 406, 414, 417, 431, 500, 503];

/// The statuses of problems that no operation here is answered with: credentials, methods that a
/// URL doesn't have, hosts, versions of HTTP.
const NEVER: &[u16] = &[401, 405, 421, 501, 505];

/// The fields of every response.
const ON_EVERY_RESPONSE: &[&str] = &["API-Version"];
/// The fields of a selected representation.
pub(super) const OF_REPRESENTATION: &[&str] =
    &["ETag", "Cache-Control", "Vary", "Last-Modified", "Link"];

/// The name of the response that tells of problems with a status.
pub(super) fn problem_name(status: u16) -> String {
    format!("problem{status}")
}

/// A response with JSON of a schema, and these fields.
pub(super) fn json_response(description: &str, schema: &Value, fields: &[&str]) -> Value {
    json!({
        "description": description,
        "headers": fields_of(fields),
        "content": { "application/json": { "schema": schema } },
    })
}

/// A response without a body.
pub(super) fn empty(description: &str, fields: &[&str]) -> Value {
    json!({ "description": description, "headers": fields_of(fields) })
}

/// The fields of a response: those named, and those on every one.
pub(super) fn fields_of(names: &[&str]) -> Value {
    let all = ON_EVERY_RESPONSE.iter().chain(names);
    Value::Object(object(all.map(|name| (*name, component("headers", name)))))
}

/// All responses that more than one operation has.
pub(super) fn all() -> Map<String, Value> {
    let mut responses = object([
        (
            "notModified",
            empty(
                "The client holds the current representation (RFC 9110 §15.4.5).",
                &["ETag", "Cache-Control", "Vary"],
            ),
        ),
        (
            "moved",
            empty("The same request, to the canonical URL.", &["Location"]),
        ),
    ]);
    responses.extend(problems());
    responses
}

/// One response for each status that problems have.
fn problems() -> impl Iterator<Item = (String, Value)> {
    let mut by_status: BTreeMap<u16, Vec<ProblemType>> = BTreeMap::new();
    for kind in ProblemType::ALL
        .iter()
        .filter(|kind| !NEVER.contains(&kind.status()))
    {
        by_status.entry(kind.status()).or_default().push(*kind);
    }
    by_status
        .into_iter()
        .map(|(status, kinds)| (problem_name(status), problem(status, &kinds)))
}

/// The response of one status.
pub(super) fn of_status(status: u16) -> Value {
    let kinds = ProblemType::ALL.iter().copied();
    let kinds: Vec<_> = kinds.filter(|kind| kind.status() == status).collect();
    problem(status, &kinds)
}

fn problem(status: u16, kinds: &[ProblemType]) -> Value {
    let titles: Vec<_> = kinds
        .iter()
        .map(|kind| format!("`{}`: {}", kind.name(), kind.title()))
        .collect();
    let examples = kinds.iter().map(|kind| {
        let example = Problem::new(*kind, kind.title())
            .with_instance("urn:uuid:0190a5b8-3c1e-4d2f-9a4b-5c6d7e8f9a0b")
            .to_json("/v1");
        (
            kind.name(),
            json!({ "summary": kind.title(), "value": example }),
        )
    });
    json!({
        "description": format!("{}.", titles.join("; ")),
        "headers": fields_of(own_fields(status)),
        "content": { MEDIA_TYPE: {
            "schema": component("schemas", "Problem"),
            "examples": object(examples),
        } },
    })
}

/// The fields that problems of a status come with.
fn own_fields(status: u16) -> &'static [&'static str] {
    match status {
        405 => &["Allow"],
        410 => &["Location"],
        412 => &["ETag"],
        503 => &["Retry-After"],
        _ => &[],
    }
}

/// All fields.
pub(super) fn headers() -> Map<String, Value> {
    let text =
        |description: &str| json!({ "description": description, "schema": { "type": "string" } });
    object([
        (
            "API-Version",
            json!({
                "description": "The full version of the API.",
                "required": true,
                "schema": { "type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$" },
                "example": super::API_VERSION_TEXT,
            }),
        ),
        (
            "ETag",
            json!({
                "description": "Which version of the representation this is; for `If-Match` and `If-None-Match`.",
                "schema": { "type": "string", "pattern": "^(W/)?\"[^\"]*\"$" },
            }),
        ),
        (
            "Cache-Control",
            text("Who may keep the answer, and for how long."),
        ),
        (
            "Content-Location",
            text("The URL of the representation in the answer."),
        ),
        ("Last-Modified", text("When the version was written.")),
        ("Link", text("Where to go from here (RFC 8288).")),
        ("Location", text("The URL to go to.")),
        (
            "Preference-Applied",
            text("What of `Prefer` was honoured (RFC 7240)."),
        ),
        (
            "Vary",
            text("The request fields that the answer depends on."),
        ),
        (
            "Retry-After",
            json!({
                "description": "After how many seconds to try again.",
                "schema": { "type": "integer", "minimum": 0 },
            }),
        ),
    ])
}
