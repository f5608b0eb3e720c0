//! What can be asked with: parameters in path, query and header section.

use milepost_semantics::index::ValueType;
use milepost_store::{Definition, definition::Index};
use serde_json::{Map, Value, json};

use super::object;
use crate::limits::Limits;

/// One or more entity tags, or `*`.
const TAGS_PATTERN: &str = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#;
const PREFER_PATTERN: &str = "^return=(minimal|representation)$";
const A_TAG: &str = "\"k3f7.1042-x7qa\"";
const A_POSITION: &str = "k3f7.1042-x7qa";
/// Unreserved characters; not `.`, `..` or `-` alone.
const ID_PATTERN: &str = r"^(?!(\.|\.\.|-)$)[A-Za-z0-9._~\-]{1,128}$";
const POSITION_PATTERN: &str = r"^[a-z0-9]{1,8}\.(0|[1-9][0-9]{0,18})-[0-9a-hjkmnp-tv-z]{4}$";
const NAME_PATTERN: &str = r"^[a-z][a-z0-9\-]{0,62}(\.[a-z][a-z0-9\-]{0,62}){0,2}$";
const UUID_PATTERN: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// The parameters that more than one operation has.
pub(super) fn all(limits: &Limits) -> Map<String, Value> {
    object(
        fields()
            .into_iter()
            .chain(places())
            .chain(questions(limits)),
    )
}

