//! From a request's bytes to a document that can be stored.

use bytes::Bytes;
use milepost_semantics::{
    ProblemType,
    json::{self, JsonErrorKind},
};
use milepost_store::Document;
use serde_json::Value;

use crate::{refusal::Refusal, service::Shared};

/// Reads strict JSON, and keeps its bytes.
pub(crate) fn document(shared: &Shared, bytes: Bytes) -> Result<Document, Refusal> {
    let value = parsed(shared, &bytes)?;
    Ok(Document { bytes, value })
}

/// Reads strict JSON.
pub(crate) fn parsed(shared: &Shared, bytes: &[u8]) -> Result<Value, Refusal> {
    let depth_max = shared.limits.depth_max;
    json::parse(bytes, json::Limits::with_depth(depth_max)).map_err(|error| match error.kind {
        JsonErrorKind::TooDeep => Refusal::new(
            ProblemType::ResourceTooLarge,
            format!("{error}: {depth_max} levels are allowed"),
        ),
        _ => Refusal::malformed_json(&error),
    })
}
