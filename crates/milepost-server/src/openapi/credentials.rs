//! What the document says of who asks: what is told to who may not, since any collection may get rules; and, of a
//! service with issuers, how to say it.

use serde_json::{Value, json};

use super::{component, responses};
use crate::service::Shared;

/// The statuses that any operation may be answered with because of who asks.
const REFUSED: [u16; 2] = [401, 403];

/// What credentials a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    Nothing,
    Tokens,
    TokensAndGrants,
}

impl Taken {
    pub(super) fn by(shared: &Shared) -> Self {
        match &shared.identity {
            None => Self::Nothing,
            Some(identity) if identity.takes_grants() => Self::TokensAndGrants,
            Some(_) => Self::Tokens,
        }
    }
}

/// Adds how to say who asks, to a whole document.
pub(super) fn declare(document: &mut Value, taken: Taken) {
    if taken == Taken::Nothing {
        return;
    }
    // Reading may need none: rules decide.
    let ways = [json!({}), json!({ "bearer": [] })];
    merge(document, "/security", ways.clone());
    let bearer = json!({
        "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
        "description": "A token of an issuer that the service trusts (RFC 9068). `/.well-known/oauth-protected-resource` names the issuers (RFC 9728).",
    });
    put(
        document,
        "/components",
        "securitySchemes",
        json!({ "bearer": bearer }),
    );
    if taken == Taken::TokensAndGrants {
        declare_links(document, &ways);
    }
}

/// Of reading alone: a grant may stand in the URL.
fn declare_links(document: &mut Value, ways: &[Value]) {
    let link = json!({
        "type": "apiKey", "in": "query", "name": "access_token",
        "description": "A grant: a Biscuit for one method on one URL, good for an hour at most (RFC 6750 §2.3). The answer is `private, no-store`. A grant may stand in `Authorization: Bearer` too, for any method and as long as it is good.",
    });
    put(document, "/components/securitySchemes", "grant", link);
    let ways: Vec<Value> = ways
        .iter()
        .cloned()
        .chain([json!({ "grant": [] })])
        .collect();
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.values_mut());
    for read in items.filter_map(|item| item.get_mut("get")?.as_object_mut()) {
        read.insert("security".to_owned(), json!(ways));
    }
}

/// Adds what is told to who may not, to a whole document.
pub(super) fn refuse(document: &mut Value) {
    let challenge = json!({
        "description": "How to say who asks, and what was wrong (RFC 6750).",
        "schema": { "type": "string" },
    });
    put(
        document,
        "/components/headers",
        "WWW-Authenticate",
        challenge,
    );
    for status in REFUSED {
        let mut response = responses::of_status(status);
        let fields = component("headers", "WWW-Authenticate");
        put(&mut response, "/headers", "WWW-Authenticate", fields);
        put(
            document,
            "/components/responses",
            &responses::problem_name(status),
            response,
        );
    }
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    let items = paths.into_iter().flat_map(|paths| paths.values_mut());
    for operation in items
        .filter_map(Value::as_object_mut)
        .flat_map(|item| item.values_mut())
    {
        REFUSED.iter().for_each(|status| tell(operation, *status));
    }
}

/// Adds what is told to who may not to an operation; a response of its own keeps what else it says.
fn tell(operation: &mut Value, status: u16) {
    let own = format!("/responses/{status}/headers");
    if operation.pointer(&own).is_some() {
        let fields = component("headers", "WWW-Authenticate");
        put(operation, &own, "WWW-Authenticate", fields);
        return;
    }
    let response = component("responses", &responses::problem_name(status));
    put(operation, "/responses", &status.to_string(), response);
}

/// Puts a member into the object at a pointer, where there is one.
fn put(document: &mut Value, at: &str, name: &str, value: Value) {
    if let Some(Value::Object(object)) = document.pointer_mut(at) {
        object.insert(name.to_owned(), value);
    }
}

fn merge(document: &mut Value, at: &str, values: impl IntoIterator<Item = Value>) {
    if let Some(Value::Array(list)) = document.pointer_mut(at) {
        list.extend(values);
    }
}
