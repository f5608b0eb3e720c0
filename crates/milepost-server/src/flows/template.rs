//! Templates: JSON in which `{"$cel": "…"}` stands for the value of an expression and `{"$answer": "/step/name"}`
//! for an answer, exactly as it was given (an expression would round long numbers).
//!
//! What has no value (null, or no such answer) is left out of the object or array it would stand in.

use serde_json::{Map, Value};

use super::expression::{self, Sight};

/// The template filled in; `None` where it has no value.
pub(super) fn fill(template: &Value, sight: &Sight<'_>) -> Result<Option<Value>, String> {
    match template {
        Value::Object(members) => match directive(members) {
            Some(("$cel", text)) => {
                let value = expression::evaluate(text, sight)?;
                Ok(Some(value).filter(|value| !value.is_null()))
            }
            Some((_, pointer)) => Ok(answer(sight, pointer)),
            None => object(members, sight).map(Some),
        },
        Value::Array(elements) => {
            let filled = elements.iter().map(|element| fill(element, sight));
            let filled: Vec<Option<Value>> = filled.collect::<Result<_, _>>()?;
            Ok(Some(Value::Array(filled.into_iter().flatten().collect())))
        }
        plain => Ok(Some(plain.clone())),
    }
}

/// Every expression in a template.
pub(super) fn expressions(template: &Value) -> Vec<&str> {
    match template {
        Value::Object(members) => match directive(members) {
            Some(("$cel", text)) => vec![text],
            Some(_) => Vec::new(),
            None => members.values().flat_map(expressions).collect(),
        },
        Value::Array(elements) => elements.iter().flat_map(expressions).collect(),
        _ => Vec::new(),
    }
}

/// `$cel` or `$answer` and its text, where that is all there is.
pub(super) fn directive(members: &Map<String, Value>) -> Option<(&str, &str)> {
    let mut entries = members.iter();
    let (name, value) = entries.next().filter(|_| members.len() == 1)?;
    let is_known = matches!(name.as_str(), "$cel" | "$answer");
    is_known.then_some((name.as_str(), value.as_str()?))
}

fn answer(sight: &Sight<'_>, pointer: &str) -> Option<Value> {
    let (step, rest) = match pointer.strip_prefix('/')?.split_once('/') {
        Some((step, rest)) => (step, format!("/{rest}")),
        None => (pointer.strip_prefix('/')?, String::new()),
    };
    let found = sight.answers.get(step)?.pointer(&rest)?;
    Some(found.clone()).filter(|value| !value.is_null())
}

fn object(members: &Map<String, Value>, sight: &Sight<'_>) -> Result<Value, String> {
    let mut filled = Map::new();
    for (name, value) in members {
        if let Some(value) = fill(value, sight)? {
            filled.insert(name.clone(), value);
        }
    }
    Ok(Value::Object(filled))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::identity::Subject;

    #[test]
    fn answers_are_copied_exactly_and_what_has_no_value_is_left_out() {
        let answers: Value =
            serde_json::from_str(r#"{"a":{"n":12345678901234567890.10}}"#).unwrap();
        let sight = Sight {
            answers: answers.as_object().unwrap(),
            flow: "f-1",
            subject: &Subject::ANONYMOUS,
            base: "/v1",
            shown: json!({}),
        };
        let template = json!({ "n": { "$answer": "/a/n" }, "x": { "$answer": "/a/x" },
            "list": [{ "$cel": "null" }, { "$cel": "flow" }], "whole": { "$answer": "/a" } });
        let filled = fill(&template, &sight).unwrap().unwrap();
        let expected =
            r#"{"n":12345678901234567890.10,"list":["f-1"],"whole":{"n":12345678901234567890.10}}"#;
        assert_eq!(filled.to_string(), expected);
        assert_eq!(expressions(&template), ["null", "flow"]);
    }
}
