//! The metadata of a protected resource (RFC 9728 §2).

use http::request::Parts;
use serde_json::{Value, json};

use super::{exchange::resource, trust::Identity};
use crate::service::Shared;

/// The document, and whether it is the same whatever a client calls the service.
#[derive(Debug)]
pub(crate) struct Metadata {
    pub(crate) document: Value,
    pub(crate) is_for_all: bool,
}

/// What is said about the service. Issuers that are no URLs can't be asked for their own metadata, so they aren't named.
pub(crate) fn metadata(identity: &Identity, shared: &Shared, request: &Parts) -> Metadata {
    let names = identity.issuers().iter().map(|issuer| issuer.name());
    let servers: Vec<&str> = names.filter(|name| name.starts_with("https://")).collect();
    // RFC 6750 §2.1, §2.3: a grant may stand in the URL.
    let methods: &[&str] = match identity.takes_grants() {
        true => &["header", "query"],
        false => &["header"],
    };
    let mut document = json!({
        "resource": resource(identity, &shared.base, request),
        "resource_name": shared.api.title,
        "bearer_methods_supported": methods,
        "resource_documentation": format!("{}/-/problems", resource(identity, &shared.base, request)),
    });
    if let (Some(document), false) = (document.as_object_mut(), servers.is_empty()) {
        document.insert("authorization_servers".to_owned(), json!(servers));
    }
    Metadata {
        document,
        is_for_all: identity.configured_resource().is_some(),
    }
}
