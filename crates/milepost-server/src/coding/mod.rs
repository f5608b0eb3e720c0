//! Content codings (RFC 9110 §8.4): responses that are sent compressed, and say so.
//!
//! Which representation a client is sent is chosen here, after everything else about the response is
//! known. A coded representation is another one: its strong entity tag gets the coding's name as a
//! suffix, and `Vary` names what the choice depended on. A client that revalidates gets its 304
//! earlier, for the variant that it holds.
//!
//! Costs one look at the request where it has no `Accept-Encoding`.

mod encode;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY,
    },
};
use milepost_semantics::{Coding, negotiation::AcceptEncoding};

use self::encode::encode;
use crate::body::Body;

/// Bodies shorter than this, in bytes, are sent as they are: they fit in one packet anyhow.
const BYTES_MIN: usize = 1024;
/// Bodies longer than this, in bytes, are coded on a thread that may be busy for a while.
const BYTES_INLINE_MAX: usize = 128 * 1024;
/// What is offered, what the server likes most first.
const OFFERED: [Coding; 4] = [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Identity];

/// Codes a response's body as the request would like, and describes what it did.
pub(crate) async fn apply(request: &HeaderMap, mut response: Response<Body>) -> Response<Body> {
    if !can_be_coded(&response) {
        return response;
    }
    vary(response.headers_mut());
    let Some(coding) = select(request) else {
        return response;
    };
    let Some(plain) = response.body().as_full().cloned() else {
        return response;
    };
    let Some(coded) = encode_anywhere(coding, plain).await else {
        return response;
    };
    describe(response.headers_mut(), coding);
    *response.body_mut() = Body::from(coded);
    response
}

/// The coding that the request wants most; `None` for the plain bytes. What can't be understood, or
/// met, asks for nothing.
fn select(request: &HeaderMap) -> Option<Coding> {
    if !request.contains_key(ACCEPT_ENCODING) {
        return None;
    }
    let accepted = AcceptEncoding::from_headers(request).ok()?;
    accepted
        .choose(&OFFERED)
        .filter(|coding| *coding != Coding::Identity)
}

fn can_be_coded(response: &Response<Body>) -> bool {
    let fields = response.headers();
    let is_long = response
        .body()
        .as_full()
        .is_some_and(|bytes| bytes.len() >= BYTES_MIN);
    is_long
        && response.status() != StatusCode::PARTIAL_CONTENT
        && !fields.contains_key(CONTENT_ENCODING)
        && fields.get(CONTENT_TYPE).is_some_and(is_compressible)
        && !forbids_transformation(fields)
}

/// JSON and text, by whatever name.
fn is_compressible(content_type: &HeaderValue) -> bool {
    let Ok(text) = content_type.to_str() else {
        return false;
    };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence == "application/json" || essence.ends_with("+json") || essence.starts_with("text/")
}

/// RFC 9111 §5.2.2.6.
fn forbids_transformation(fields: &HeaderMap) -> bool {
    let mut values = fields
        .get_all(CACHE_CONTROL)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.any(|value| {
        value
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case("no-transform"))
    })
}

/// Codes here where that is quick, elsewhere where it isn't; `None` where it failed.
async fn encode_anywhere(coding: Coding, plain: Bytes) -> Option<Vec<u8>> {
    if plain.len() <= BYTES_INLINE_MAX {
        return encode(coding, &plain).ok();
    }
    tokio::task::spawn_blocking(move || encode(coding, &plain))
        .await
        .ok()?
        .ok()
}

fn describe(fields: &mut HeaderMap, coding: Coding) {
    fields.remove(CONTENT_LENGTH);
    fields.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.token()));
    if let Some(tag) = fields
        .get(ETAG)
        .and_then(|plain| variant_tag(plain, coding))
    {
        fields.insert(ETAG, tag);
    }
}

/// A strong tag with the coding's suffix; `None` for a weak one, which says nothing about bytes.
fn variant_tag(plain: &HeaderValue, coding: Coding) -> Option<HeaderValue> {
    let opaque = plain.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let tag = [b"\"", opaque, b"+", coding.token().as_bytes(), b"\""].concat();
    HeaderValue::try_from(tag).ok()
}

/// Adds `Accept-Encoding` to `Vary`, unless it is there.
fn vary(fields: &mut HeaderMap) {
    let mut values = fields
        .get_all(VARY)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let is_there = values.any(|value| {
        value
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case(ACCEPT_ENCODING.as_str()))
    });
    if !is_there {
        fields.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

#[cfg(test)]
mod tests;
