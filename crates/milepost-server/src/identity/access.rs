//! Who may write what no collection's rules are about: definitions and flows, and collections without rules.
//!
//! Where the service believes nobody (no [`Identity`](super::Identity)), being able to reach it is all that is asked. Otherwise
//! definitions and flows, which say what others may do, are for admins; and nobody in particular writes nothing, unless
//! a collection's own rules let it. Reading is for rules alone.

use http::request::Parts;
use milepost_store::CollectionPath;

use super::{challenge::not_permitted, subject::Credential, subject_of};
use crate::{flows, refusal::Refusal, service::Shared};

/// Whether the subject of a request may write to a collection, as far as that is decided here.
pub(crate) fn check_write(
    shared: &Shared,
    request: &Parts,
    collection: &CollectionPath,
) -> Result<(), Refusal> {
    let subject = subject_of(request);
    if shared.identity.is_none() || subject.is_admin() {
        return Ok(());
    }
    if is_the_operators(collection) {
        let detail = "definitions and flows are written by admins only, whom the service's operator names (--admin)";
        return Err(not_permitted(request, detail));
    }
    if subject.is_anonymous() && !has_rules(shared, collection) {
        let detail =
            "nobody in particular may write here: the collection has no rules that would let it";
        return Err(not_permitted(request, detail));
    }
    Ok(())
}

/// Whether the subject of a request may write several resources at once: not by a grant, which is for one URL.
pub(crate) fn check_transaction(request: &Parts) -> Result<(), Refusal> {
    if subject_of(request).credential() != Some(Credential::Grant) {
        return Ok(());
    }
    let detail = "a grant is for one URL, and a transaction writes others: use a token, or a grant for each of them";
    Err(not_permitted(request, detail))
}

/// What says what others may do.
fn is_the_operators(collection: &CollectionPath) -> bool {
    collection.is_reserved() || collection.as_str() == flows::COLLECTION
}

fn has_rules(shared: &Shared, collection: &CollectionPath) -> bool {
    let definitions = shared.store.definitions();
    let defined = definitions.of(collection);
    defined.is_some_and(|defined| defined.definition.rules.is_some())
}
