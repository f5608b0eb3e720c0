//! What is remembered of a collection's changes: `…/changes`.
//!
//! The changes themselves, `…/changes/{position}`, are not answered yet.

use http::{Response, request::Parts};
use milepost_store::Definition;
use serde_json::{Value, json};

use crate::{
    body::Body,
    conditional::held,
    failure,
    governed::{Governed, not_defined},
    href, media,
    refusal::{Answer, Refusal},
    representation::{FIELDS_EXPECTED, describe, entity_tag, is_json},
    route::Address,
    service::Shared,
};

/// Answers GET and HEAD.
pub(crate) async fn changes(
    shared: &Shared,
    request: &Parts,
    address: &Address,
    after: Option<&str>,
) -> Answer {
    let governed = Governed::of(shared, &address.collection)?;
    if after.is_some() {
        return Err(Refusal::not_found(
            "this version of the service does not tell changes yet; read the collection again",
        ));
    }
    media::require_json_accepted(&request.headers)?;
    let state = shared
        .store
        .collection(&address.collection)
        .await
        .map_err(|error| failure::of_read(shared, error))?;
    let Some(state) = state else {
        return Err(not_defined(shared, &address.collection));
    };
    if let Some(etag) = held(&request.headers, state.head, None)? {
        return Ok(shared.outline.not_modified(etag, governed.freshness()));
    }
    let url = href::address(&shared.base, address);
    let document = json!({
        "self": format!("{url}/changes"),
        "head": state.head.to_string(),
        "oldest": state.oldest_change.to_string(),
        "oldestSnapshot": state.oldest_snapshot.to_string(),
        "retention": retention(&state.definition),
        "resume": format!("{url}/changes/{}", state.head),
    });
    let mut response = Response::new(Body::from(document.to_string().into_bytes()));
    let headers = response.headers_mut();
    headers.reserve(FIELDS_EXPECTED);
    is_json(headers);
    describe(headers, entity_tag(state.head), governed.freshness());
    Ok(response)
}

/// The retention as the definition's representation says it.
fn retention(definition: &Definition) -> Value {
    let representation: Option<Value> = serde_json::from_slice(&definition.representation).ok();
    representation
        .and_then(|mut document| Some(document.get_mut("retention")?.take()))
        .unwrap_or_default()
}
