//! Reading a resource: the hottest way through the service.

use bytes::Bytes;
use http::{HeaderValue, request::Parts};
use milepost_store::{ResourceKey, Version};

use crate::{
    conditional::held,
    failure,
    governed::Governed,
    media,
    refusal::{Answer, Refusal},
    rules,
    service::Shared,
};

/// Answers GET and HEAD.
pub(crate) async fn read(shared: &Shared, request: &Parts, key: ResourceKey) -> Answer {
    let version = shared.store.read(&key, None).await;
    // What is declared is looked at behind the read, so that rules are never older than what they judge.
    let governed = Governed::of(shared, &key.collection)?;
    let freshness = governed.freshness();
    media::require_json_accepted(&request.headers)?;
    let line = governed.admit(request)?;
    let version = live(version.map_err(|error| failure::of_read(shared, error))?);
    let found = if line.is_whole() {
        version
    } else {
        let found = Box::pin(rules::found(shared, &line, &key, version)).await;
        found.map_err(|error| failure::of_read(shared, error))?
    };
    let Some((version, body)) = found else {
        return Err(Refusal::not_found("there is no resource at this URL"));
    };
    if let Some(etag) = held(&request.headers, version.position, Some(version.modified))? {
        return Ok(shared.outline.not_modified(etag, freshness));
    }
    let history = history_link(request.uri.path());
    Ok(shared.outline.represent(&version, body, freshness, history))
}

/// A version that is not a tombstone, and its body.
fn live(version: Option<Version>) -> Option<(Version, Bytes)> {
    let mut version = version?;
    let body = version.body.take()?;
    Some((version, body))
}

/// RFC 5829 §3.1. `path` is canonical: other paths were redirected.
fn history_link(path: &str) -> Option<HeaderValue> {
    const END: &str = "/versions>; rel=\"version-history\"";
    let mut link = Vec::with_capacity(path.len() + END.len() + 1);
    link.push(b'<');
    link.extend_from_slice(path.as_bytes());
    link.extend_from_slice(END.as_bytes());
    HeaderValue::try_from(link).ok()
}
