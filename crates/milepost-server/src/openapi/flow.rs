//! Flows: the paths at which they are carried out, where the collection that defines them is there.
//!
//! Not what each flow asks: that stands in its own documents, step by step, and changes with its definition.

use milepost_store::{CollectionPath, Definitions};
use serde_json::{Map, Value, json};

use super::{
    component, object,
    operation::Operation,
    responses::{empty, fields_of, json_response, of_status},
    service::{TAG, item},
};
use crate::flows::COLLECTION;

/// The fields of everything that may carry state.
const GUARDED: &[&str] = &["Cache-Control", "Vary"];

/// Whether there is anything to carry out.
pub(super) fn are_defined(definitions: &Definitions) -> bool {
    let collection = CollectionPath::parse(COLLECTION);
    collection.is_some_and(|collection| definitions.of(&collection).is_some())
}

/// All of them.
pub(super) fn paths() -> Map<String, Value> {
    let operations = [("get", begin()), ("post", go_on())];
    object([("/-/flows/{id}", item(&["id"], operations))])
}

/// What is sent and answered there.
pub(super) fn schemas() -> Map<String, Value> {
    object([
        ("FlowStep", step()),
        ("FlowAnswer", answer()),
        ("FlowForm", form()),
    ])
}

fn begin() -> Operation {
    let about = "Answers the first step, or the one that a place was kept of. Nothing is stored. HTML for browsers, which works without script.";
    let place = json!({ "name": "place", "in": "query",
        "description": "A place that was kept: from a step's `save` or `back`, never made.",
        "schema": { "type": "string", "maxLength": 8000 } });
    let step = json!({
        "description": "The step that is to be answered.",
        "headers": fields_of(GUARDED),
        "content": {
            "application/json": { "schema": component("schemas", "FlowStep") },
            "text/html": { "schema": { "type": "string" } },
        },
    });
    Operation::new("readFlow", TAG, "Begin a flow, or go on from a place")
        .describe(about)
        .takes_own(vec![place])
        .answers(200, step)
        .answers_as(308, "moved")
        .refuses(&[409])
}

fn go_on() -> Operation {
    let about = "Answers a step: with the next one, or, after the last, with the outcome of the flow's transaction, which is carried out once however often it is sent. Which steps there are depends on what was answered. Where a member of a step's `schema` has `file`, a draft is put into the collection that it names, and its `href` is answered. Browsers send forms, with files as multipart/form-data whose first field is `state`, and are answered with pages, and after each form with a link.";
    let next = component("schemas", "FlowStep");
    let outcome = component("schemas", "Outcome");
    let either = json!({ "anyOf": [next, outcome] });
    let form = json!({ "schema": component("schemas", "FlowForm") });
    let content = json!({
        "application/json": { "schema": component("schemas", "FlowAnswer") },
        "application/x-www-form-urlencoded": form,
        "multipart/form-data": form,
    });
    let again = json_response(
        "The next step; or it was completed before: its outcome.",
        &either,
        GUARDED,
    );
    let completed = json_response(
        "Completed.",
        &outcome,
        &["Location", "Cache-Control", "Vary"],
    );
    let led_on = empty(
        "A form was taken: where the next page is, or what became of the flow.",
        &["Location", "Cache-Control", "Vary"],
    );
    let operation = Operation::new("answerFlow", TAG, "Answer a step of a flow")
        .describe(about)
        .body(&content)
        .answers(200, for_people(again))
        .answers(201, completed)
        .answers(303, led_on)
        .answers_as(308, "moved")
        .refuses(&[415]);
    let told = [400, 401, 403, 404, 408, 409, 412, 413, 422, 500, 503];
    told.into_iter().fold(operation, |operation, status| {
        operation.answers(status, for_people(of_status(status)))
    })
}

/// A response that is a page where a form was sent.
fn for_people(mut response: Value) -> Value {
    let content = response.get_mut("content").and_then(Value::as_object_mut);
    if let Some(content) = content {
        let page = json!({ "schema": { "type": "string" } });
        content.insert("text/html".to_owned(), page);
    }
    response
}

/// The same for both kinds of forms: a file is a field that has a filename.
fn form() -> Value {
    json!({
        "type": "object",
        "description": "A form, as the flow's pages have it.",
        "required": ["state"],
        "properties": {
            "state": { "type": "string", "description": "The state of the step that is answered, as it was given. In multipart/form-data the first field." },
            "go": { "type": "string", "enum": ["next", "back"], "default": "next", "description": "To the next step, or to the one before." },
        },
        "additionalProperties": {
            "type": "string",
            "description": "`input.{name}`: an answer; where the step's `schema` has `file`, a file, which only multipart/form-data takes, with a filename. `remove.{name}`: to be without the file that was chosen before.",
        },
    })
}

fn answer() -> Value {
    json!({
        "type": "object",
        "required": ["state"],
        "additionalProperties": false,
        "properties": {
            "state": { "type": "string", "description": "The state of the step that is answered, as it was given." },
            "input": { "type": "object", "description": "What is answered, by the step's `schema`." },
        },
    })
}

fn step() -> Value {
    let link = |about: &str| json!({ "type": ["string", "null"], "description": about });
    json!({
        "type": "object",
        "description": "A step of a flow, with all that is needed to go on from it.",
        "required": ["flow", "step", "title", "schema", "answers", "state", "progress", "submit"],
        "properties": {
            "flow": { "type": "string", "description": "The flow's name." },
            "step": { "type": "string", "description": "The step's id." },
            "title": { "type": "string" },
            "help": { "type": ["string", "null"] },
            "schema": { "type": "object", "description": "JSON Schema of what is to be answered." },
            "answers": { "type": "object", "description": "What was answered so far, by step." },
            "issues": { "type": "array", "items": component("schemas", "Issue"), "description": "Files that were answered before and are no longer there, or not what is asked for any more: they are to be answered again." },
            "shown": { "type": "object", "description": "Resources as they are shown, by name: `href`, `etag`, `value`." },
            "state": { "type": "string", "description": "Opaque: to be sent with the answer. All that there is of this walk." },
            "progress": {
                "type": "object",
                "required": ["at", "of"],
                "properties": {
                    "at": { "type": "integer", "minimum": 1 },
                    "of": { "type": "integer", "minimum": 1, "description": "How many steps there are, as far as the answers tell: conditions add steps, and take them away." },
                },
            },
            "submit": { "type": "string", "description": "Where the answer is sent." },
            "back": link("The step before."),
            "save": link("This place, for later or for another device."),
        },
    })
}
