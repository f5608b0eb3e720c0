//! The fields that stand on every response, made once.
//!
//! Not among them, ever: `Set-Cookie`.

use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The field that names the full version of the API (Dutch API Design Rules).
pub const API_VERSION: HeaderName = HeaderName::from_static("api-version");

/// What a browser may do with a response that is data: nothing.
const DATA_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// One year, as browsers' preload lists ask for at least.
const TRANSPORT_SECURITY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// The fields of every response.
#[derive(Clone, Debug)]
pub struct SecurityFields {
    api_version: HeaderValue,
}

impl SecurityFields {
    /// The fields of a service whose API has this full version, as `1.0.0`.
    #[must_use]
    pub const fn new(api_version: HeaderValue) -> Self {
        Self { api_version }
    }

    /// Puts them on a response; where it has a `Content-Security-Policy` of its own, that stays.
    /// A response that began with them has its `API-Version` already.
    pub fn apply(&self, fields: &mut HeaderMap, is_tls: bool) {
        if is_tls {
            fields.insert(header::STRICT_TRANSPORT_SECURITY, TRANSPORT_SECURITY);
        }
        if fields.contains_key(API_VERSION) {
            return;
        }
        fields.reserve(6);
        fields.insert(API_VERSION, self.api_version.clone());
        fields.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        fields.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        fields.insert(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        );
        fields
            .entry(header::CONTENT_SECURITY_POLICY)
            .or_insert(DATA_POLICY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(mut fields: HeaderMap, is_tls: bool) -> HeaderMap {
        SecurityFields::new(HeaderValue::from_static("1.2.3")).apply(&mut fields, is_tls);
        fields
    }

    #[test]
    fn every_response_says_that_it_is_data_and_what_version_made_it() {
        let fields = applied(HeaderMap::new(), false);
        assert_eq!(fields["api-version"], "1.2.3");
        assert_eq!(fields["x-content-type-options"], "nosniff");
        assert_eq!(fields["x-frame-options"], "DENY");
        assert_eq!(fields["referrer-policy"], "no-referrer");
        assert_eq!(fields["content-security-policy"], DATA_POLICY);
        assert!(!fields.contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn strict_transport_security_is_said_over_tls_only() {
        assert!(applied(HeaderMap::new(), true).contains_key(header::STRICT_TRANSPORT_SECURITY));
    }

    #[test]
    fn a_page_keeps_its_own_policy() {
        let own = HeaderMap::from_iter([(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'self'".parse().unwrap(),
        )]);
        assert_eq!(
            applied(own, false)[header::CONTENT_SECURITY_POLICY],
            "default-src 'self'"
        );
    }
}
