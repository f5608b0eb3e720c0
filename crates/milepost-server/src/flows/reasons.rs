//! Why an answer can't be taken, in plain words: a schema's validator speaks to developers.
//!
//! Only the keywords that forms have use of. What they don't say, the validator does, in its own words.

use milepost_store::definition::Schema;
use serde_json::{Map, Value};

/// The first thing that is wrong with an answer by its property's schema; `None` where no common keyword says it.
/// A number stands by itself in the text, as translations need it.
pub(super) fn plainly(schema: &Value, answer: &Value) -> Option<String> {
    let given = |keyword: &str| schema.get(keyword);
    if given("const") == Some(&Value::Bool(true)) {
        return Some("must be ticked".to_owned());
    }
    if let Some(kind) = given("type").and_then(Value::as_str)
        && let Some(wrong) = of_kind(kind, answer)
    {
        return Some(wrong.to_owned());
    }
    let choices = given("enum").and_then(Value::as_array);
    if choices.is_some_and(|choices| !choices.contains(answer)) {
        return Some("must be one of the choices".to_owned());
    }
    match answer {
        Value::String(text) => of_text(schema, text),
        Value::Number(number) => of_number(schema, number.as_f64()?),
        _ => None,
    }
}

fn of_kind(kind: &str, answer: &Value) -> Option<&'static str> {
    let (is_so, wrong) = match kind {
        "string" => (answer.is_string(), "must be text"),
        "number" => (answer.is_number(), "must be a number"),
        "integer" => (is_whole(answer), "must be a whole number"),
        "boolean" => (answer.is_boolean(), "must be yes or no"),
        _ => return None,
    };
    (!is_so).then_some(wrong)
}

/// JSON Schema 2020-12, validation §6.1.1: 1.0 is an integer too.
fn is_whole(answer: &Value) -> bool {
    answer
        .as_f64()
        .is_some_and(|number| number.fract().abs() < f64::EPSILON)
}

fn of_text(schema: &Value, text: &str) -> Option<String> {
    let bound = |keyword: &str| schema.get(keyword).and_then(Value::as_u64);
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if let Some(least) = bound("minLength").filter(|least| length < *least) {
        return Some(format!("must have at least {least} characters"));
    }
    if let Some(most) = bound("maxLength").filter(|most| length > *most) {
        return Some(format!("must have at most {most} characters"));
    }
    let is_broken = |keyword: &str| is_broken(schema, keyword, text);
    let format = schema.get("format").and_then(Value::as_str);
    let said = match format {
        Some("email") if is_broken("format") => {
            "must be an email address, such as name@example.org"
        }
        Some("date") if is_broken("format") => {
            "must be a date: year, month and day, as in 1990-12-31"
        }
        _ if is_broken("pattern") => "must have the form that is asked for",
        _ => return None,
    };
    Some(said.to_owned())
}

/// Whether a text is refused by this keyword alone: others, such as `not` and `anyOf`, may refuse it too.
fn is_broken(schema: &Value, keyword: &str, text: &str) -> bool {
    let Some(asked) = schema.get(keyword) else {
        return false;
    };
    let alone = Value::Object(Map::from_iter([(keyword.to_owned(), asked.clone())]));
    let alone = Schema::compile(&alone);
    alone.is_ok_and(|alone| !alone.violations(&Value::from(text)).is_empty())
}

fn of_number(schema: &Value, number: f64) -> Option<String> {
    type Holds = fn(f64, f64) -> bool;
    let bounds: [(&str, &str, Holds); 4] = [
        ("minimum", "must be at least", |number, bound| {
            number >= bound
        }),
        ("maximum", "must be at most", |number, bound| {
            number <= bound
        }),
        ("exclusiveMinimum", "must be more than", |number, bound| {
            number > bound
        }),
        ("exclusiveMaximum", "must be less than", |number, bound| {
            number < bound
        }),
    ];
    bounds.iter().find_map(|(keyword, says, holds)| {
        let bound = schema.get(*keyword)?;
        let is_held = holds(number, bound.as_f64()?);
        (!is_held).then(|| format!("{says} {bound}"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_as_one_would_say_it_to_somebody() {
        let says = |schema: Value, answer: Value| plainly(&schema, &answer);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            says(json!({ "const": true }), json!(false)),
            text("must be ticked")
        );
        assert_eq!(
            says(json!({ "enum": ["a"] }), json!("b")),
            text("must be one of the choices")
        );
        assert_eq!(
            says(json!({ "type": "integer" }), json!("x")),
            text("must be a whole number")
        );
        assert_eq!(
            says(json!({ "type": "integer" }), json!(1.5)),
            text("must be a whole number")
        );
        assert_eq!(
            says(json!({ "minLength": 4 }), json!("Łód")),
            text("must have at least 4 characters")
        );
        assert_eq!(
            says(json!({ "maximum": 20 }), json!(21)),
            text("must be at most 20")
        );
        assert_eq!(
            says(json!({ "type": "string", "format": "date" }), json!("soon")),
            text("must be a date: year, month and day, as in 1990-12-31")
        );
        let other =
            json!({ "type": "string", "format": "email", "not": { "const": "a@example.org" } });
        assert_eq!(
            says(other, json!("a@example.org")),
            None,
            "it is an email address, and refused for another reason"
        );
        assert_eq!(
            says(
                json!({ "format": "email", "pattern": "^x" }),
                json!("a@example.org")
            ),
            text("must have the form that is asked for")
        );
        assert_eq!(
            says(json!({ "type": "array" }), json!([])),
            None,
            "the validator says it"
        );
    }
}