fn fields() -> [(&'static str, Value); 4] {
    let if_match = "Only if the current version has one of these entity tags (RFC 9110 §13.1.1).";
    let if_none_match =
        "Only if the current version has none of these entity tags (RFC 9110 §13.1.2).";
    let prefer = "Whether to answer a write with the representation (RFC 7240).";
    [
        ("ifMatch", field("If-Match", if_match, TAGS_PATTERN, A_TAG)),
        (
            "ifNoneMatch",
            field("If-None-Match", if_none_match, TAGS_PATTERN, A_TAG),
        ),
        (
            "lastEventId",
            field(
                "Last-Event-ID",
                "The `id` of the last event that was received: the stream goes on behind it.",
                POSITION_PATTERN,
                A_POSITION,
            ),
        ),
        (
            "prefer",
            field("Prefer", prefer, PREFER_PATTERN, "return=representation"),
        ),
    ]
}

fn places() -> [(&'static str, Value); 5] {
    let name = "The collection's name; a child collection's with its parent's, as `accounts.transactions`.";
    let uuid = "The transaction's id, chosen by the client.";
    let position_of = "A position, as the service gave it.";
    [
        ("id", path("id", "The resource's id.", ID_PATTERN, "17")),
        (
            "position",
            path("position", position_of, POSITION_PATTERN, A_POSITION),
        ),
        ("name", path("name", name, NAME_PATTERN, "accounts")),
        (
            "uuid",
            path(
                "uuid",
                uuid,
                UUID_PATTERN,
                "0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b",
            ),
        ),
        (
            "type",
            path(
                "type",
                "The problem type's name.",
                "^[a-z][A-Za-z]*$",
                "notFound",
            ),
        ),
    ]
}

fn questions(limits: &Limits) -> [(&'static str, Value); 8] {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let after = "Where the page before ended: taken from its `next`, never made.";
    let total = "Whether to count all that match, where that is cheap.";
    let before = "Only versions before this position.";
    let select = "The members, or indexes, of each representation to show, separated by commas.";
    [
        ("pageSize", page_size(limits)),
        (
            "after",
            query("after", after, &text("^[A-Za-z0-9._~\\-]{1,8000}$")),
        ),
        (
            "total",
            query("total", total, &json!({ "type": "boolean" })),
        ),
        (
            "versions",
            query(
                "versions",
                "Every retained version instead of the state at the page's end.",
                &json!({ "type": "string", "enum": ["all"] }),
            ),
        ),
        (
            "tick",
            query(
                "tick",
                "Tells one question from the next: taken from a `resume`, never made.",
                &json!({ "type": "integer", "minimum": 0, "maximum": i64::MAX }),
            ),
        ),
        (
            "seenBy",
            query(
                crate::rules::SEEN_BY,
                "The view of a reader, where rules say who may read: taken from a `next` or `resume`, never made.",
                &text("^[A-Za-z0-9_-]+$"),
            ),
        ),
        ("before", query("before", before, &text(POSITION_PATTERN))),
        ("select", query("select", select, &text("^[^,]+(,[^,]+)*$"))),
    ]
}

/// How long to wait for news.
pub(super) fn wait(limits: &Limits) -> Value {
    let about = format!(
        "For how many seconds the answer may be held until there is news; at most {} are.",
        limits.wait_seconds_max
    );
    let schema = json!({ "type": "integer", "minimum": 0, "maximum": limits.wait_seconds_max });
    query("wait", &about, &schema)
}

/// Where a page of everything began.
pub(super) fn after_in_everything() -> Value {
    let about = "Where the page before ended: taken from its `next`, never made.";
    let pattern = "^[a-z.\\-][a-z0-9.\\-]{0,200}:[A-Za-z0-9_\\-]{0,8000}$";
    query(
        "after",
        about,
        &json!({ "type": "string", "pattern": pattern }),
    )
}

/// A parameter in the path.
pub(super) fn parent(name: &str, of: &str) -> Value {
    path(
        name,
        &format!("The id of the resource of {of} that the collection lies below."),
        ID_PATTERN,
        "17",
    )
}

/// What a listing of a collection can be asked for by its definition.
pub(super) fn declared(definition: &Definition, limits: &Limits) -> Vec<Value> {
    let mut declared: Vec<_> = definition.indexes.iter().map(filter).collect();
    if !definition.indexes.is_empty() {
        declared.push(sort(definition, limits));
    }
    declared
}

/// What is searched for, where text is declared.
pub(super) fn search(definition: &Definition, limits: &Limits) -> Option<Value> {
    let schema = json!({ "type": "string", "minLength": 1, "maxLength": limits.text_bytes_max });
    let about = "Words to look for in the declared text; the newest change comes first. Not together with `sort`.";
    (!definition.text.is_empty()).then(|| query("q", about, &schema))
}

fn page_size(limits: &Limits) -> Value {
    let schema = json!({
        "type": "integer",
        "minimum": 1,
        "maximum": limits.page_items_max,
        "default": limits.page_items_default,
    });
    query("pageSize", "The most items on a page.", &schema)
}

/// A key that filters by an index; repeated: any of the values.
fn filter(index: &Index) -> Value {
    let pointer = &index.pointer;
    let about = format!(
        "Filters by `{pointer}`: a value, or a comparison and a value as `gte:10`. Repeated: any of them, where the bounds \
         (`gt`, `gte`, `lt`, `lte`) together count as one, a range. \
         Comparisons: `eq`, `ne`, `gt`, `gte`, `lt`, `lte`, `prefix`, `exists`."
    );
    let value =
        json!({ "type": "string", "maxLength": 128, "pattern": value_pattern(index.value_type) });
    let mut parameter = query(
        &index.name,
        &about,
        &json!({ "type": "array", "items": value }),
    );
    if let Some(members) = parameter.as_object_mut() {
        members.insert("style".to_owned(), "form".into());
        members.insert("explode".to_owned(), true.into());
    }
    parameter
}

fn value_pattern(value_type: ValueType) -> &'static str {
    match value_type {
        ValueType::Number => {
            r"^(((eq|ne|gt|gte|lt|lte):)?-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+\-]?[0-9]{1,2})?|((eq|ne):)?null|exists:(true|false))$"
        }
        ValueType::Boolean => {
            r"^(((eq|ne|gt|gte|lt|lte):)?(true|false)|((eq|ne):)?null|exists:(true|false))$"
        }
        ValueType::String => {
            r"^((eq|ne|gt|gte|lt|lte|prefix):[^\x00]*|exists:(true|false)|(?!exists:)[^\x00]*)$"
        }
        ValueType::Any => {
            r"^((eq|ne|prefix):[^\x00]*|(gt|gte|lt|lte):(?!null$)[^\x00]*|exists:(true|false)|(?!(exists|gt|gte|lt|lte):)[^\x00]*)$"
        }
    }
}

/// A comma-separated list of indexes.
fn sort(definition: &Definition, limits: &Limits) -> Value {
    let names = definition.indexes.iter().map(|index| &index.name);
    let keys: Vec<_> = names
        .flat_map(|name| [name.clone(), format!("-{name}")])
        .collect();
    let schema = json!({
        "type": "array",
        "minItems": 1,
        "maxItems": limits.sort_keys_max.min(definition.indexes.len()),
        "uniqueItems": true,
        "items": { "type": "string", "enum": keys },
    });
    let about = "The indexes to order by, the first one first; `-` before one: largest first. An index stands in it once.";
    let mut parameter = query("sort", about, &schema);
    if let Some(members) = parameter.as_object_mut() {
        members.insert("style".to_owned(), "form".into());
        members.insert("explode".to_owned(), false.into());
    }
    parameter
}

fn path(name: &str, description: &str, pattern: &str, example: &str) -> Value {
    json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": description,
        "schema": { "type": "string", "pattern": pattern },
        "example": example,
    })
}

fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({ "name": name, "in": "query", "description": description, "schema": schema })
}

fn field(name: &str, description: &str, pattern: &str, example: &str) -> Value {
    json!({
        "name": name,
        "in": "header",
        "description": description,
        "schema": { "type": "string", "pattern": pattern },
        "example": example,
    })
}
