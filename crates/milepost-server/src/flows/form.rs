//! An HTML form's content as the same JSON that programs send: by the types that the step's schema names.
//!
//! Only scalars: what lies deeper than a member of the answers has no field in a form.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Number, Value};

use super::{definition::Step, file};

/// `application/x-www-form-urlencoded`, in order.
pub(super) fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        })
        .collect()
}

fn decoded(text: &str) -> String {
    let spaced: Cow<'_, str> = text.replace('+', " ").into();
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

/// The value of the first pair of this name.
pub(super) fn value<'p>(pairs: &'p [(String, String)], name: &str) -> Option<&'p str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// The answers in a form: fields are named `input.{name}`. An empty field is no answer; a box that isn't ticked is no.
pub(super) fn input(step: &Step, pairs: &[(String, String)]) -> Map<String, Value> {
    let mut input = Map::new();
    // What stands where a file is asked for is none: that is told where files are settled.
    let is_file = |schema: &Value| schema.get(file::KEYWORD).is_some();
    for (name, schema) in step.properties().filter(|(_, schema)| !is_file(schema)) {
        let given = value(pairs, &format!("input.{name}")).map(str::trim);
        let given = given.filter(|text| !text.is_empty());
        let kind = schema
            .get("type")
            .and_then(Value::as_str)
            .unwrap_or("string");
        let answer = match (kind, given) {
            ("boolean", given) => Some(Value::Bool(given.is_some())),
            (_, None) => None,
            ("integer" | "number", Some(text)) => Some(number(text)),
            (_, Some(text)) => Some(Value::String(text.to_owned())),
        };
        input.extend(answer.map(|answer| (name.clone(), answer)));
    }
    input
}

/// A number where it is one; else the text, which the schema refuses.
fn number(text: &str) -> Value {
    let number: Result<Number, _> = text.replace(',', ".").parse();
    number.map_or_else(|_| Value::String(text.to_owned()), Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_become_what_the_schema_says_they_are() {
        let step: Step = serde_json::from_value(json!({ "id": "a", "title": "A", "schema": {
            "properties": { "name": { "type": "string" }, "age": { "type": "integer" },
                "yes": { "type": "boolean" }, "no": { "type": "boolean" }, "empty": { "type": "string" },
                "bad": { "type": "number" } } } }))
        .unwrap();
        let pairs = pairs(b"input.name=Ada+%C5%81&input.age=36&input.yes=true&input.empty=+&input.bad=x&go=next&&");
        let expected = json!({ "name": "Ada Ł", "age": 36, "yes": true, "no": false, "bad": "x" });
        assert_eq!(Value::Object(input(&step, &pairs)), expected);
        assert_eq!(value(&pairs, "go"), Some("next"));
    }
}
