//! `/.well-known/oauth-protected-resource` (RFC 9728): which issuers' tokens the service takes.

use http::{HeaderValue, request::Parts};

use super::document::{AN_HOUR, Document};
use crate::{
    identity, media,
    refusal::{Answer, Refusal},
    service::Shared,
};

/// Answers GET and HEAD.
pub(super) fn answer(shared: &Shared, request: &Parts) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let Some(known) = &shared.identity else {
        let detail = "the service looks at nobody's credentials, so it has no metadata about them";
        return Err(Refusal::not_found(detail));
    };
    let metadata = identity::metadata(known, shared, request);
    let freshness = if metadata.is_for_all {
        AN_HOUR
    } else {
        HeaderValue::from_static("no-store")
    };
    let document = Document {
        freshness,
        ..Document::json()
    };
    document.answer(request, metadata.document.to_string())
}
