//! `Repr-Digest` where it is wanted (RFC 9530), of the bytes as they are sent: after content coding.

use http::{Method, Response, StatusCode, request::Parts};
use milepost_semantics::digest::{
    DigestAlgorithm, REPR_DIGEST, WANT_REPR_DIGEST, digest_value, wanted_digest,
};
use sha2::{Digest, Sha256, Sha512};

use crate::body::Body;

/// Adds the digest of a representation that was asked for, where the request wants one. A wish that
/// can't be understood is none.
pub(crate) fn on_request(request: &Parts, mut response: Response<Body>) -> Response<Body> {
    if !request.headers.contains_key(WANT_REPR_DIGEST) {
        return response;
    }
    let is_selected =
        matches!(request.method, Method::GET | Method::HEAD) && response.status() == StatusCode::OK;
    let wanted = wanted_digest(&request.headers)
        .ok()
        .flatten()
        .filter(|_| is_selected);
    if let (Some(algorithm), Some(bytes)) = (wanted, response.body().as_full())
        && let Some(value) = digest_value(algorithm, &hash(algorithm, bytes))
    {
        response.headers_mut().insert(REPR_DIGEST, value);
    }
    response
}

fn hash(algorithm: DigestAlgorithm, bytes: &[u8]) -> Vec<u8> {
    match algorithm {
        DigestAlgorithm::Sha256 => Sha256::digest(bytes).to_vec(),
        DigestAlgorithm::Sha512 => Sha512::digest(bytes).to_vec(),
    }
}
