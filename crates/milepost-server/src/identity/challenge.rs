//! What is said to who may not do something, as RFC 6750 §3 has it.

use http::{HeaderValue, header::WWW_AUTHENTICATE, request::Parts};
use milepost_semantics::ProblemType;

use super::subject_of;
use crate::refusal::Refusal;

/// The answer to a request that rules don't let its subject make: 401 where nobody is known, who could say who it is,
/// else 403.
#[cfg_attr(not(test), expect(dead_code, reason = "rules refuse by it"))]
pub(crate) fn not_permitted(request: &Parts, detail: &str) -> Refusal {
    if subject_of(request).is_anonymous() {
        let challenge = HeaderValue::from_static("Bearer");
        return Refusal::new(ProblemType::Unauthenticated, detail)
            .with(WWW_AUTHENTICATE, challenge);
    }
    let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
    Refusal::new(ProblemType::NotPermitted, detail).with(WWW_AUTHENTICATE, challenge)
}

#[cfg(test)]
mod tests {
    use http::Request;
    use serde_json::Map;

    use super::*;
    use crate::{Subject, identity::not_permitted as refused};

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
