//! Rules: who may do what, and that nobody is told more.

mod matrix;
mod paths;
mod probes;
mod promises;
mod views;
mod world;

use milepost_server::Subject;
use serde_json::{Map, Value};

/// Somebody with these claims.
fn somebody(id: &str, claims: Value) -> Subject {
    let claims: Map<String, Value> = serde_json::from_value(claims).unwrap();
    Subject::of_application(id, claims).unwrap()
}
