//! What a client prefers to hear of its write (RFC 7240, RFC 8144), and telling what was honoured.

use http::{HeaderMap, request::Parts};
use milepost_semantics::{
    Issue, ProblemType,
    prefer::{Handling, PREFERENCE_APPLIED, Preferences, Return},
    problem::Part,
};

use crate::refusal::Refusal;

/// Tells that the client got what it preferred.
pub(crate) fn applied(headers: &mut HeaderMap, returns: Return) {
    let preferences = Preferences {
        returns: Some(returns),
        ..Preferences::default()
    };
    if let Some(value) = preferences.to_applied_value() {
        headers.insert(PREFERENCE_APPLIED, value);
    }
}

/// Whether the client wants the representation.
pub(crate) fn wants_representation(preferences: &Preferences) -> bool {
    preferences.returns == Some(Return::Representation)
}

/// Refuses query keys where there are none to have, if the client prefers `handling=strict`;
/// otherwise they are passed over, as clients add them to get past caches.
pub(crate) fn refuse_keys_if_strict(request: &Parts) -> Result<(), Refusal> {
    let Some(query) = request.uri.query().filter(|query| !query.is_empty()) else {
        return Ok(());
    };
    let preferences = Preferences::from_headers(&request.headers);
    if preferences.handling != Some(Handling::Strict) {
        return Ok(());
    }
    let detail = "this URL has no query keys";
    let keys = query
        .split('&')
        .map(|pair| pair.split('=').next().unwrap_or_default());
    let issues = keys
        .map(|key| Issue::new(Part::Query, key, detail))
        .collect();
    Err(Refusal::issues(ProblemType::InvalidQuery, detail, issues))
}
