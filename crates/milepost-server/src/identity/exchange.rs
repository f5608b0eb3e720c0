//! What identity adds to answers on their way out: where the metadata is, and who may keep the answer.
//!
//! RFC 9111 §3.5 lets a shared cache keep an answer to a request with `Authorization` only where the answer says `public`;
//! so none to a known subject does. An answer that isn't for everybody differs by `Authorization`, and says so.

use http::{
    HeaderMap, HeaderValue,
    header::{AUTHORIZATION, CACHE_CONTROL, HOST, VARY, WWW_AUTHENTICATE},
    request::Parts,
};

use super::{linked::Linked, subject_of, trust::Identity};

const VARY_CREDENTIALS: HeaderValue = HeaderValue::from_static("Authorization");
const PRIVATE: HeaderValue = HeaderValue::from_static("private, no-store");
const PUBLIC: &str = "public";
/// The beginning of the path that the metadata stands at (RFC 9728 §3).
pub(crate) const METADATA_PATH: &str = "/.well-known/oauth-protected-resource";

/// Finishes the fields of an answer.
pub(crate) fn finish(identity: &Identity, base: &str, request: &Parts, fields: &mut HeaderMap) {
    let was_known =
        !subject_of(request).is_anonymous() || request.headers.contains_key(AUTHORIZATION);
    let is_public = cache_control(fields).is_some_and(|text| text.contains(PUBLIC));
    if was_known && is_public {
        make_private(fields);
    }
    if request.extensions.get::<Linked>().is_some() {
        // RFC 6750 §2.3, and nobody keeps a copy of what such a URL showed.
        fields.insert(CACHE_CONTROL, PRIVATE);
    }
    if (was_known || !is_public) && !varies_by_credentials(fields) {
        fields.append(VARY, VARY_CREDENTIALS);
    }
    if let Some(challenge) = fields.get(WWW_AUTHENTICATE) {
        let url = metadata_url(&resource(identity, base, request), base);
        if let Some(whole) = completed(challenge, &url) {
            fields.insert(WWW_AUTHENTICATE, whole);
        }
    }
}

fn varies_by_credentials(fields: &HeaderMap) -> bool {
    let told = fields.get_all(VARY).iter();
    let names = told
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    names
        .map(str::trim)
        .any(|name| name.eq_ignore_ascii_case(AUTHORIZATION.as_str()))
}

fn cache_control(fields: &HeaderMap) -> Option<&str> {
    fields.get(CACHE_CONTROL)?.to_str().ok()
}

fn make_private(fields: &mut HeaderMap) {
    let private = cache_control(fields).map(|text| text.replacen(PUBLIC, "private", 1));
    let private = private.and_then(|text| HeaderValue::try_from(text).ok());
    let private = private.unwrap_or_else(|| HeaderValue::from_static("no-store"));
    fields.insert(CACHE_CONTROL, private);
}

/// The challenge with the URL of the metadata (RFC 9728 §5.1).
fn completed(challenge: &HeaderValue, url: &str) -> Option<HeaderValue> {
    let text = challenge.to_str().ok()?;
    let separator = if text == "Bearer" { " " } else { ", " };
    HeaderValue::try_from(format!("{text}{separator}resource_metadata=\"{url}\"")).ok()
}

/// The service's resource identifier: as configured, else by the name that the client calls it by. That name goes back to the
/// same client only, in answers that nobody keeps.
pub(super) fn resource(identity: &Identity, base: &str, request: &Parts) -> String {
    if let Some(configured) = identity.configured_resource() {
        return configured.to_owned();
    }
    let told = request
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let host = authority.or(told).unwrap_or("localhost");
    format!("{}://{host}{base}", scheme(request, host))
}

/// Names of this machine are taken to be called without TLS; others never are in earnest.
fn scheme<'r>(request: &'r Parts, host: &str) -> &'r str {
    let is_local = ["localhost", "127.", "[::1]"]
        .iter()
        .any(|local| host.starts_with(local));
    let guessed = if is_local { "http" } else { "https" };
    request.uri.scheme_str().unwrap_or(guessed)
}

/// Where a resource's metadata stand: behind the host, before the path (RFC 9728 §3.1).
fn metadata_url(resource: &str, base: &str) -> String {
    let site = resource.strip_suffix(base).unwrap_or(resource);
    format!("{site}{METADATA_PATH}{base}")
}
