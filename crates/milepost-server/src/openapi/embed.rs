//! A collection's JSON Schema as a component of the document.
//!
//! The dialect is the same (OpenAPI 3.1 is JSON Schema 2020-12); what changes is what references are
//! relative to. `#/$defs/money` in the schema of `accounts` becomes
//! `#/components/schemas/accounts/$defs/money`. Keywords alone are walked, never `const`, `enum`,
//! `default` or `examples`, whose contents are data, and never names of properties.

use serde_json::{Map, Value};

/// Keywords whose value is a schema.
const SCHEMA: &[&str] = &[
    "additionalProperties",
    "contains",
    "contentSchema",
    "else",
    "if",
    "items",
    "not",
    "propertyNames",
    "then",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords whose value is a list of schemas.
const SCHEMAS: &[&str] = &["allOf", "anyOf", "oneOf", "prefixItems"];
/// Keywords whose value is an object of schemas, under names that mean nothing.
const NAMED_SCHEMAS: &[&str] = &[
    "$defs",
    "definitions",
    "dependentSchemas",
    "patternProperties",
    "properties",
];
const REFERENCES: &[&str] = &["$ref", "$dynamicRef"];

/// The schema as it stands under `#/components/schemas/{name}`.
pub(super) fn embedded(schema: &Value, name: &str) -> Value {
    let own_id = schema.get("$id").and_then(Value::as_str).map(str::to_owned);
    let place = Place {
        at: format!("#/components/schemas/{name}"),
        own_id,
        root: schema,
    };
    match schema {
        Value::Object(members) => {
            let mut members = place.object(members);
            // The component's place in the document is its name now.
            members.shift_remove("$id");
            members.shift_remove("$schema");
            Value::Object(members)
        }
        Value::Bool(true) => Value::Object(Map::new()),
        Value::Bool(false) => serde_json::json!({ "not": {} }),
        other => other.clone(),
    }
}

struct Place<'r> {
    at: String,
    own_id: Option<String>,
    root: &'r Value,
}

impl Place<'_> {
    fn schema(&self, schema: &Value) -> Value {
        match schema {
            // A schema with a name of its own is what its references are relative to.
            Value::Object(members) if members.contains_key("$id") => schema.clone(),
            Value::Object(members) => Value::Object(self.object(members)),
            other => other.clone(),
        }
    }

    fn object(&self, members: &Map<String, Value>) -> Map<String, Value> {
        members
            .iter()
            .map(|(keyword, value)| (keyword.clone(), self.member(keyword, value)))
            .collect()
    }

    fn member(&self, keyword: &str, value: &Value) -> Value {
        match value {
            Value::String(reference) if REFERENCES.contains(&keyword) => {
                self.reference(reference).into()
            }
            Value::Object(named) if NAMED_SCHEMAS.contains(&keyword) => {
                let named = named
                    .iter()
                    .map(|(name, schema)| (name.clone(), self.schema(schema)));
                Value::Object(named.collect())
            }
            Value::Array(schemas) if SCHEMAS.contains(&keyword) => {
                schemas.iter().map(|schema| self.schema(schema)).collect()
            }
            Value::Object(_) if SCHEMA.contains(&keyword) => self.schema(value),
            other => other.clone(),
        }
    }

    fn reference(&self, reference: &str) -> String {
        let own = self
            .own_id
            .as_deref()
            .and_then(|id| reference.strip_prefix(id));
        match own.unwrap_or(reference) {
            "" | "#" => self.at.clone(),
            local => match local.strip_prefix('#') {
                Some(pointer) if pointer.starts_with('/') => format!("{}{pointer}", self.at),
                Some(anchor) => match anchored(self.root, anchor) {
                    Some(pointer) => format!("{}{pointer}", self.at),
                    None => reference.to_owned(),
                },
                None => reference.to_owned(),
            },
        }
    }
}

/// The pointer to the subschema with this `$anchor` (or `$dynamicAnchor`), as a fragment writes it.
fn anchored(schema: &Value, anchor: &str) -> Option<String> {
    let Value::Object(members) = schema else {
        return None;
    };
    let is_it = |keyword: &str| members.get(keyword).and_then(Value::as_str) == Some(anchor);
    if is_it("$anchor") || is_it("$dynamicAnchor") {
        return Some(String::new());
    }
    members.iter().find_map(|(keyword, value)| {
        let below = match value {
            Value::Object(named) if NAMED_SCHEMAS.contains(&keyword.as_str()) => {
                named.iter().find_map(|(name, schema)| {
                    Some(format!("/{}{}", token(name), anchored(schema, anchor)?))
                })
            }
            Value::Array(schemas) if SCHEMAS.contains(&keyword.as_str()) => schemas
                .iter()
                .enumerate()
                .find_map(|(index, schema)| Some(format!("/{index}{}", anchored(schema, anchor)?))),
            schema if SCHEMA.contains(&keyword.as_str()) => anchored(schema, anchor),
            _ => None,
        };
        below.map(|below| format!("/{}{below}", token(keyword)))
    })
}

/// A name as a JSON pointer's token (RFC 6901 §3).
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_within_a_schema_still_lead_to_the_same_place() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": "https://example.org/accounts",
            "type": "object",
            "properties": {
                "balance": { "$ref": "#/$defs/money" },
                "limit": { "$ref": "https://example.org/accounts#/$defs/money" },
                "parent": { "$ref": "#" },
                "owner": { "$ref": "#person" },
                "$ref": { "type": "string" },
            },
            "$defs": { "money": { "type": "number" }, "a/b": { "$anchor": "person" } },
            "examples": [{ "$ref": "#/$defs/money" }],
            "allOf": [{ "$ref": "#/$defs/money" }],
        });
        assert_eq!(
            embedded(&schema, "accounts"),
            json!({
                "type": "object",
                "properties": {
                    "balance": { "$ref": "#/components/schemas/accounts/$defs/money" },
                    "limit": { "$ref": "#/components/schemas/accounts/$defs/money" },
                    "parent": { "$ref": "#/components/schemas/accounts" },
                    "owner": { "$ref": "#/components/schemas/accounts/$defs/a~1b" },
                    "$ref": { "type": "string" },
                },
                "$defs": { "money": { "type": "number" }, "a/b": { "$anchor": "person" } },
                "examples": [{ "$ref": "#/$defs/money" }],
                "allOf": [{ "$ref": "#/components/schemas/accounts/$defs/money" }],
            })
        );
    }

    #[test]
    fn a_boolean_is_a_schema_too() {
        assert_eq!(embedded(&json!(true), "a"), json!({}));
        assert_eq!(embedded(&json!(false), "a"), json!({ "not": {} }));
    }
}
