//! Creating a resource in a collection, under an id that the service chooses.

use http::request::Parts;
use milepost_semantics::{Preconditions, ResourceId, prefer::Preferences};
use milepost_store::{Change, Operation, ResourceKey};
use uuid::Uuid;

use crate::{
    failure,
    intake::{self, RequestBody},
    media,
    refusal::{Answer, Refusal},
    resource::{document, write},
    route::Address,
    service::Shared,
};

/// Answers POST.
pub(crate) async fn create(
    shared: &Shared,
    request: &Parts,
    address: &Address,
    body: RequestBody<'_>,
) -> Answer {
    media::require_json_posted(&request.headers)?;
    let preferences = Preferences::from_headers(&request.headers);
    let bytes = intake::read(shared, request, body, shared.limits.resource_bytes_max).await?;
    let document = document(shared, bytes).await?;
    let parent = address.parent().cloned().unwrap_or_default();
    let key = ResourceKey {
        collection: address.collection.clone(),
        parent,
        id: new_id(shared)?,
    };
    // The id is new: a resource that has it already must not be overwritten.
    let preconditions = Preconditions::if_none_match_any();
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

/// A UUID of version 7 (RFC 9562 §5.7): new resources stand behind older ones.
fn new_id(shared: &Shared) -> Result<ResourceId, Refusal> {
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(|error| failure::internal_text(&error.to_string()))?;
    let id = uuid::Builder::from_unix_timestamp_millis(shared.clock.now().0, &random).into_uuid();
    text_of(id)
        .parse()
        .map_err(|error| failure::internal_text(&format!("{error}")))
}

fn text_of(id: Uuid) -> String {
    id.hyphenated().to_string()
}
