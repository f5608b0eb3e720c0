//! From a request's bytes to a document that can be stored.

use bytes::Bytes;
use milepost_semantics::{
    ProblemType,
    json::{self, JsonErrorKind},
};
use milepost_store::Document;
use serde_json::Value;

use crate::{aside, refusal::Refusal, service::Shared};

/// Reads strict JSON, and keeps its bytes.
pub(crate) async fn document(shared: &Shared, bytes: Bytes) -> Result<Document, Refusal> {
    let value = parsed(shared, &bytes).await?;
    Ok(Document { bytes, value })
}

/// Reads strict JSON.
pub(crate) async fn parsed(shared: &Shared, bytes: &Bytes) -> Result<Value, Refusal> {
    let depth_max = shared.limits.depth_max;
    aside::work(bytes, move |bytes| parse(bytes, depth_max)).await?
}

/// Reads strict JSON of at most so many levels, here and now.
pub(crate) fn parse(bytes: &[u8], depth_max: usize) -> Result<Value, Refusal> {
    let parsed = json::parse(bytes, json::Limits::with_depth(depth_max));
    parsed.map_err(|error| match error.kind {
        JsonErrorKind::TooDeep => Refusal::new(
            ProblemType::ResourceTooLarge,
            format!("{error}: {depth_max} levels are allowed"),
        ),
        _ => Refusal::malformed_json(&error),
    })
}
