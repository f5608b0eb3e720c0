//! The data that the protocol is checked with: a collection with indexes and a schema, a child
//! collection, and enough resources for a list to have pages.

use super::service::Service;

const JSON: (&str, &str) = ("Content-Type", "application/json");
/// So many that a page of two is not the last.
const ROADS: usize = 5;

const ROADS_DEFINITION: &str = r#"{
  "title": "Roads",
  "description": "Roads that milestones stand along.",
  "schema": {
    "type": "object",
    "required": ["name", "length"],
    "properties": {
      "name": { "type": "string", "minLength": 1, "maxLength": 200 },
      "length": { "type": "integer", "minimum": 1, "maximum": 100000 }
    }
  },
  "indexes": { "name": "/name", "length": "/length" },
  "text": ["/name"]
}"#;

const MILESTONES_DEFINITION: &str = r#"{
  "title": "Milestones",
  "description": "Stones along a road.",
  "indexes": { "distance": "/distance" },
  "preconditions": "optional"
}"#;

/// Puts the definitions and the resources.
///
/// # Errors
/// The first request that was not answered by 200, 201 or 204, with its answer.
pub(super) fn fill(service: &Service) -> Result<(), String> {
    put(service, "/v1/-/collections/roads", ROADS_DEFINITION)?;
    put(
        service,
        "/v1/-/collections/roads.milestones",
        MILESTONES_DEFINITION,
    )?;
    for number in 1..=ROADS {
        let road = format!(
            r#"{{ "name": "Road {number}", "length": {} }}"#,
            number * 100
        );
        put(service, &format!("/v1/roads/r{number}"), &road)?;
        let stone = format!(r#"{{ "distance": {number} }}"#);
        put(
            service,
            &format!("/v1/roads/r{number}/milestones/first"),
            &stone,
        )?;
    }
    Ok(())
}

fn put(service: &Service, target: &str, body: &str) -> Result<(), String> {
    let answer = service.send("PUT", target, &[JSON], body.as_bytes())?;
    match answer.status {
        200 | 201 | 204 => Ok(()),
        status => {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            Err(format!("PUT {target}: {status} {said}"))
        }
    }
}
