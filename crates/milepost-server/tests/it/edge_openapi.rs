//! The generated OpenAPI document, held to what its readers rely on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::scene::Scene;

async fn scene() -> Scene {
    let scene = Scene::with_accounts().await;
    let schema = json!({
        "schema": {
            "type": "object",
            "properties": { "amount": { "$ref": "#/$defs/money" } },
            "$defs": { "money": { "type": "number" } }
        },
        "indexes": { "amount": "/amount" }
    });
    scene.define("accounts.transactions", &schema).await;
    scene.define("a-1", &json!({})).await;
    scene.define("flows", &json!({})).await;
    scene.define("a1", &json!({ "schema": true })).await;
    scene
        .define("problem", &json!({ "preconditions": "optional" }))
        .await;
    scene
}

async fn document() -> Value {
    scene().await.get("/v1/openapi.json").await.json()
}

/// Every operation with its path and method.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if method != "parameters" {
                operations.push((path.clone(), method.clone(), operation));
            }
        }
    }
    operations
}

/// Every reference, wherever it stands.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                found.insert(reference.to_owned());
            }
            members.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

/// What stands where a reference leads.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(&reference[1..]).unwrap(),
        None => value,
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    assert!(
        found.contains("#/components/schemas/AccountsTransactions/$defs/money"),
        "{found:?}"
    );
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn every_component_is_used() {
    let document = document().await;
    let mut found = BTreeSet::new();
    references(&document, &mut found);
    for kind in ["schemas", "parameters", "headers", "responses"] {
        for name in document["components"][kind].as_object().unwrap().keys() {
            let reference = format!("#/components/{kind}/{name}");
            assert!(found.contains(&reference), "{reference}");
        }
    }
}

#[tokio::test]
async fn schemas_of_collections_have_names_of_their_own() {
    let document = document().await;
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for name in [
        "Accounts",
        "AccountsTransactions",
        "A1",
        "A12",
        "Problem",
        "Problem2",
    ] {
        assert!(schemas.contains_key(name), "{name}");
    }
    assert_eq!(schemas["Problem"]["required"][0], "type");
}

#[tokio::test]
async fn every_operation_has_an_id_of_its_own_a_tag_and_words() {
    let document = document().await;
    let tags: Vec<_> = document["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].to_string()), "{at}");
        assert!(tags.contains(&&operation["tags"][0]), "{at}");
        for words in ["summary", "description"] {
            assert!(
                !operation[words].as_str().unwrap().is_empty(),
                "{at}: {words}"
            );
        }
    }
}

#[tokio::test]
async fn every_answer_has_the_version_and_every_refusal_is_a_problem() {
    let document = document().await;
    for (path, method, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap();
        assert!(answers.contains_key("400"), "{method} {path}");
        for (status, response) in answers {
            let at = format!("{method} {path} {status}");
            assert_answer(&document, status, resolved(&document, response), &at);
        }
    }
}

fn assert_answer(document: &Value, status: &str, response: &Value, at: &str) {
    assert!(response["headers"].get("API-Version").is_some(), "{at}");
    if status.starts_with(['4', '5']) {
        assert_is_problem(document, response, at);
    }
}

fn assert_is_problem(document: &Value, response: &Value, at: &str) {
    let schema = &response["content"]["application/problem+json"]["schema"];
    let schema = resolved(document, schema);
    for member in ["status", "title", "detail"] {
        assert!(schema["properties"].get(member).is_some(), "{at}: {member}");
    }
}

#[tokio::test]
async fn a_step_of_a_flow_is_answered_by_forms_too_and_they_lead_on() {
    let document = document().await;
    let operation = &document["paths"]["/-/flows/{id}"]["post"];
    let content = operation["requestBody"]["content"].as_object().unwrap();
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data"] {
        let schema = resolved(&document, &content[kind]["schema"]);
        assert_eq!(schema["required"], json!(["state"]), "{kind}");
        assert_eq!(schema["properties"]["state"]["type"], "string", "{kind}");
    }
    let answers = &operation["responses"];
    assert!(answers["303"]["headers"].get("Location").is_some());
    let challenge = &answers["403"]["headers"]["WWW-Authenticate"];
    assert!(challenge.is_object(), "what is added for all is there too");
    for status in ["200", "400", "401", "403", "409", "413", "422"] {
        let page = &answers[status]["content"]["text/html"];
        assert_eq!(page["schema"]["type"], "string", "{status}");
    }
}

#[tokio::test]
async fn every_parameter_of_a_path_is_described() {
    let document = document().await;
    for (path, item) in document["paths"].as_object().unwrap() {
        let named: BTreeSet<_> = path
            .split('/')
            .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
            .map(str::to_owned)
            .collect();
        let parameters = item
            .get("parameters")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        let described: BTreeSet<_> = parameters
            .iter()
            .map(|parameter| {
                resolved(&document, parameter)["name"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect();
        assert_eq!(named, described, "{path}");
    }
}

#[tokio::test]
async fn whom_to_ask_and_which_version_is_told() {
    let document = document().await;
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], "1.0.0");
    assert_eq!(document["servers"][0]["url"], "/v1");
    for member in ["name", "email", "url"] {
        assert!(document["info"]["contact"][member].is_string(), "{member}");
    }
}

#[tokio::test]
async fn indexes_are_keys_to_filter_and_sort_by() {
    let document = document().await;
    let parameters = document["paths"]["/accounts"]["get"]["parameters"]
        .as_array()
        .unwrap();
    let names: Vec<_> = parameters
        .iter()
        .map(|parameter| resolved(&document, parameter)["name"].as_str().unwrap())
        .collect();
    for name in [
        "owner", "balance", "city", "sort", "select", "pageSize", "after", "total", "q",
    ] {
        assert!(names.contains(&name), "{name}: {names:?}");
    }
}

#[tokio::test]
async fn the_document_changes_with_the_definitions_and_only_then() {
    let scene = scene().await;
    let first = scene.get("/v1/openapi.json").await;
    let unchanged = scene
        .get_with("/v1/openapi.json", &[("if-none-match", &first.etag())])
        .await;
    assert_eq!(unchanged.status, 304);
    scene.put("/v1/accounts/a", "{}").await;
    let unchanged = scene
        .get_with("/v1/openapi.json", &[("if-none-match", &first.etag())])
        .await;
    assert_eq!(unchanged.status, 304);
    scene.define("notes", &json!({})).await;
    let changed = scene
        .get_with("/v1/openapi.json", &[("if-none-match", &first.etag())])
        .await;
    assert_eq!(changed.status, 200);
    assert!(changed.json()["paths"].get("/notes").is_some());
}

#[tokio::test]
async fn only_json_is_there() {
    let scene = scene().await;
    let refused = scene
        .get_with("/v1/openapi.json", &[("accept", "application/yaml")])
        .await;
    assert_eq!(refused.status, 406);
}
