//! Rules evaluated here, and by the interpreter of the crate that parses them.

use cel::{Context, Program, Value as Cel};
use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop_oneof},
    proptest,
};
use serde_json::{Map, Value, json};

use super::{
    compile::compile,
    evaluate::{Sight, value_of},
    value::{Fault, Val},
};
use crate::Subject;

fn ada() -> Subject {
    let claims: Map<String, Value> = serde_json::from_value(json!({
        "role": "clerk", "teams": ["red", "blue"], "level": 3, "https://example.org/x": "y"
    }))
    .unwrap();
    Subject::of_application("ada", claims).unwrap()
}

fn document() -> Value {
    json!({
        "owner": "ada", "n": 3, "x": 1.5, "big": 18_446_744_073_709_551_615_u64, "open": true, "none": null,
        "tags": ["a", "b"], "members": [{ "id": "ada", "role": "r" }, { "id": "bob" }], "address": { "city": "Delft" },
    })
}

/// True, false, another value, or none.
fn told(text: &str, subject: &Subject) -> Result<&'static str, Fault> {
    let rule = compile(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    let (resource, previous) = (document(), Value::Null);
    let sight = Sight {
        method: "read",
        subject,
        id: "n1",
        parents: "a/b",
        resource: &resource,
        previous: &previous,
    };
    value_of(&rule.root, &sight).map(|value| match value {
        Val::Bool(true) => "true",
        Val::Bool(false) => "false",
        _ => "another",
    })
}

#[test]
fn rules_see_subject_resource_and_place_and_have_cels_values() {
    let ada = ada();
    for text in [
        "resource.owner == subject.id",
        "subject != null && subject.issuer == null && subject.credential == 'application'",
        "!subject.admin && subject.claims.role == 'clerk'",
        "'red' in subject.claims.teams && !('green' in subject.claims.teams)",
        "subject.claims['https://example.org/x'] == 'y'",
        "'role' in subject.claims && has(subject.claims.level) && !has(subject.claims.nothing)",
        "request.method == 'read' && id == 'n1' && parents == ['a', 'b'] && parents[1] == 'b'",
        "previous == null && resource.none == null && !has(resource.nothing) && has(resource.none)",
        "resource.n == 3.0 && resource.n < 3.5 && resource.x > 1 && resource.big > resource.n",
        "resource.members.exists(member, member.id == subject.id && member.role == 'r')",
        "resource.members.exists(member, member.role == 'r')",
        "resource.tags.all(tag, size(tag) == 1) && resource.tags.size() == 2",
        "resource.members.exists_one(m, m.id == 'bob')",
        "resource.tags.map(tag, tag + '!') == ['a!', 'b!']",
        "resource.tags.filter(tag, tag > 'a') == ['b']",
        "resource.tags + ['c'] == ['a', 'b', 'c'] && 'address' in resource",
        "resource.address.city.matches('^D.*t$') && resource.owner.startsWith('a')",
        "resource.nothing == 1 || true",
        "true || resource.nothing",
        "(resource.n > 2 ? 'much' : 'little') == 'much'",
        "1 + 2 * 3 - 4 / 2 == 5 && 7 % 2 == 1 && -resource.n == -3 && 2u + 1u == 3u",
        "resource.address == resource.address && resource['owner'] == 'ada'",
        "resource.n != '3' && resource.owner != null",
    ] {
        assert_eq!(told(text, &ada), Ok("true"), "{text}");
    }
}

#[test]
fn what_has_no_value_is_not_true() {
    let errors = [
        "resource.nothing",
        "resource.owner.city",
        "resource.n + resource.x",
        "resource.n < 'a'",
        "resource.tags[5]",
        "9223372036854775807 + 1 > 0",
        "1 / 0 == 1",
        "resource.nothing == 1 || false",
        "resource.nothing == 1 && true",
        "'a' in resource.n",
        "resource.owner ? true : false",
        "resource.tags.all(tag, tag.nothing)",
    ];
    for text in errors {
        assert_eq!(told(text, &ada()), Err(Fault::Error), "{text}");
    }
    let nobody = [
        "subject.id == 'ada'",
        "subject.claims.role == 'x'",
        "has(subject.claims.role)",
    ];
    for text in nobody {
        assert_eq!(told(text, &Subject::ANONYMOUS), Err(Fault::Error), "{text}");
    }
    assert_eq!(told("subject == null", &Subject::ANONYMOUS), Ok("true"));
    assert_eq!(told("resource.owner", &ada()), Ok("another"));
}

