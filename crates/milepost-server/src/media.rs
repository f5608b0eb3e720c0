//! Media types and content codings: what is taken, what is sent, and whether a client accepts that.

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{ACCEPT, CONTENT_TYPE},
};
use milepost_semantics::{
    Coding, EntityTag, MediaType, ProblemType,
    negotiation::{Accept, AcceptEncoding},
    patch::{JSON_PATCH_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE},
    wire::PatchFormat,
};

use crate::{conditional::malformed_fields, refusal::Refusal};

/// `Accept-Patch` (RFC 5789 §3.1).
pub(crate) const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");
/// `Accept-Post` (Linked Data Platform 1.0 §7.1).
pub(crate) const ACCEPT_POST: HeaderName = HeaderName::from_static("accept-post");
/// `Accept-Query` (RFC 10008).
pub(crate) const ACCEPT_QUERY: HeaderName = HeaderName::from_static("accept-query");

const JSON: &str = "application/json";

/// The media type of representations.
pub(crate) fn json() -> HeaderValue {
    HeaderValue::from_static(JSON)
}

/// The media types of patches.
pub(crate) fn patches() -> HeaderValue {
    HeaderValue::from_static("application/merge-patch+json, application/json-patch+json")
}

/// The media types of queries: a structured field, unlike its older siblings.
pub(crate) fn queries() -> HeaderValue {
    HeaderValue::from_static("\"application/json\"")
}

/// 415 unless the content is JSON in UTF-8.
pub(crate) fn require_json_content(headers: &HeaderMap) -> Result<(), Refusal> {
    if is_json(headers) {
        Ok(())
    } else {
        Err(unsupported(JSON))
    }
}

/// The same, for POST.
pub(crate) fn require_json_posted(headers: &HeaderMap) -> Result<(), Refusal> {
    require_json_content(headers).map_err(|refusal| refusal.with(ACCEPT_POST, json()))
}

/// The same, for QUERY.
pub(crate) fn require_query_content(headers: &HeaderMap) -> Result<(), Refusal> {
    require_json_content(headers).map_err(|refusal| refusal.with(ACCEPT_QUERY, queries()))
}

/// Which kind of patch the content is, or 415.
pub(crate) fn require_patch_content(headers: &HeaderMap) -> Result<PatchFormat, Refusal> {
    let media = content_type(headers);
    media
        .and_then(|media| PatchFormat::from_media_type(media.essence()))
        .ok_or_else(|| {
            let either = format!("{MERGE_PATCH_MEDIA_TYPE} or {JSON_PATCH_MEDIA_TYPE}");
            unsupported(&either).with(ACCEPT_PATCH, patches())
        })
}

/// 406 unless the client accepts JSON.
pub(crate) fn require_json_accepted(headers: &HeaderMap) -> Result<(), Refusal> {
    let mut lines = headers.get_all(ACCEPT).iter();
    let is_plain = match (lines.next(), lines.next()) {
        (None, _) => true,
        (Some(only), None) => matches!(only.as_bytes(), b"*/*" | b"application/json"),
        _ => false,
    };
    if is_plain {
        return Ok(());
    }
    let accept =
        Accept::from_headers(headers).map_err(|malformed| malformed_fields(&[malformed]))?;
    let is_accepted = JSON
        .parse()
        .is_ok_and(|json: MediaType| accept.quality(&json).is_acceptable());
    if is_accepted {
        Ok(())
    } else {
        Err(Refusal::new(
            ProblemType::NotAcceptable,
            format!("this is there as {JSON} only"),
        ))
    }
}

/// Whether a client could be sent this coding now.
pub(crate) fn accepts_coding(headers: &HeaderMap, coding: Coding) -> bool {
    AcceptEncoding::from_headers(headers)
        .is_ok_and(|accepted| accepted.quality(coding).is_acceptable())
}

/// The coding of the variant that a tag of this service is of; `None` where it names none.
pub(crate) fn variant_of(tag: &EntityTag) -> Option<Coding> {
    let text = std::str::from_utf8(tag.opaque()).ok()?;
    let (_, coding) = text.split_once('+')?;
    Coding::from_token(coding)
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    if let (Some(only), None) = (lines.next(), lines.next())
        && only == JSON
    {
        return true;
    }
    content_type(headers).is_some_and(|media| media.essence() == JSON)
}

/// The content's media type; `None` where it isn't told, told twice, malformed, or in a charset other
/// than UTF-8, which JSON doesn't have.
fn content_type(headers: &HeaderMap) -> Option<MediaType> {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let only = lines.next().filter(|_| lines.next().is_none())?;
    let media: MediaType = only.to_str().ok()?.parse().ok()?;
    media.is_utf8().then_some(media)
}

fn unsupported(expected: &str) -> Refusal {
    Refusal::new(
        ProblemType::UnsupportedMediaType,
        format!("the content must be {expected}, and Content-Type say so"),
    )
}
