//! `/.well-known/api-catalog` (RFC 9727): a linkset (RFC 9264) of what this host offers.

use http::{HeaderValue, request::Parts};
use serde_json::json;

use super::document::{AN_HOUR, Document, JSON, negotiate};
use crate::{refusal::Answer, service::Shared};

const LINKSET: &str = "application/linkset+json";
const LINKSET_PROFILED: HeaderValue = HeaderValue::from_static(
    "application/linkset+json; profile=\"https://www.rfc-editor.org/info/rfc9727\"",
);
const LINK: HeaderValue =
    HeaderValue::from_static("</.well-known/api-catalog>; rel=\"api-catalog\"");

/// Answers GET and HEAD.
pub(super) fn answer(shared: &Shared, request: &Parts) -> Answer {
    let chosen = negotiate(&request.headers, &[LINKSET, "application/json"])?;
    let is_linkset = chosen.essence() == LINKSET;
    let base = &shared.base;
    let catalog = json!({ "linkset": [
        {
            "anchor": "/.well-known/api-catalog",
            "item": [{ "href": format!("{base}/"), "title": shared.api.title }],
        },
        {
            "anchor": format!("{base}/"),
            "service-desc": [{
                "href": format!("{base}/openapi.json"),
                "type": "application/json",
                "title": "OpenAPI 3.1",
            }],
            "service-doc": [{ "href": format!("{base}/-/problems"), "type": "text/html" }],
            "status": [{ "href": format!("{base}/health"), "type": "application/json" }],
        },
    ] });
    let document = Document {
        media_type: if is_linkset { LINKSET_PROFILED } else { JSON },
        freshness: AN_HOUR,
        links: Some(LINK),
        is_negotiated: true,
    };
    document.answer(request, catalog.to_string())
}
