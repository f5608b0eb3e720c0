//! Expressions of a flow's definition, in CEL: conditions, and values of its transaction.
//!
//! An expression sees `answers`, `flow` (its UUID), `subject`, `base` and `shown`, and nothing else: no clock, no
//! store. Whoever writes a definition can end no process by one: texts are bounded in length, words, nesting and loops
//! before they are parsed, each has a thread to itself, and a panic of the interpreter is an error.

use std::{collections::HashMap, sync::Arc};

use cel::{
    Context, Program, Value as Cel,
    objects::{Key, Map as CelMap},
};
use serde_json::{Map, Number, Value};

use super::mentions::Mentions;
use crate::{
    apart::apart,
    expression_bounds::{self, EXPRESSION_BYTES_MAX},
    identity::Subject,
};

/// What expressions see.
pub(super) struct Sight<'a> {
    pub(super) answers: &'a Map<String, Value>,
    pub(super) flow: &'a str,
    pub(super) subject: &'a Subject,
    /// The path that everything lies below.
    pub(super) base: &'a str,
    /// Each thing that was shown, by name: `href`, `etag` and `value`.
    pub(super) shown: Value,
}

/// The value of an expression.
pub(super) fn evaluate(text: &str, sight: &Sight<'_>) -> Result<Value, String> {
    read(text, || evaluate_here(text, sight))
}

/// Whether a text is an expression.
pub(super) fn check(text: &str) -> Result<(), String> {
    read(text, || compile(text).map(drop))
}

/// What an expression speaks of, or why it is none.
pub(super) fn mentions(text: &str) -> Result<Mentions, String> {
    read(text, || {
        compile(text).map(|program| Mentions::of(&program.expression().expr))
    })
}

/// On a thread of its own.
fn read<T: Send>(text: &str, work: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    apart(work).map_err(|fault| told(text, &fault.to_string()))?
}

fn evaluate_here(text: &str, sight: &Sight<'_>) -> Result<Value, String> {
    let program = compile(text)?;
    let mut context = Context::default();
    let answers = members(sight.answers);
    context.add_variable_from_value("answers", answers);
    context.add_variable_from_value("flow", sight.flow.to_owned());
    context.add_variable_from_value("base", sight.base.to_owned());
    context.add_variable_from_value("subject", to_cel(&sight.subject.to_value()));
    context.add_variable_from_value("shown", to_cel(&sight.shown));
    let value = program.execute(&context);
    let value = value.map_err(|error| told(text, &error.to_string()))?;
    from_cel(&value).ok_or_else(|| told(text, "has a value that JSON has not"))
}

fn compile(text: &str) -> Result<Program, String> {
    expression_bounds::check(text).map_err(|what| told(text, &what))?;
    Program::compile(text).map_err(|error| told(text, &error.to_string()))
}

/// Says what is wrong with a text, and shows as much of it as one that is taken may have.
fn told(text: &str, what: &str) -> String {
    let shown: String = text.chars().take(EXPRESSION_BYTES_MAX).collect();
    format!("expression {shown:?}: {what}")
}

fn text_of(text: &str) -> Cel {
    Cel::String(Arc::new(text.to_owned()))
}

fn members(members: &Map<String, Value>) -> Cel {
    let entry =
        |(name, value): (&String, &Value)| (Key::String(Arc::new(name.clone())), to_cel(value));
    let map: HashMap<Key, Cel> = members.iter().map(entry).collect();
    Cel::Map(CelMap { map: Arc::new(map) })
}

fn to_cel(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Number(number) => number
            .as_i64()
            .map(Cel::Int)
            .or_else(|| number.as_u64().map(Cel::UInt))
            .or_else(|| number.as_f64().map(Cel::Float))
            .unwrap_or(Cel::Null),
        Value::String(text) => text_of(text),
        Value::Array(values) => Cel::List(Arc::new(values.iter().map(to_cel).collect())),
        Value::Object(object) => members(object),
    }
}

