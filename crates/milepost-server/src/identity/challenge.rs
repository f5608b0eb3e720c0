//! What is said to who can't be believed, or may not do something, as RFC 6750 §3 has it.
//!
//! The URL of the metadata (RFC 9728 §5.1) is added on the way out, in one place: it depends on what the client calls the service.

use http::{HeaderValue, header::WWW_AUTHENTICATE, request::Parts};
use milepost_semantics::ProblemType;

use super::{fault::TokenFault, grant::GrantFault, presented::Unreadable, subject_of};
use crate::refusal::Refusal;

/// When to come again where an issuer's keys can't be had, in seconds.
const KEYS_RETRY_AFTER_S: u32 = 5;

/// The answer to a request that rules don't let its subject make: 401 where nobody is known, who could say who it is,
/// else 403.
pub(crate) fn not_permitted(request: &Parts, detail: &str) -> Refusal {
    if subject_of(request).is_anonymous() {
        let challenge = HeaderValue::from_static("Bearer");
        return Refusal::new(ProblemType::Unauthenticated, detail)
            .with(WWW_AUTHENTICATE, challenge);
    }
    insufficient(detail)
}

/// 403: credentials that are good, and not for this (RFC 6750 §3.1).
fn insufficient(detail: &str) -> Refusal {
    let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
    Refusal::new(ProblemType::NotPermitted, detail).with(WWW_AUTHENTICATE, challenge)
}

/// 401: a token that isn't believed, and why.
pub(super) fn invalid(fault: TokenFault) -> Refusal {
    let detail = fault.to_string();
    // The texts have neither quotes nor anything beyond ASCII.
    let challenge = format!("Bearer error=\"invalid_token\", error_description=\"{detail}\"");
    let challenge = HeaderValue::try_from(challenge)
        .unwrap_or_else(|_never| HeaderValue::from_static("Bearer error=\"invalid_token\""));
    Refusal::new(ProblemType::TokenInvalid, detail).with(WWW_AUTHENTICATE, challenge)
}

/// A grant that does not allow the request: 401 where it is not believed, 403 where it is for something else, 400 where it stands in
/// a URL that it is too good for.
pub(super) fn ungranted(fault: &GrantFault) -> Refusal {
    match fault {
        GrantFault::Unbelieved(fault) => invalid(*fault),
        GrantFault::Beyond { .. } | GrantFault::Narrowed { .. } => insufficient(&fault.to_string()),
        GrantFault::LongInUrl => malformed(fault.to_string()),
    }
}

/// 503: nothing is known to be wrong with the token, since its issuer's keys can't be had. No challenge: other credentials wouldn't help.
pub(super) fn keys_unavailable() -> Refusal {
    let detail = "the keys of the token's issuer can't be had now, so it isn't known whether the token is good";
    Refusal::new(ProblemType::IssuerUnavailable, detail).retry_after_s(KEYS_RETRY_AFTER_S)
}

/// 400: credentials that can't be read.
pub(super) fn unreadable(unreadable: &Unreadable) -> Refusal {
    malformed(unreadable.to_string())
}

fn malformed(detail: String) -> Refusal {
    let challenge = HeaderValue::from_static("Bearer error=\"invalid_request\"");
    Refusal::new(ProblemType::CredentialsMalformed, detail).with(WWW_AUTHENTICATE, challenge)
}

/// 401 without an error (RFC 6750 §3): credentials of a scheme that isn't taken.
pub(super) fn foreign() -> Refusal {
    let detail = "the service takes bearer tokens only: Authorization: Bearer, and a token";
    Refusal::new(ProblemType::Unauthenticated, detail)
        .with(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::Map;

    use super::*;
    use crate::{Subject, identity::challenge::not_permitted as refused};

    #[test]
    fn nobody_is_asked_who_it_is_and_somebody_is_told_no() {
        let (mut request, ()) = Request::new(()).into_parts();
        let refusal = refused(&request, "no");
        assert_eq!(refusal.problem().kind, ProblemType::Unauthenticated);
        let ada = Subject::of_application("ada", Map::new()).unwrap();
        request.extensions.insert(ada);
        let refusal = refused(&request, "no");
        assert_eq!(refusal.problem().kind, ProblemType::NotPermitted);
    }
}
