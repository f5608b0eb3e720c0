//! The schemas of the service's own documents.

use serde_json::{Map, Value, json};

use super::{component, object};

/// All of them.
pub(super) fn all() -> Map<String, Value> {
    object([
        ("Problem", problem()),
        ("Issue", issue()),
        ("JsonPatch", json_patch()),
        (
            "MergePatch",
            json!({ "description": "A JSON Merge Patch (RFC 7396): members to set, `null` to remove." }),
        ),
        ("Changes", changes()),
        ("Versions", versions()),
        ("Definition", definition()),
        ("Bounds", bounds()),
        ("Transaction", transaction()),
        ("Outcome", outcome()),
        ("Service", service()),
        ("Health", health()),
        ("Ready", ready()),
        ("ProblemType", problem_type()),
        ("ProblemTypes", problem_types()),
    ])
}

/// A page of a collection whose representations have this schema.
pub(super) fn page(value: &Value) -> Value {
    let kind = "What the page is of.";
    let total = json!({ "type": "integer", "minimum": 0, "description": "How many there are in all, if asked for and cheap." });
    json!({
        "type": "object",
        "required": ["self", "kind", "replace", "items", "position"],
        "properties": {
            "self": url("The canonical URL of this page."),
            "kind": { "type": "string", "const": "snapshot", "description": kind },
            "replace": { "type": "boolean", "description": "Whether to discard what was held of this URL." },
            "items": { "type": "array", "items": live(value) },
            "next": url("There is more: go on here."),
            "resume": url("This is the end: keep this URL, and come back with it to learn what changed."),
            "position": position("The position that the page shows."),
            "total": total,
        },
    })
}

/// A page of changes, where representations have this schema.
pub(super) fn changes_page(value: &Value) -> Value {
    let digest =
        "The sum of SHA-256 over (id, etag) of the whole collection, where the feed is all of it.";
    json!({
        "type": "object",
        "required": ["self", "kind", "replace", "items", "position"],
        "properties": {
            "self": url("The canonical URL of this page."),
            "kind": { "type": "string", "const": "changes" },
            "replace": { "type": "boolean", "const": false },
            "items": { "type": "array", "items": { "anyOf": [live(value), gone()] } },
            "next": url("There is more: go on here."),
            "resume": url("This is the end: keep this URL, and come back with it."),
            "position": position("Everything up to here was told."),
            "oldest": position("The oldest position from which all changes are known."),
            "digest": { "type": "string", "pattern": "^[0-9a-f]{64}$", "description": digest },
        },
    })
}

/// A resource that exists.
fn live(value: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["href", "id", "etag", "value"],
        "properties": {
            "href": url("The resource's URL."),
            "id": { "type": "string" },
            "etag": { "type": "string", "description": "The resource's entity tag, for `If-Match`." },
            "value": value,
        },
    })
}

/// A resource that was deleted, or doesn't match any more.
fn gone() -> Value {
    json!({
        "type": "object",
        "required": ["href", "id", "deleted", "position"],
        "properties": {
            "href": url("The resource's URL."),
            "id": { "type": "string" },
            "deleted": { "type": "boolean", "const": true },
            "position": position("Where that happened."),
        },
    })
}

fn problem() -> Value {
    json!({
        "type": "object",
        "description": "What went wrong, and what to do about it (RFC 9457).",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "Which kind of problem it is; stable." },
            "href": url("Where the type is explained."),
            "title": { "type": "string", "description": "The type in a few words." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": { "type": "string", "description": "What is wrong this time." },
            "instance": { "type": "string", "format": "uri", "description": "This occurrence; the same id is in the service's log." },
            "issues": { "type": "array", "items": component("schemas", "Issue") },
        },
    })
}

fn issue() -> Value {
    json!({
        "type": "object",
        "description": "One bad part of a request.",
        "required": ["in", "name", "detail"],
        "properties": {
            "in": { "type": "string", "enum": ["body", "query", "path", "header"] },
            "name": { "type": "string", "description": "Where: a JSON pointer, a key, a field's name." },
            "detail": { "type": "string" },
            "value": { "description": "What was given." },
        },
    })
}

