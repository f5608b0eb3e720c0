//! What a client prefers to hear of its write (RFC 7240, RFC 8144), and telling what was honoured.

use http::HeaderMap;
use milepost_semantics::prefer::{PREFERENCE_APPLIED, Preferences, Return};

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
