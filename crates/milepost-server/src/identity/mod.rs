//! Who asks: found out once at the edge, and carried with the request from there.
//!
//! Every request has a [`Subject`]; `subject_of` tells it wherever the request is at hand. Nothing about it outlives
//! the request: no session, and no cache of tokens either, which would be state about clients. What is kept is an issuer's
//! keys. What a subject may do is not decided here: that is for rules.
//!
//! Signatures are `ring`'s, which TLS brings along already; around them stands what a library for tokens would leave to be
//! configured anyway: what is believed, by whose clock, and what is said about the rest.

mod access;
mod admission;
mod algorithm;
mod challenge;
mod claims;
mod epoch;
mod exchange;
mod fault;
mod grant;
mod issuer;
mod key;
mod key_set;
mod key_source;
mod linked;
mod metadata;
mod presented;
mod signing;
mod subject;
mod token;
mod trust;

use http::request::Parts;

pub(crate) use self::{
    access::{check_transaction, check_write},
    admission::admit,
    challenge::not_permitted,
    exchange::{METADATA_PATH, finish},
    linked::{redacted, take as take_linked},
    metadata::metadata,
};
pub use self::{
    algorithm::Algorithm,
    claims::{CLOCK_SKEW_S_MAX, ClaimTest, MalformedClaimTest},
    grant::{
        GRANT_IN_URL_S_MAX, Grant, GrantError, GrantKey, GrantSubject, NAMELESS, Narrowing,
        narrowed,
    },
    issuer::{Issuer, MalformedIssuer},
    key::{KeyFault, SECRET_BYTES_MIN},
    key_set::{KEY_SET_BYTES_MAX, KeySet, KeySetError},
    key_source::{FetchError, FetchKeys, FetchPace, FetchedKeys, Fetching, KeySource},
    signing::{SigningKey, SigningKeyError},
    subject::{Credential, MalformedSubject, Subject},
    trust::{Identity, MalformedIdentity},
};

/// Who a request speaks for: whom the edge found, or the application that mounts the service.
pub(crate) fn subject_of(request: &Parts) -> &Subject {
    request.extensions.get().unwrap_or(&Subject::ANONYMOUS)
}
