//! `/openapi.json`: what the service offers, generated from what is defined (OpenAPI 3.1).
//!
//! A pure function of the definitions, the limits and what the operator says about the API; nothing
//! is remembered from one request to the next. The entity tag is made of the definitions' versions,
//! so that a client which holds the document costs no generation.
//!
//! OpenAPI 3.1 has no place for `QUERY`; descriptions say where it can be used. `HEAD` stands
//! wherever `GET` does, and `OPTIONS` everywhere.

mod collection;
mod contact;
mod credentials;
mod embed;
mod feed;
mod flow;
mod operation;
mod parameters;
mod responses;
mod schemas;
mod service;

use bytes::Bytes;
use http::request::Parts;
use milepost_semantics::EntityTag;
use milepost_store::Definitions;
use serde_json::{Map, Value, json};

pub use self::contact::{ApiInfo, Contact};
use self::credentials::Taken;
use crate::{
    edge::API_VERSION_TEXT,
    limits::Limits,
    media,
    method::Access,
    pages::{Document, tag_of},
    refusal::Answer,
    service::Shared,
};

/// All that the document is made of.
#[derive(Debug)]
struct Source<'s> {
    base: &'s str,
    info: &'s ApiInfo,
    limits: &'s Limits,
    definitions: &'s Definitions,
    access: Access,
    taken: Taken,
}

/// Answers GET and HEAD.
pub(crate) fn answer(shared: &Shared, request: &Parts) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let definitions = shared.store.definitions();
    let source = Source {
        base: &shared.base,
        info: &shared.api,
        limits: &shared.limits,
        definitions: &definitions,
        access: shared.access,
        taken: Taken::by(shared),
    };
    Document::json().answer_as(request, source.tag(), || {
        Bytes::from(source.render().to_string())
    })
}

impl Source<'_> {
    fn tag(&self) -> EntityTag {
        let about = format!(
            "{} {} {:?} {:?} {:?}",
            env!("CARGO_PKG_VERSION"),
            self.base,
            self.info,
            self.access,
            self.taken
        );
        let limits = format!("{:?}", self.limits);
        let versions: String = self
            .definitions
            .iter()
            .map(|(path, defined)| format!("{path}={} ", defined.position))
            .collect();
        tag_of(&[about.as_bytes(), limits.as_bytes(), versions.as_bytes()])
    }

    fn render(&self) -> Value {
        let mut paths = service::paths();
        paths.extend(feed::everything(self.limits));
        let mut schemas = schemas::all();
        if flow::are_defined(self.definitions) {
            paths.extend(flow::paths());
            schemas.extend(flow::schemas());
        }
        let mut tags = vec![json!({
            "name": service::TAG,
            "description": "What the service says about itself, and writes over several resources.",
        })];
        for (path, defined) in self.definitions.iter() {
            let name = free_name(&schemas, path.as_str());
            let described =
                collection::Described::new(path, &defined.definition, self.limits, name);
            tags.push(described.tag());
            described.add_paths(&mut paths);
            schemas.insert(described.schema_name().to_owned(), described.schema());
        }
        if self.access == Access::ReadOnly {
            paths.values_mut().for_each(leave_out_writes);
        }
        let mut document = json!({
            "openapi": "3.1.0",
            "info": self.info(),
            "servers": [{ "url": self.server(), "description": "This service." }],
            "tags": tags,
            "security": [],
            "paths": paths,
            "components": {
                "schemas": schemas,
                "parameters": parameters::all(self.limits),
                "headers": responses::headers(),
                "responses": responses::all(),
            },
        });
        credentials::refuse(&mut document);
        credentials::declare(&mut document, self.taken);
        document
    }

    fn info(&self) -> Value {
        let ApiInfo {
            title,
            description,
            contact,
        } = self.info;
        json!({
            "title": title,
            "description": description,
            "version": API_VERSION_TEXT,
            "contact": { "name": contact.name, "email": contact.email, "url": contact.url },
        })
    }

    fn server(&self) -> &str {
        if self.base.is_empty() { "/" } else { self.base }
    }
}

/// Leaves only the reads among a path's operations; each path has some.
fn leave_out_writes(item: &mut Value) {
    if let Some(operations) = item.as_object_mut() {
        operations.retain(|method, _| !matches!(&**method, "put" | "patch" | "post" | "delete"));
    }
}

/// `bank-accounts.transactions` as `BankAccountsTransactions`; with a number behind it where that is
/// the name of another schema already.
fn free_name(taken: &Map<String, Value>, collection: &str) -> String {
    let words = collection.split(['.', '-']).filter(|word| !word.is_empty());
    let name: String = words
        .flat_map(|word| {
            let (first, rest) = word.split_at(1);
            [first.to_ascii_uppercase(), rest.to_owned()]
        })
        .collect();
    let numbered = (2_u32..).map(|number| format!("{name}{number}"));
    let mut names = std::iter::once(name.clone()).chain(numbered);
    names.find(|name| !taken.contains_key(name)).unwrap_or(name)
}

/// A reference to a component.
fn component(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// An object of these members.
fn object<N: Into<String>>(members: impl IntoIterator<Item = (N, Value)>) -> Map<String, Value> {
    members
        .into_iter()
        .map(|(name, value)| (name.into(), value))
        .collect()
}
