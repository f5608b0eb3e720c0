//! Writing one resource: PUT, PATCH, DELETE.
//!
//! Nothing is compared here. The conditions go to the store, which judges them inside the
//! transaction that writes; this only says what was asked and what became of it.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CONTENT_LOCATION, CONTENT_RANGE, ETAG, LOCATION},
    request::Parts,
};
use milepost_semantics::{
    ProblemType,
    patch::JsonPatch,
    prefer::{Preferences, Return},
    wire::PatchFormat,
};
use milepost_store::{
    Applied, Change, CollectionPath, Effect, Operation, Outcome, ResourceKey, Transaction, Version,
};

use super::document::{document, parsed};
use crate::{
    body::Body,
    conditional, failure, flows, href,
    intake::{self, RequestBody},
    media,
    preference::{self, wants_representation},
    refusal::{Answer, Refusal},
    representation::{FIELDS_EXPECTED, entity_tag, is_json, was_modified},
    rules::guard_of,
    service::Shared,
};

/// What a client wants to hear of its write.
#[derive(Debug)]
struct Wish {
    /// What it prefers.
    preferences: Preferences,
    /// The representation it sent, where it sent one whole.
    sent: Option<Bytes>,
}

/// Answers PUT.
pub(crate) async fn put(
    shared: &Shared,
    request: &Parts,
    key: ResourceKey,
    body: RequestBody<'_>,
) -> Answer {
    let headers = &request.headers;
    if headers.contains_key(CONTENT_RANGE) {
        // RFC 9110 §14.5: a part must not be taken for the whole.
        return Err(Refusal::bad_field(
            &CONTENT_RANGE,
            "a PUT here is of a whole representation",
        ));
    }
    media::require_json_content(headers)?;
    let preconditions = conditional::of_write(headers)?;
    let preferences = Preferences::from_headers(headers);
    refuse_unreachable(&key)?;
    let bytes = intake::read(shared, request, body, shared.limits.resource_bytes_max).await?;
    let document = document(shared, bytes).await?;
    write(
        shared,
        request,
        Operation {
            key,
            preconditions,
            change: Change::Put(document),
        },
        preferences,
    )
    .await
}

/// Answers PATCH (RFC 5789).
pub(crate) async fn patch(
    shared: &Shared,
    request: &Parts,
    key: ResourceKey,
    body: RequestBody<'_>,
) -> Answer {
    let headers = &request.headers;
    let format = media::require_patch_content(headers)?;
    let preconditions = conditional::of_write(headers)?;
    let preferences = Preferences::from_headers(headers);
    let bytes = intake::read(shared, request, body, shared.limits.resource_bytes_max).await?;
    let value = parsed(shared, &bytes).await?;
    let change = match format {
        PatchFormat::MergePatch => Change::MergePatch(value),
        PatchFormat::JsonPatch => {
            Change::JsonPatch(JsonPatch::parse(&value).map_err(|error| failure::of_patch(&error))?)
        }
    };
    write(
        shared,
        request,
        Operation {
            key,
            preconditions,
            change,
        },
        preferences,
    )
    .await
}

/// Answers DELETE.
pub(crate) async fn delete(shared: &Shared, request: &Parts, key: ResourceKey) -> Answer {
    let preconditions = conditional::of_write(&request.headers)?;
    let preferences = Preferences::from_headers(&request.headers);
    write(
        shared,
        request,
        Operation {
            key,
            preconditions,
            change: Change::Delete,
        },
        preferences,
    )
    .await
}

/// Carries out one operation and tells what became of it.
pub(crate) async fn write(
    shared: &Shared,
    request: &Parts,
    operation: Operation,
    preferences: Preferences,
) -> Answer {
    let key = operation.key.clone();
    let faults = flows::faults((shared, request), std::slice::from_ref(&operation)).await?;
    if let Some((_, failure)) = faults.into_iter().next() {
        return Err(failure::of_operation(shared, &key, failure, false));
    }
    let sent = match &operation.change {
        Change::Put(document) => Some(document.bytes.clone()),
        _ => None,
    };
    let wish = &Wish { preferences, sent };
    let outcome = shared
        .store
        .write(Transaction::single(operation).guarded(guard_of(request)))
        .await
        .map_err(failure::of_write)?;
    match outcome {
        Outcome::Committed(committed) => match committed.applied.into_iter().next() {
            Some(applied) => Ok(written(shared, &applied, wish)),
            None => Err(failure::internal_text(
                "the store told nothing of an operation",
            )),
        },
        Outcome::Rejected(rejected) => match rejected.failures.into_iter().next() {
            Some((_, failure)) => {
                let show_current = wants_representation(&wish.preferences);
                Err(failure::of_request(
                    shared,
                    request,
                    &key,
                    failure,
                    show_current,
                ))
            }
            None => Err(failure::internal_text(
                "the store rejected an operation for no reason",
            )),
        },
        Outcome::Recorded(_) | Outcome::RecordMismatch => Err(failure::internal_text(
            "the store told of a record where none was asked for",
        )),
    }
}

/// The answer to a write that holds.
fn written(shared: &Shared, applied: &Applied, wish: &Wish) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().reserve(FIELDS_EXPECTED);
    if applied.effect == Effect::Created {
        *response.status_mut() = StatusCode::CREATED;
    }
    if applied.effect == Effect::Created
        && let Ok(location) = HeaderValue::try_from(href::resource(&shared.base, &applied.key))
    {
        response.headers_mut().insert(LOCATION, location);
    }
    if let Some(version) = applied
        .version
        .as_ref()
        .filter(|version| !version.is_deleted())
    {
        validators(response.headers_mut(), version, wish);
        representation(shared, &mut response, applied, version, wish);
    }
    if wish.preferences.returns == Some(Return::Minimal)
        && response.body().as_full().is_none_or(Bytes::is_empty)
    {
        preference::applied(response.headers_mut(), Return::Minimal);
    }
    response
}

/// RFC 9110 §9.3.4: no validator where the representation isn't what was sent.
fn validators(headers: &mut HeaderMap, version: &Version, wish: &Wish) {
    if wish.sent.is_none() || wish.sent == version.body {
        headers.insert(ETAG, entity_tag(version.position));
        was_modified(headers, version.modified);
    }
}

/// Adds the representation, where the client wants it or can't know it: a definition is completed
/// with what holds by default.
fn representation(
    shared: &Shared,
    response: &mut Response<Body>,
    applied: &Applied,
    version: &Version,
    wish: &Wish,
) {
    let is_wanted = wants_representation(&wish.preferences);
    if !is_wanted && applied.key.collection != CollectionPath::collections() {
        return;
    }
    let Some(body) = version.body.clone() else {
        return;
    };
    *response.body_mut() = Body::from(body);
    if response.status() == StatusCode::NO_CONTENT {
        *response.status_mut() = StatusCode::OK;
    }
    let headers = response.headers_mut();
    is_json(headers);
    if let Ok(location) = HeaderValue::try_from(href::resource(&shared.base, &applied.key)) {
        headers.insert(CONTENT_LOCATION, location);
    }
    if is_wanted {
        preference::applied(headers, Return::Representation);
    }
}

/// A child collection of this name could never be reached: `…/{id}/versions` is something else.
fn refuse_unreachable(key: &ResourceKey) -> Result<(), Refusal> {
    let is_definition = key.collection == CollectionPath::collections();
    if is_definition && key.id.as_str().ends_with(".versions") {
        let detail = "a child collection can't be named \"versions\": its URL is that of a resource's versions";
        return Err(Refusal::new(ProblemType::InvalidDefinition, detail));
    }
    Ok(())
}
