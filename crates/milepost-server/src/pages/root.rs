//! `/`: the service document, from which everything else is reached by links.

use http::{HeaderValue, request::Parts};
use milepost_store::{CollectionPath, Definition};
use serde_json::{Map, Value, json};

use super::document::Document;
use crate::{edge::API_VERSION_TEXT, href, media, refusal::Answer, service::Shared};

/// Answers GET and HEAD.
pub(super) fn answer(shared: &Shared, request: &Parts) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let document = Document {
        links: links(&shared.base),
        ..Document::json()
    };
    document.answer(request, render(shared).to_string())
}

/// RFC 8631 and RFC 9727.
fn links(base: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!(
        "<{base}/openapi.json>; rel=\"service-desc\"; type=\"application/json\", \
         <{base}/-/problems>; rel=\"service-doc\"; type=\"text/html\", \
         <{base}/health>; rel=\"status\", \
         </.well-known/api-catalog>; rel=\"api-catalog\""
    ))
    .ok()
}

fn render(shared: &Shared) -> Value {
    let base = &shared.base;
    let definitions = shared.store.definitions();
    let collections: Vec<_> = definitions
        .iter()
        .map(|(path, defined)| collection(base, path, &defined.definition))
        .collect();
    json!({
        "self": format!("{base}/"),
        "title": shared.api.title,
        "software": { "name": "milepost", "version": env!("CARGO_PKG_VERSION") },
        "versions": [{ "version": API_VERSION_TEXT, "href": format!("{base}/"), "status": "current" }],
        "conformance": "stateless",
        "collections": collections,
        "links": {
            "openapi": format!("{base}/openapi.json"),
            "apiCatalog": "/.well-known/api-catalog",
            "collections": href::definitions(base),
            "changes": format!("{base}/-/changes"),
            "transaction": format!("{base}/-/transactions/{{uuid}}"),
            "problems": format!("{base}/-/problems"),
            "health": format!("{base}/health"),
            "ready": format!("{base}/-/ready"),
            "metrics": format!("{base}/-/metrics"),
        },
        "limits": shared.limits,
    })
}

/// A collection: where it is, what it is called, and where it is defined.
fn collection(base: &str, path: &CollectionPath, definition: &Definition) -> Value {
    let mut members = Map::new();
    members.insert("name".to_owned(), path.as_str().into());
    if let Some(title) = &definition.title {
        members.insert("title".to_owned(), title.as_str().into());
    }
    // Across all parents; below one of them it stands where `-` does.
    members.insert("href".to_owned(), href::everywhere(base, path).into());
    let definition = format!("{}/{path}", href::definitions(base));
    members.insert("definition".to_owned(), definition.into());
    Value::Object(members)
}