fn from_cel(value: &Cel) -> Option<Value> {
    Some(match value {
        Cel::Null => Value::Null,
        Cel::Bool(truth) => Value::Bool(*truth),
        Cel::Int(number) => Value::from(*number),
        Cel::UInt(number) => Value::from(*number),
        Cel::Float(number) => Value::Number(Number::from_f64(*number)?),
        Cel::String(text) => Value::String(text.to_string()),
        Cel::List(values) => Value::Array(values.iter().map(from_cel).collect::<Option<_>>()?),
        Cel::Map(map) => {
            let mut object = Map::new();
            for (name, value) in map.map.iter() {
                let Key::String(name) = name else {
                    return None;
                };
                object.insert(name.to_string(), from_cel(value)?);
            }
            Value::Object(object)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        apart::STACK_BYTES,
        expression_bounds::{TOKENS_MAX, tokens},
    };

    fn answers() -> Value {
        json!({ "person": { "age": 17, "name": "Ada" } })
    }

    fn sight(answers: &Value) -> Sight<'_> {
        Sight {
            answers: answers.as_object().unwrap(),
            flow: "f-1",
            subject: &Subject::ANONYMOUS,
            base: "/v1",
            shown: json!({}),
        }
    }

    fn value(text: &str) -> Result<Value, String> {
        evaluate(text, &sight(&answers()))
    }

    #[test]
    fn expressions_see_answers_and_flow_and_nothing_else() {
        assert_eq!(value("answers.person.age >= 18"), Ok(json!(false)));
        assert_eq!(
            value("base + '/people/' + flow"),
            Ok(json!("/v1/people/f-1"))
        );
        assert_eq!(value("subject == null"), Ok(json!(true)));
        assert_eq!(value("has(answers.address)"), Ok(json!(false)));
        assert!(value("answers.nothing.at.all").is_err());
        assert!(value("request").is_err());
    }

    #[test]
    fn expressions_that_are_too_long_too_deep_too_dear_or_none_are_refused() {
        let deep = format!("{}1{}", "(".repeat(200), ")".repeat(200));
        let squared = "[1, 2].map(x, [1, 2].map (y, x * y))";
        let once = "[1].existsOne(x, [1].existsOne(y, y == x))";
        let others = [&*deep, &"!".repeat(500), &"1+".repeat(600), squared, once];
        for text in ["", "1 +", "))"].into_iter().chain(others) {
            assert!(check(text).is_err(), "{text:.20}");
        }
        assert!(check("[1, 2].exists(x, x == 1)").is_ok());
        assert!(check("answers.person.age >= 18").is_ok());
    }

    /// As long as `TOKENS_MAX` lets it be.
    fn chain(first: &str, link: &str, last: &str) -> String {
        let room = TOKENS_MAX - tokens(first) - tokens(last);
        let links = room / tokens(link);
        format!("{first}{}{last}", link.repeat(links))
    }

    #[test]
    fn no_expression_that_is_taken_needs_more_than_a_quarter_of_its_stack() {
        let chains = [
            chain("true", "==true", ""),
            chain("1", "+1", ""),
            chain("1", "<1", ""),
            chain("1", " in 1", ""),
            chain("true", "&&true", ""),
            chain("true", "||true", ""),
            chain("", "- ", "1"),
            chain("", "! ", "true"),
            chain("", "true?1:", "1"),
            chain("answers", ".a", ""),
            chain("answers", "[0]", ""),
            chain("size", "(1)", ""),
            format!("{}1{}", "[".repeat(16), "]".repeat(16)),
            format!("{}1{}", "size(".repeat(16), ")".repeat(16)),
            format!("{}1{}", "(1+".repeat(16), ")".repeat(16)),
            format!("{}1{}", "{1:".repeat(16), "}".repeat(16)),
            format!(
                "{}{}true{}",
                "(! ".repeat(16),
                "! ".repeat(30),
                ")".repeat(16)
            ),
        ];
        let tried = move || {
            let answers = answers();
            for text in chains {
                assert_eq!(expression_bounds::check(&text), Ok(()), "{text:.20}");
                // What becomes of it is of no matter: that there is a thread to tell it is.
                let _value = evaluate_here(&text, &sight(&answers));
            }
        };
        let thread = std::thread::Builder::new().stack_size(STACK_BYTES / 4);
        thread.spawn(tried).unwrap().join().unwrap();
    }
}
