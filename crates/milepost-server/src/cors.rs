//! Cross-origin requests (the Fetch standard, "CORS protocol").
//!
//! Credentials that a browser would add by itself are never allowed: the service reads none. Where
//! every origin may read, the fields don't depend on the request and stand on every response, so
//! that a cache can give one copy to all (Fetch, "CORS protocol and HTTP caches").

use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header, request};

/// Which origins' pages may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origins {
    /// All.
    #[default]
    Any,
    /// None.
    None,
    /// These, each as a browser writes it in `Origin`: `https://app.example`.
    These(Vec<HeaderValue>),
}

/// What the service tells browsers about cross-origin requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Origins,
}

const EXPOSED: HeaderValue = HeaderValue::from_static(
    "ETag, Link, Location, Retry-After, Preference-Applied, Allow, Accept-Patch, Accept-Post, \
     Accept-Query, API-Version, Content-Location, Repr-Digest, Server-Timing, WWW-Authenticate",
);
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, QUERY");
const REQUEST_FIELDS: HeaderValue = HeaderValue::from_static(
    "Accept, Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, \
     If-Modified-Since, If-Unmodified-Since, If-Range, Last-Event-ID, Prefer, Range, \
     Want-Repr-Digest, traceparent, tracestate",
);
/// How long a browser may remember a preflight's answer, in seconds: what Chromium allows at most.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");
const ANY: HeaderValue = HeaderValue::from_static("*");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
);

/// The origin that a request's page has, kept until its response is made.
#[derive(Clone, Debug, Default)]
pub struct Origin(Option<HeaderValue>);

impl Cors {
    /// Lets these origins read.
    #[must_use]
    pub const fn new(origins: Origins) -> Self {
        Self { origins }
    }

    /// What has to be remembered of a request.
    #[must_use]
    pub fn origin(&self, request: &HeaderMap) -> Origin {
        match self.origins {
            Origins::These(_) => Origin(request.get(header::ORIGIN).cloned()),
            Origins::Any | Origins::None => Origin(None),
        }
    }

    /// The answer to a preflight; `None` where the request isn't one.
    #[must_use]
    pub fn preflight<B: Default>(&self, request: &request::Parts) -> Option<Response<B>> {
        let is_preflight = request.method == Method::OPTIONS
            && request.headers.contains_key(header::ORIGIN)
            && request
                .headers
                .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight || self.origins == Origins::None {
            return None;
        }
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let fields = response.headers_mut();
        self.allow(&self.origin(&request.headers), fields);
        fields.insert(header::VARY, VARY_PREFLIGHT);
        fields.insert(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        fields.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_FIELDS);
        fields.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        Some(response)
    }

    /// Whether the fields depend on nothing, so that a response can begin with them.
    #[must_use]
    pub fn is_same_for_all(&self) -> bool {
        !matches!(self.origins, Origins::These(_))
    }

    /// Puts the fields on a response to a request that isn't a preflight.
    pub fn apply(&self, origin: &Origin, fields: &mut HeaderMap) {
        if self.origins == Origins::None {
            return;
        }
        if matches!(self.origins, Origins::These(_)) {
            fields.append(header::VARY, VARY_ORIGIN);
        }
        if self.allow(origin, fields) {
            fields.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// Says whether the origin may read; true where it may.
    fn allow(&self, origin: &Origin, fields: &mut HeaderMap) -> bool {
        let allowed = match (&self.origins, &origin.0) {
            (Origins::Any, _) => ANY,
            (Origins::These(these), Some(origin)) if these.contains(origin) => origin.clone(),
            (Origins::These(_) | Origins::None, _) => return false,
        };
        fields.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        true
    }
}

/// Fields that must never stand beside `Access-Control-Allow-Origin: *`, for tests to look for.
#[cfg(test)]
const CREDENTIALS: http::HeaderName = header::ACCESS_CONTROL_ALLOW_CREDENTIALS;

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn parts(method: &str, fields: &[(&str, &str)]) -> request::Parts {
        let mut request = Request::builder().method(method).uri("/v1/a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    fn applied(cors: &Cors, fields: &[(&str, &str)]) -> HeaderMap {
        let mut answer = HeaderMap::new();
        cors.apply(&cors.origin(&parts("GET", fields).headers), &mut answer);
        answer
    }

    const PREFLIGHT: [(&str, &str); 2] = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "QUERY"),
    ];

    #[test]
    fn one_copy_in_a_cache_serves_every_origin() {
        let cors = Cors::default();
        let without = applied(&cors, &[]);
        assert_eq!(without, applied(&cors, &[("origin", "https://a.example")]));
        assert_eq!(without[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert!(!without.contains_key(header::VARY));
    }

    #[test]
    fn pages_can_read_the_fields_that_a_client_needs() {
        let fields = applied(&Cors::default(), &[("origin", "https://a.example")]);
        let exposed = fields[header::ACCESS_CONTROL_EXPOSE_HEADERS]
            .to_str()
            .unwrap();
        for name in [
            "ETag",
            "Link",
            "Location",
            "Retry-After",
            "Preference-Applied",
        ] {
            assert!(exposed.split(", ").any(|it| it == name), "{name}");
        }
    }

    #[test]
    fn a_preflight_allows_every_method_that_the_service_knows() {
        let response = Cors::default()
            .preflight::<()>(&parts("OPTIONS", &PREFLIGHT))
            .unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        let methods = response.headers()[header::ACCESS_CONTROL_ALLOW_METHODS]
            .to_str()
            .unwrap();
        for method in ["GET", "PUT", "PATCH", "DELETE", "POST", "QUERY"] {
            assert!(methods.contains(method), "{method}");
        }
        assert!(
            response
                .headers()
                .contains_key(header::ACCESS_CONTROL_MAX_AGE)
        );
        assert!(!response.headers().contains_key(CREDENTIALS));
    }

    #[test]
    fn options_without_the_fields_of_a_preflight_is_none() {
        let cors = Cors::default();
        assert!(
            cors.preflight::<()>(&parts("OPTIONS", &PREFLIGHT[..1]))
                .is_none()
        );
        assert!(
            cors.preflight::<()>(&parts("OPTIONS", &PREFLIGHT[1..]))
                .is_none()
        );
        assert!(cors.preflight::<()>(&parts("GET", &PREFLIGHT)).is_none());
    }

    #[test]
    fn a_named_origin_alone_may_read_and_caches_are_told() {
        let cors = Cors::new(Origins::These(vec![HeaderValue::from_static(
            "https://a.example",
        )]));
        let allowed = applied(&cors, &[("origin", "https://a.example")]);
        assert_eq!(
            allowed[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://a.example"
        );
        assert_eq!(allowed[header::VARY], "Origin");
        for fields in [
            &[("origin", "https://b.example")][..],
            &[("origin", "null")],
            &[],
        ] {
            let refused = applied(&cors, fields);
            assert!(
                !refused.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN),
                "{fields:?}"
            );
            assert_eq!(refused[header::VARY], "Origin");
        }
        let preflight = cors.preflight::<()>(&parts("OPTIONS", &PREFLIGHT)).unwrap();
        assert_eq!(
            preflight.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN],
            "https://a.example"
        );
    }

    #[test]
    fn credentials_that_browsers_add_by_themselves_are_never_allowed() {
        for origins in [
            Origins::Any,
            Origins::These(vec![HeaderValue::from_static("https://a.example")]),
        ] {
            let fields = applied(&Cors::new(origins), &[("origin", "https://a.example")]);
            assert!(!fields.contains_key(CREDENTIALS));
        }
    }
}
