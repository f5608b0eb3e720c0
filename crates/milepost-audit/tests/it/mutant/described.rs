//! The mutants' OpenAPI description: clean, with one admission for each flaw of descriptions.

use serde_json::{Value, json};

use super::Flaw;

/// The description.
pub(crate) fn document(flaw: Flaw) -> Value {
    let mut document = json!({
        "openapi": "3.1.0", "info": { "title": "mutant", "version": "1" },
        "paths": {
            "/books": { "get": { "responses": { "200": {
                "description": "a page", "headers": { "Cache-Control": {} } } } } },
            "/described": { "get": { "responses": { "200": {
                "description": "nothing links to it", "headers": { "Cache-Control": {} } } } } },
            "/notes/{id}": { "put": {
                "parameters": [{ "name": "id", "in": "path", "required": true }, { "name": "If-Match", "in": "header" }],
                "responses": { "204": { "description": "written" }, "412": { "description": "stale" } } } },
        },
    });
    let paths = &mut document["paths"];
    match flaw {
        // Words about a logout are no flaw where there is one.
        Flaw::None | Flaw::LogoutList => paths["/logout"] = written("ends a login"),
        Flaw::LoginDescribed => paths["/login"] = written("begins a session"),
        Flaw::CookieDescribed => {
            paths["/books"]["get"]["parameters"] = json!([{ "name": "sid", "in": "cookie" }]);
        }
        Flaw::SetCookieDescribed => {
            paths["/books"]["get"]["responses"]["200"]["headers"]["Set-Cookie"] = json!({});
        }
        Flaw::CallbackDescribed => {
            let mut hook = written("registers a receiver");
            hook["post"]["callbacks"] = json!({ "told": {} });
            paths["/hooks"] = hook;
        }
        Flaw::StreamDescribed => {
            paths["/books"]["get"]["responses"]["200"]["content"] =
                json!({ "text/event-stream": {} });
        }
        Flaw::ConditionUndescribed => {
            paths["/notes/{id}"]["put"] = json!({ "responses": { "204": { "description": "" } } });
        }
        Flaw::TagUndescribed => {
            paths["/notes/{id}"]["get"] = json!({ "responses": { "200": {
                "description": "a note", "headers": { "Cache-Control": {} } } } });
        }
        Flaw::DeletedCursor => {
            paths["/cursors/{id}"] = json!({ "delete": { "responses": {
                "204": { "description": "forgotten" }, "412": { "description": "stale" } } } });
        }
        Flaw::CachingUndescribed => {
            paths["/books"]["get"]["responses"]["200"]["headers"] = json!({});
        }
        _ => {}
    }
    document
}

fn written(what: &str) -> Value {
    json!({ "post": { "responses": { "204": { "description": what } } } })
}
