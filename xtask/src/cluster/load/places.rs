//! The resources that clients meet at: few collections with few resources each.

use std::net::SocketAddr;

use serde_json::Value;

use super::wire::{Answer, Ask, ask, put};
use crate::cluster::history::{Position, Resource};

/// The collections, by number.
pub(super) const COLLECTIONS: &[&str] = &["parcels", "letters"];
/// Resources of each.
pub(super) const RESOURCES: u32 = 16;

/// Nothing is forgotten: the timeline needs every version.
const DEFINITION: &str = r#"{ "title": "Contended", "preconditions": "required",
  "indexes": { "writer": "/writer" },
  "retention": { "history": { "count": 100000000 }, "tombstones": { "count": 100000000 } } }"#;

/// Defines all collections; the position of each then.
///
/// # Errors
/// The answer that was none of success.
pub(super) fn define(door: SocketAddr) -> Result<Vec<Position>, String> {
    let mut begin = Vec::new();
    for name in COLLECTIONS {
        put(
            door,
            &format!("/v1/-/collections/{name}"),
            DEFINITION.to_owned(),
        )?;
        begin.push(head(door, name)?);
    }
    Ok(begin)
}

/// The position of a collection's newest change.
///
/// # Errors
/// When the answer is none.
pub(super) fn head(door: SocketAddr, name: &str) -> Result<Position, String> {
    let asked = Ask::fetch(&format!("/v1/{name}/changes"));
    let answer = ask(door, &asked);
    let Answer::Told(response) = &answer else {
        return Err(format!("{}: {answer:?}", asked.target));
    };
    let document: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let head = document
        .get("head")
        .and_then(Value::as_str)
        .and_then(Position::parse);
    head.ok_or_else(|| format!("{}: {answer:?}", asked.target))
}

/// Where a resource is.
pub(super) fn target(resource: Resource) -> String {
    let number = usize::try_from(resource.collection).unwrap_or(0);
    let name = COLLECTIONS.get(number).unwrap_or(&"none");
    format!("/v1/{name}/r{}", resource.id)
}

/// The resource of a collection that has this id.
pub(super) fn resource(collection: u32, id: &str) -> Option<Resource> {
    Some(Resource {
        collection,
        id: id.strip_prefix('r')?.parse().ok()?,
    })
}