fn json_patch() -> Value {
    json!({
        "type": "array",
        "description": "A JSON Patch (RFC 6902).",
        "items": {
            "type": "object",
            "required": ["op", "path"],
            "properties": {
                "op": { "type": "string", "enum": ["add", "remove", "replace", "move", "copy", "test"] },
                "path": { "type": "string", "format": "json-pointer" },
                "from": { "type": "string", "format": "json-pointer" },
                "value": {},
            },
        },
    })
}

fn changes() -> Value {
    json!({
        "type": "object",
        "description": "What is remembered of changes.",
        "required": ["self", "head", "oldest", "snapshot", "resume"],
        "properties": {
            "self": url("This document."),
            "head": position("The newest change."),
            "oldest": position("The oldest position from which all changes are known."),
            "oldestSnapshot": position("The oldest position whose snapshot is complete."),
            "retention": retention(),
            "snapshot": url("Everything that stands now: where following begins."),
            "resume": url("What changes from now on."),
        },
    })
}

fn versions() -> Value {
    json!({
        "type": "object",
        "description": "A resource's retained versions, newest first.",
        "required": ["self", "latest", "items"],
        "properties": {
            "self": url("This page."),
            "latest": url("The resource."),
            "next": url("Older versions."),
            "items": { "type": "array", "items": {
                "type": "object",
                "required": ["position", "modified"],
                "properties": {
                    "href": url("The version."),
                    "position": position("The write that made it."),
                    "etag": { "type": "string" },
                    "modified": { "type": "string", "description": "When it was written, as an HTTP date." },
                    "deleted": { "type": "boolean", "const": true },
                },
            } },
        },
    })
}

fn definition() -> Value {
    let pointer = json!({ "type": "string", "format": "json-pointer" });
    json!({
        "type": "object",
        "description": "What is declared about a collection. Every member is optional.",
        "additionalProperties": false,
        "properties": {
            "title": { "type": "string" },
            "description": { "type": "string" },
            "schema": { "type": ["object", "boolean"], "description": "A JSON Schema (2020-12) for what is written." },
            "indexes": {
                "type": "object",
                "description": "What can be filtered and sorted by: names, and JSON pointers they stand for.",
                "maxProperties": milepost_store::definition::INDEXES_MAX,
                "propertyNames": { "pattern": "^[a-z][A-Za-z0-9]{0,63}$" },
                "additionalProperties": pointer,
            },
            "text": {
                "type": "array",
                "description": "The strings that `q` searches.",
                "maxItems": milepost_store::definition::TEXT_POINTERS_MAX,
                "items": pointer,
            },
            "preconditions": { "type": "string", "enum": ["required", "optional"], "default": "required" },
            "retention": retention(),
            "caching": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "visibility": { "type": "string", "enum": ["public", "private"] },
                    "maxAge": seconds(),
                    "staleWhileRevalidate": seconds(),
                },
            },
            "onParentDelete": { "type": "string", "enum": ["restrict", "cascade"], "default": "restrict" },
            "drafts": {
                "type": "object",
                "description": "Which resources are drafts, by an index whose value is true for one, and how long one is kept since it was last written.",
                "required": ["index", "age"],
                "additionalProperties": false,
                "properties": {
                    "index": { "type": "string", "pattern": "^[a-z][A-Za-z0-9]{0,63}$" },
                    "age": { "type": "string", "pattern": "^P([1-9][0-9]{0,5}W|[1-9][0-9]{0,5}D|[1-9][0-9]{0,5}DT[0-9]{1,6}H|T[1-9][0-9]{0,5}[HMS])$" },
                },
            },
            "rules": {
                "type": "object",
                "description": "Who may do what: expressions in CEL. What none allows is refused.",
                "additionalProperties": false,
                "properties": {
                    "read": rule(), "create": rule(), "update": rule(), "delete": rule(), "write": rule(), "default": rule(),
                },
            },
        },
    })
}

fn rule() -> Value {
    json!({ "type": "string", "minLength": 1, "maxLength": 1024 })
}

fn seconds() -> Value {
    json!({ "type": "integer", "minimum": 0, "maximum": 31_536_000 })
}

fn retention() -> Value {
    json!({
        "type": "object",
        "description": "How long what was superseded is kept.",
        "additionalProperties": false,
        "properties": {
            "history": component("schemas", "Bounds"),
            "tombstones": component("schemas", "Bounds"),
        },
    })
}

