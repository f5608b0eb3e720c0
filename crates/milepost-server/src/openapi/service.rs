//! The paths of the service itself: its documents, definitions and transactions.

use serde_json::{Map, Value, json};

use super::{
    component, object,
    operation::Operation,
    responses::{OF_REPRESENTATION, empty, fields_of, json_response},
    schemas,
};

/// The tag of these paths; no collection has a capital letter.
pub(super) const TAG: &str = "Service";

const OF_DOCUMENT: &[&str] = &["ETag", "Cache-Control", "Vary", "Link"];
const WRITTEN: &[&str] = &[
    "ETag",
    "Last-Modified",
    "Content-Location",
    "Preference-Applied",
];
const CREATED: &[&str] = &[
    "Location",
    "ETag",
    "Last-Modified",
    "Content-Location",
    "Preference-Applied",
];

/// All of them.
pub(super) fn paths() -> Map<String, Value> {
    object([
        ("/", item(&[], [("get", root())])),
        ("/openapi.json", item(&[], [("get", openapi())])),
        ("/health", item(&[], [("get", health())])),
        ("/-/ready", item(&[], [("get", ready())])),
        ("/-/metrics", item(&[], [("get", metrics())])),
        ("/-/problems", item(&[], [("get", problems())])),
        ("/-/problems/{type}", item(&["type"], [("get", problem())])),
        ("/-/collections", item(&[], [("get", definitions())])),
        (
            "/-/collections/{name}",
            item(
                &["name"],
                [
                    ("get", read_definition()),
                    ("put", put_definition()),
                    ("patch", patch_definition()),
                    ("delete", delete_definition()),
                ],
            ),
        ),
        (
            "/-/transactions/{uuid}",
            item(
                &["uuid"],
                [("get", read_outcome()), ("put", put_transaction())],
            ),
        ),
    ])
}

pub(super) fn item<const N: usize>(
    parameters: &[&str],
    operations: [(&str, Operation); N],
) -> Value {
    let mut item = Map::new();
    if !parameters.is_empty() {
        let parameters: Vec<_> = parameters
            .iter()
            .map(|name| component("parameters", name))
            .collect();
        item.insert("parameters".to_owned(), parameters.into());
    }
    item.extend(operations.map(|(method, operation)| (method.to_owned(), operation.into_json())));
    Value::Object(item)
}

/// Reading one of the service's documents.
fn document(id: &str, summary: &str, about: &str, schema: &Value) -> Operation {
    Operation::new(id, TAG, summary)
        .describe(about)
        .takes(&["ifNoneMatch"])
        .answers(200, json_response("The document.", schema, OF_DOCUMENT))
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[412])
}

fn root() -> Operation {
    let about = "Links to all there is, the limits, and whether the service is stateless.";
    document(
        "readServiceDocument",
        "Read the service document",
        about,
        &component("schemas", "Service"),
    )
}

fn openapi() -> Operation {
    let about = "This document, generated from the definitions.";
    document(
        "readOpenapi",
        "Read the OpenAPI document",
        about,
        &json!({ "type": "object" }),
    )
}

fn health() -> Operation {
    let schema = component("schemas", "Health");
    let down = json!({
        "description": "The service can't answer from its store.",
        "headers": fields_of(&["Retry-After", "Cache-Control"]),
        "content": {
            "application/json": { "schema": schema },
            "application/problem+json": { "schema": component("schemas", "Problem") },
        },
    });
    Operation::new("readHealth", TAG, "Tell whether the service works")
        .describe("`DEGRADED`: reads go on, writes don't.")
        .answers(200, json_response("It works.", &schema, &["Cache-Control"]))
        .answers_as(308, "moved")
        .refuses(&[])
        .answers(503, down)
}

fn ready() -> Operation {
    let schema = component("schemas", "Ready");
    let not_ready = json!({
        "description": "Requests are to be sent elsewhere: the service is stopping, or can't use its store.",
        "headers": fields_of(&["Retry-After", "Cache-Control"]),
        "content": {
            "application/json": { "schema": schema },
            "application/problem+json": { "schema": component("schemas", "Problem") },
        },
    });
    Operation::new("readReady", TAG, "Tell whether requests may be sent here")
        .describe("For whoever balances load.")
        .answers(200, json_response("They may.", &schema, &["Cache-Control"]))
        .answers_as(308, "moved")
        .refuses(&[])
        .answers(503, not_ready)
}

fn metrics() -> Operation {
    let text = json!({
        "description": "The metrics.",
        "headers": fields_of(&["Cache-Control"]),
        "content": { "text/plain": { "schema": { "type": "string" } } },
    });
    Operation::new("readMetrics", TAG, "Read the service's metrics")
        .describe("What the service counts about itself, in Prometheus' text format.")
        .answers(200, text)
        .answers_as(308, "moved")
        .refuses(&[])
}

