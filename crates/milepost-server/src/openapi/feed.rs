//! The feed: what changed in a collection, or in all of them, and where following begins.

use serde_json::{Map, Value, json};

use super::{
    component, object,
    operation::Operation,
    parameters,
    responses::{OF_REPRESENTATION, fields_of, json_response},
    schemas, service,
};
use crate::limits::Limits;

const EVENTS: &str = "text/event-stream";
const OF_PAGE: &[&str] = &[
    "ETag",
    "Cache-Control",
    "Vary",
    "Link",
    "Preference-Applied",
];

/// What is remembered of changes.
pub(super) fn remembered(operation: Operation) -> Operation {
    operation
        .describe(
            "Answers the newest position, the oldest that is still answerable, and where to begin.",
        )
        .takes(&["ifNoneMatch"])
        .answers(
            200,
            json_response(
                "What is remembered.",
                &component("schemas", "Changes"),
                OF_REPRESENTATION,
            ),
        )
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[412])
}

/// What changed after a position, where representations have the schema `value`.
pub(super) fn changes(operation: Operation, value: &Value, limits: &Limits) -> Operation {
    let page = schemas::changes_page(value);
    let answer = json!({
        "description": "A page of changes, or each page as an event whose `id` is its position.",
        "headers": fields_of(OF_PAGE),
        "content": {
            "application/json": { "schema": page },
            EVENTS: { "schema": { "type": "string" } },
        },
    });
    operation
        .describe(
            "Answers everything that changed after the position, each resource once, as of the page's \
             end: follow `next` while there is one, and come back to `resume`. 410 leads to a complete \
             listing. `wait` holds the answer until there is news; `Accept: text/event-stream` asks \
             for a stream of it, which `Last-Event-ID` continues.",
        )
        .takes(&[
            "select",
            "pageSize",
            "versions",
            "tick",
            "seenBy",
            "ifNoneMatch",
            "lastEventId",
        ])
        .takes_own(vec![parameters::wait(limits)])
        .answers(200, answer)
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[409, 410, 412])
}

/// The paths that tell of all collections together.
pub(super) fn everything(limits: &Limits) -> Map<String, Value> {
    let value = json!({ "description": "Any resource's representation." });
    let operation = |id: &str, summary: &str| Operation::new(id, service::TAG, summary);
    let told = remembered(operation(
        "tellChanges",
        "Tell what is remembered of all changes",
    ));
    let listed = changes(
        operation("listChanges", "List what changed in all collections"),
        &value,
        limits,
    );
    let snapshot = operation("listEverything", "List everything as of a position")
        .describe("Answers a page of definitions and all collections exactly as of the position.")
        .takes(&["pageSize", "seenBy", "ifNoneMatch"])
        .takes_own(vec![parameters::after_in_everything()])
        .answers(
            200,
            json_response("A page.", &schemas::page(&value), OF_REPRESENTATION),
        )
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[410, 412]);
    object([
        ("/-/changes", service::item(&[], [("get", told)])),
        (
            "/-/changes/{position}",
            service::item(&["position"], [("get", listed)]),
        ),
        (
            "/-/snapshots/{position}",
            service::item(&["position"], [("get", snapshot)]),
        ),
    ])
}