fn bounds() -> Value {
    let count = json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX });
    json!({
        "type": "object",
        "description": "Bounds that hold together: the first that is reached applies. Absent or 0: none of that kind.",
        "additionalProperties": false,
        "properties": {
            "count": count,
            "age": { "description": "An ISO 8601 duration, as `P90D`.", "anyOf": [
                { "type": "string", "pattern": "^P([0-9]{1,6}W|[0-9]{1,6}D|[0-9]{1,6}DT[0-9]{1,6}H|T[0-9]{1,6}[HMS])$" },
                { "const": 0 },
            ] },
            "bytes": count,
        },
    })
}

fn transaction() -> Value {
    let tags = json!({ "type": "string", "description": "As in the header field of that name." });
    json!({
        "type": "object",
        "description": "Writes that are performed all or none, at one position.",
        "required": ["operations"],
        "additionalProperties": false,
        "properties": { "operations": { "type": "array", "minItems": 1, "items": {
            "type": "object",
            "required": ["method", "href"],
            "additionalProperties": false,
            "properties": {
                "method": { "type": "string", "enum": ["PUT", "PATCH", "DELETE", "CHECK"] },
                "href": url("The resource's path."),
                "ifMatch": tags,
                "ifNoneMatch": tags,
                "contentType": { "type": "string", "description": "Of the value; of a patch `application/merge-patch+json` unless said otherwise." },
                "value": { "description": "The representation, or the patch." },
            },
        } } },
    })
}

fn outcome() -> Value {
    json!({
        "type": "object",
        "description": "What became of a transaction.",
        "required": ["position"],
        "properties": { "position": position("The position of all its writes.") },
    })
}

fn service() -> Value {
    json!({
        "type": "object",
        "description": "What the service offers, and where.",
        "required": ["self", "title", "versions", "conformance", "collections", "links", "limits"],
        "properties": {
            "self": url("This document."),
            "title": { "type": "string" },
            "software": { "type": "object" },
            "versions": { "type": "array", "items": { "type": "object" } },
            "conformance": { "type": "string", "enum": ["stateless", "stateless with exceptions"] },
            "collections": { "type": "array", "items": {
                "type": "object",
                "required": ["name", "href", "definition"],
                "properties": {
                    "name": { "type": "string" },
                    "title": { "type": "string" },
                    "href": url("The collection; of a child collection, across all parents."),
                    "definition": url("Its definition."),
                },
            } },
            "links": { "type": "object", "additionalProperties": { "type": "string" } },
            "limits": { "type": "object", "description": "What one request may cost.", "additionalProperties": { "type": "integer" } },
        },
    })
}

fn health() -> Value {
    json!({
        "type": "object",
        "required": ["status"],
        "properties": {
            "status": { "type": "string", "enum": ["UP", "DEGRADED", "DOWN"] },
            "detail": { "type": "string", "description": "Why, where it isn't UP." },
            "store": { "type": "string", "description": "What kind of store it answers from." },
            "primary": primary(),
        },
    })
}

fn ready() -> Value {
    json!({
        "type": "object",
        "required": ["ready"],
        "properties": {
            "ready": { "type": "boolean" },
            "detail": { "type": "string", "description": "Why, where it isn't." },
            "store": { "type": "string", "description": "What kind of store it answers from." },
            "primary": primary(),
        },
    })
}

fn primary() -> Value {
    let about = "Whether the server that takes the store's writes can be reached, where that is another one.";
    json!({ "type": "string", "enum": ["reachable", "unreachable"], "description": about })
}

fn problem_type() -> Value {
    json!({
        "type": "object",
        "required": ["type", "href", "status", "title"],
        "properties": {
            "type": { "type": "string", "format": "uri" },
            "href": url("This document."),
            "status": { "type": "integer" },
            "title": { "type": "string" },
            "explanation": { "type": "string", "description": "What it means and what to do about it, in Markdown." },
            "isTransient": { "type": "boolean", "description": "Whether the same request may succeed later." },
        },
    })
}

fn problem_types() -> Value {
    json!({
        "type": "object",
        "required": ["self", "types"],
        "properties": {
            "self": url("This document."),
            "types": { "type": "array", "items": component("schemas", "ProblemType") },
        },
    })
}

fn url(description: &str) -> Value {
    json!({ "type": "string", "format": "uri-reference", "description": description })
}

fn position(description: &str) -> Value {
    json!({ "type": "string", "description": description })
}