fn problems() -> Operation {
    let about = "Every type of problem; HTML for browsers.";
    explained(
        "listProblemTypes",
        "List the types of problems",
        about,
        "ProblemTypes",
    )
}

fn problem() -> Operation {
    let about = "What a type of problem means and what to do about it; HTML for browsers.";
    explained(
        "readProblemType",
        "Read what a type of problem means",
        about,
        "ProblemType",
    )
}

fn explained(id: &str, summary: &str, about: &str, schema: &str) -> Operation {
    let explanation = json!({
        "description": "The explanation.",
        "headers": fields_of(OF_DOCUMENT),
        "content": {
            "application/json": { "schema": component("schemas", schema) },
            "text/html": { "schema": { "type": "string" } },
        },
    });
    document(id, summary, about, &Value::Null).answers(200, explanation)
}

fn definitions() -> Operation {
    let page = schemas::page(&component("schemas", "Definition"));
    Operation::new(
        "listDefinitions",
        TAG,
        "List the definitions of collections",
    )
    .describe("Answers a page of definitions, ordered by name.")
    .takes(&["pageSize", "after", "total", "ifNoneMatch"])
    .answers(200, json_response("A page.", &page, OF_REPRESENTATION))
    .answers_as(304, "notModified")
    .answers_as(308, "moved")
    .refuses(&[409, 410, 412])
}

fn read_definition() -> Operation {
    let schema = component("schemas", "Definition");
    Operation::new("readDefinition", TAG, "Read a collection's definition")
        .describe("Answers what is declared, with all that holds by default.")
        .takes(&["ifNoneMatch"])
        .answers(
            200,
            json_response("The definition.", &schema, OF_REPRESENTATION),
        )
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[412])
}

fn writing(id: &str, summary: &str, about: &str) -> Operation {
    let schema = component("schemas", "Definition");
    Operation::new(id, TAG, summary)
        .describe(about)
        .takes(&["ifMatch", "ifNoneMatch", "prefer"])
        .answers(
            200,
            json_response(
                "Written, completed with what holds by default.",
                &schema,
                WRITTEN,
            ),
        )
        .answers(204, empty("Written.", WRITTEN))
        .answers_as(308, "moved")
        .refuses(&[408, 409, 412, 413, 415, 428])
}

fn put_definition() -> Operation {
    let schema = component("schemas", "Definition");
    let about = "Defines a collection. An existing definition is replaced only with `If-Match`.";
    writing(
        "putDefinition",
        "Define a collection, or replace its definition",
        about,
    )
    .body(&json!({ "application/json": { "schema": schema } }))
    .answers(201, json_response("Defined.", &schema, CREATED))
}

fn patch_definition() -> Operation {
    writing(
        "patchDefinition",
        "Change a collection's definition",
        "Changes parts of a definition.",
    )
    .body(&json!({
        "application/merge-patch+json": { "schema": component("schemas", "MergePatch") },
        "application/json-patch+json": { "schema": component("schemas", "JsonPatch") },
    }))
}

fn delete_definition() -> Operation {
    Operation::new("deleteDefinition", TAG, "Delete a collection's definition")
        .describe("Only where the collection is empty and has no child collections.")
        .takes(&["ifMatch", "ifNoneMatch", "prefer"])
        .answers(204, empty("Deleted.", &["Preference-Applied"]))
        .answers_as(308, "moved")
        .refuses(&[409, 412, 428])
}

fn read_outcome() -> Operation {
    Operation::new("readTransaction", TAG, "Read a transaction's outcome")
        .describe(
            "Answers what became of a transaction that was committed, as long as that is kept.",
        )
        .takes(&["ifNoneMatch"])
        .answers(
            200,
            json_response(
                "The outcome.",
                &component("schemas", "Outcome"),
                OF_REPRESENTATION,
            ),
        )
        .answers_as(304, "notModified")
        .answers_as(308, "moved")
        .refuses(&[412])
}

fn put_transaction() -> Operation {
    let outcome = component("schemas", "Outcome");
    Operation::new("putTransaction", TAG, "Perform a transaction")
        .describe("Performs all operations or none. Repeating the same request answers the recorded outcome; it is never performed twice.")
        .body(&json!({ "application/json": { "schema": component("schemas", "Transaction") } }))
        .answers(200, json_response("It was performed before; its outcome.", &outcome, OF_REPRESENTATION))
        .answers(201, json_response("Performed.", &outcome, &["Location"]))
        .answers_as(308, "moved")
        .refuses(&[403, 408, 409, 412, 413, 415, 422])
}
