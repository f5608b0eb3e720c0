//! A request's body: how much is read, for how long, and in which form.
//!
//! A body that says it is too long is refused before a byte of it is read; one that doesn't say is
//! counted. The bytes are copied out of the connection's buffer, which would otherwise stay alive as
//! long as they do.

use std::pin::Pin;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING},
    request::Parts,
};
use http_body::Body;
use http_body_util::BodyExt;
use milepost_semantics::ProblemType;

use crate::{refusal::Refusal, service::Shared};

/// The client went away, or sent something that is no body.
#[derive(Debug)]
pub(crate) struct Interrupted;

/// A request's body, not yet read.
pub(crate) type RequestBody<'b> = Pin<&'b mut (dyn Body<Data = Bytes, Error = Interrupted> + Send)>;

/// Reads a body of at most `bytes_max` bytes, within the configured time.
pub(crate) async fn read(
    shared: &Shared,
    request: &Parts,
    body: RequestBody<'_>,
    bytes_max: usize,
) -> Result<Bytes, Refusal> {
    refuse_coded(&request.headers)?;
    let told = body.size_hint().lower();
    if told > u64::try_from(bytes_max).unwrap_or(u64::MAX) {
        return Err(Refusal::body_too_large(bytes_max));
    }
    let told = usize::try_from(told).unwrap_or(bytes_max);
    let time_max = shared.limits.request_body_time_max();
    match tokio::time::timeout(time_max, collect(body, told, bytes_max)).await {
        Ok(collected) => collected,
        Err(_elapsed) => Err(Refusal::body_too_slow(time_max)),
    }
}

async fn collect(
    mut body: RequestBody<'_>,
    told: usize,
    bytes_max: usize,
) -> Result<Bytes, Refusal> {
    // What is told is not yet sent: only so much is believed at once.
    const BELIEVED_BYTES_MAX: usize = 1024 * 1024;
    let mut bytes = BytesMut::with_capacity(told.min(BELIEVED_BYTES_MAX));
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|Interrupted| Refusal::body_interrupted())?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        if data.len() > bytes_max.saturating_sub(bytes.len()) {
            return Err(Refusal::body_too_large(bytes_max));
        }
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.freeze())
}

/// RFC 7694 §3: a content coding that isn't understood is 415, with those that are.
pub(crate) fn refuse_coded(headers: &HeaderMap) -> Result<(), Refusal> {
    let coded = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !coded {
        return Ok(());
    }
    let detail = "a request's body is taken as it is, without a content coding";
    Err(Refusal::new(ProblemType::UnsupportedEncoding, detail)
        .with(ACCEPT_ENCODING, HeaderValue::from_static("identity")))
}