#[test]
fn what_a_rule_costs_is_bounded_whatever_the_document_is() {
    let rule = compile("resource.list.exists(x, x in resource.list) || true").unwrap();
    let resource = json!({ "list": (0..3000).rev().collect::<Vec<_>>() });
    let words = json!({ "list": vec!["long".repeat(10_000); 300] });
    let sight = |resource| Sight {
        method: "read",
        subject: &Subject::ANONYMOUS,
        id: "n1",
        parents: "",
        resource,
        previous: &Value::Null,
    };
    let short = value_of(&rule.root, &sight(&resource));
    assert!(matches!(short, Ok(Val::Bool(true))), "{short:?}");
    let rule = compile("resource.list.all(x, x in resource.list) || true").unwrap();
    for resource in [&resource, &words] {
        let value = value_of(&rule.root, &sight(resource));
        assert!(matches!(value, Err(Fault::TooDear)), "{value:?}");
    }
}

#[test]
fn a_rule_as_deep_as_any_is_evaluated_on_a_small_stack() {
    let deepest = format!("{}true", "!".repeat(60));
    let chain = format!("{}true", "true && ".repeat(30));
    let tried = move || {
        for text in [deepest, chain] {
            let _value = told(&text, &Subject::ANONYMOUS);
        }
    };
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(tried).unwrap().join().unwrap();
}

/// Expressions over the document that both can read.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("resource.n"),
        Just("resource.x"),
        Just("resource.owner"),
        Just("resource.open"),
        Just("resource.none"),
        Just("resource.nothing"),
        Just("resource.address.city"),
        Just("resource.tags"),
        Just("id"),
        Just("1"),
        Just("3"),
        Just("'ada'"),
        Just("'a'"),
        Just("true"),
        Just("false"),
        Just("null"),
        Just("1.5"),
        Just("has(resource.n)"),
        Just("has(resource.nothing)"),
        Just("['a', 'b']"),
        Just("2u"),
        Just("size(resource.tags)"),
    ]
    .prop_map(str::to_owned);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let operator = prop_oneof![
            Just("&&"), Just("||"), Just("=="), Just("!="), Just("<"), Just("<="), Just(">"), Just(">="), Just("+"),
            Just("-"), Just("*"), Just("/"), Just("%"), Just("in"),
        ];
        prop_oneof![
            6 => (inner.clone(), operator, inner.clone()).prop_map(|(one, with, other)| format!("({one} {with} {other})")),
            1 => inner.clone().prop_map(|one| format!("!{one}")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            1 => (inner.clone(), any::<bool>()).prop_map(|(one, all)| {
                format!("resource.tags.{}(x, x == {one})", if all { "all" } else { "exists" })
            }),
        ]
    })
}

/// A value as the interpreter knows it. Not by its own conversion, to which a number of any precision is a map.
fn cel_of(value: &Value) -> Cel {
    match value {
        Value::Null => Cel::Null,
        Value::Bool(truth) => Cel::Bool(*truth),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Cel::Int(whole),
            None => Cel::Float(number.as_f64().unwrap()),
        },
        Value::String(text) => Cel::from(text.clone()),
        Value::Array(values) => Cel::from(values.iter().map(cel_of).collect::<Vec<_>>()),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| (name.clone(), cel_of(value)));
            Cel::from(members.collect::<std::collections::HashMap<String, Cel>>())
        }
    }
}

/// What the crate's interpreter says.
fn interpreted(text: &str) -> Option<bool> {
    let program = Program::compile(text).unwrap();
    let mut context = Context::default();
    let resource = cel_of(&document());
    context.add_variable_from_value("resource", resource);
    context.add_variable_from_value("id", "n1".to_owned());
    match program.execute(&context) {
        Ok(Cel::Bool(truth)) => Some(truth),
        Ok(_) | Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Where both have a value, it is the same. (Where one has none, nothing is allowed: which of two errors hides the
    /// other is where interpreters differ.)
    #[test]
    fn rules_are_true_where_cels_interpreter_says_so(text in expression()) {
        if let Ok(rule) = compile(&text) {
            let (resource, previous) = (document(), Value::Null);
            let sight = Sight {
                method: "read", subject: &Subject::ANONYMOUS, id: "n1", parents: "", resource: &resource, previous: &previous,
            };
            let here = match value_of(&rule.root, &sight) {
                Ok(Val::Bool(truth)) => Some(truth),
                Ok(_) | Err(_) => None,
            };
            if let (Some(here), Some(there)) = (here, interpreted(&text)) {
                assert_eq!(here, there, "{text}");
            }
        }
    }
}
