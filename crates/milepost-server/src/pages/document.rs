//! A document that the service makes of itself: validators, freshness, negotiation.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response,
    header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, LINK, VARY},
    request::Parts,
};
use milepost_semantics::{EntityTag, MediaType, ProblemType, negotiation::Accept};
use sha2::{Digest, Sha256};

use crate::{
    body::Body,
    conditional::{self, malformed_fields},
    refusal::{Answer, Refusal},
};

/// How a document is described.
#[derive(Debug)]
pub(crate) struct Document {
    /// Its media type.
    pub(crate) media_type: HeaderValue,
    /// Who may keep it, and for how long.
    pub(crate) freshness: HeaderValue,
    /// What it is linked to.
    pub(crate) links: Option<HeaderValue>,
    /// Whether there are others at the same URL, by `Accept`.
    pub(crate) is_negotiated: bool,
}

/// Asked for anew each time; an entity tag makes that cheap.
pub(crate) const REVALIDATE: HeaderValue = HeaderValue::from_static("no-cache");
/// The same until the service is updated.
pub(crate) const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");
pub(crate) const JSON: HeaderValue = HeaderValue::from_static("application/json");

impl Document {
    /// JSON that changes when the service does.
    pub(crate) const fn json() -> Self {
        Self {
            media_type: JSON,
            freshness: REVALIDATE,
            links: None,
            is_negotiated: false,
        }
    }

    /// Answers with these bytes, or says that the client has them.
    pub(crate) fn answer(self, request: &Parts, bytes: impl Into<Bytes>) -> Answer {
        let bytes = bytes.into();
        let tag = tag_of(&[&bytes]);
        self.answer_as(request, tag, || bytes)
    }

    /// The same, where the tag is known before the bytes are.
    pub(crate) fn answer_as(
        self,
        request: &Parts,
        tag: EntityTag,
        bytes: impl FnOnce() -> Bytes,
    ) -> Answer {
        let current = tag.to_header_value();
        let held = conditional::held_tag(&request.headers, tag, None)?;
        let is_held = held.is_some();
        let mut response = Response::new(Body::empty());
        let fields = response.headers_mut();
        fields.insert(ETAG, held.unwrap_or(current));
        fields.insert(CACHE_CONTROL, self.freshness);
        fields.append(VARY, HeaderValue::from_static("Accept-Encoding"));
        if self.is_negotiated {
            fields.append(VARY, HeaderValue::from_static("Accept"));
        }
        if let Some(links) = self.links {
            fields.insert(LINK, links);
        }
        if is_held {
            *response.status_mut() = http::StatusCode::NOT_MODIFIED;
        } else {
            fields.insert(CONTENT_TYPE, self.media_type);
            *response.body_mut() = Body::from(bytes());
        }
        Ok(response)
    }
}

/// A strong tag made of what the bytes depend on.
pub(crate) fn tag_of(parts: &[&[u8]]) -> EntityTag {
    let mut hash = Sha256::new();
    for part in parts {
        // Lengths keep ("ab", "c") and ("a", "bc") apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }
    let mut text = String::with_capacity(32);
    for byte in hash.finalize().iter().take(16) {
        text.push_str(&format!("{byte:02x}"));
    }
    EntityTag::strong(&text).expect("hexadecimal digits may stand in an entity tag")
}

/// The offered media type that the client wants most, or 406.
pub(crate) fn negotiate(fields: &HeaderMap, offered: &[&str]) -> Result<MediaType, Refusal> {
    let types: Vec<MediaType> = offered
        .iter()
        .filter_map(|offer| offer.parse().ok())
        .collect();
    let accept =
        Accept::from_headers(fields).map_err(|malformed| malformed_fields(&[malformed]))?;
    accept.choose(&types).cloned().ok_or_else(|| {
        let detail = format!("this is there as {} only", offered.join(" and "));
        Refusal::new(ProblemType::NotAcceptable, detail).with(VARY, HeaderValue::from_name(ACCEPT))
    })
}
