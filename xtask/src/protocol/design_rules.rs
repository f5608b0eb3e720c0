//! The technical rules of the Dutch government's API Design Rules (2.1), on the generated
//! description and on the wire.
//!
//! Rules about organisation (deprecation schedules, languages of documentation) are not checked.

use serde_json::Value;

use super::{
    description::{operations, resolve, value},
    service::Service,
};

/// Checks all rules.
///
/// # Errors
/// What breaks which rule.
pub(super) fn check(service: &Service) -> Result<(), String> {
    let document = value(service)?;
    let mut broken = information(&document);
    broken.extend(paths(&document));
    for (path, method, operation) in operations(&document) {
        let found = query_keys(&document, operation)
            .into_iter()
            .chain(problems(&document, operation))
            .chain(versioned(&document, operation))
            .chain(invalid_input(&document, path, operation));
        broken.extend(found.map(|what| format!("{method} {path}: {what}")));
    }
    broken.extend(wire(service)?);
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!("\n{}", broken.join("\n")))
    }
}

/// `/core/doc-openapi-contact`, `/core/semver`, `/core/uri-version`, `/core/doc-openapi`.
fn information(document: &Value) -> Vec<String> {
    let mut broken = Vec::new();
    for pointer in [
        "/info/contact/name",
        "/info/contact/email",
        "/info/contact/url",
    ] {
        if document
            .pointer(pointer)
            .and_then(Value::as_str)
            .is_none_or(str::is_empty)
        {
            broken.push(format!("{pointer} is missing"));
        }
    }
    let version = document
        .pointer("/info/version")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !is_semantic_version(version) {
        broken.push(format!(
            "info.version {version:?} is not a semantic version"
        ));
    }
    let opens = document
        .get("openapi")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !opens.starts_with("3.1") {
        broken.push(format!("openapi is {opens:?}"));
    }
    broken
}

fn is_semantic_version(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| part.parse::<u64>().is_ok())
}

/// `/core/uri-version`, `/core/no-trailing-slash`, `/core/path-segments-kebab-case`.
fn paths(document: &Value) -> Vec<String> {
    let servers = document.get("servers").and_then(Value::as_array);
    let bases: Vec<&str> = servers
        .into_iter()
        .flatten()
        .filter_map(|server| server.get("url").and_then(Value::as_str))
        .collect();
    let mut broken = Vec::new();
    let all = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    for (path, _) in all {
        let full: Vec<String> = if bases.is_empty() {
            vec![path.clone()]
        } else {
            bases
                .iter()
                .map(|base| format!("{}{path}", base.trim_end_matches('/')))
                .collect()
        };
        let named_elsewhere = path.starts_with("/.well-known/");
        if !named_elsewhere && !full.iter().all(|path| has_major_version(path)) {
            broken.push(format!("{path}: no major version in the path"));
        }
        if path.len() > 1 && path.ends_with('/') {
            broken.push(format!("{path}: a slash at the end"));
        }
        let segments = path.split('/').filter(|segment| !segment.is_empty());
        let odd = segments.filter(|segment| !is_kebab_case(segment));
        broken.extend(odd.map(|segment| format!("{path}: {segment} is not in kebab case")));
    }
    broken
}

fn has_major_version(path: &str) -> bool {
    path.split('/').any(|segment| {
        let digits = segment.strip_prefix('v').unwrap_or_default();
        !digits.is_empty() && digits.chars().all(|letter| letter.is_ascii_digit())
    })
}

/// Parameters, `-`, names with an extension and well-known names are not segments to judge.
fn is_kebab_case(segment: &str) -> bool {
    let free = segment.starts_with(['{', '.']) || segment == "-" || segment.ends_with(".json");
    free || segment
        .chars()
        .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '-')
}

/// `/core/query-keys-camel-case`.
fn query_keys(document: &Value, operation: &Value) -> Vec<String> {
    let parameters = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    parameters
        .map(|parameter| resolve(document, parameter))
        .filter(|parameter| parameter.get("in").and_then(Value::as_str) == Some("query"))
        .filter_map(|parameter| parameter.get("name").and_then(Value::as_str))
        .filter(|name| !is_camel_case(name))
        .map(|name| format!("query key {name} is not in camel case"))
        .collect()
}

fn is_camel_case(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_ascii_lowercase())
        && name.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn responses<'a>(document: &'a Value, operation: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let all = operation
        .get("responses")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    all.map(|(status, response)| (status.as_str(), resolve(document, response)))
        .collect()
}

/// `/core/error-handling/problem-details`: on every 4xx and 5xx, with status, title and detail.
fn problems(document: &Value, operation: &Value) -> Vec<String> {
    let is_error = |status: &str| status.starts_with('4') || status.starts_with('5');
    let all = responses(document, operation).into_iter();
    all.filter(|(status, _)| is_error(status))
        .filter_map(|(status, response)| {
            let schema = response.pointer("/content/application~1problem+json/schema");
            let Some(schema) = schema.map(|schema| resolve(document, schema)) else {
                return Some(format!("{status} is no problem document"));
            };
            let members = ["status", "title", "detail"];
            let lacks = |name: &&&str| schema.pointer(&format!("/properties/{name}")).is_none();
            members
                .iter()
                .find(lacks)
                .map(|name| format!("{status}: the problem has no {name}"))
        })
        .collect()
}

/// `/core/version-header`: every response tells the full version.
fn versioned(document: &Value, operation: &Value) -> Vec<String> {
    let lacks = |response: &Value| {
        let fields = response.get("headers").and_then(Value::as_object);
        !fields
            .into_iter()
            .flatten()
            .any(|(name, _)| name.eq_ignore_ascii_case("api-version"))
    };
    let all = responses(document, operation).into_iter();
    all.filter(|(_, response)| lacks(response))
        .map(|(status, _)| format!("{status} without API-Version"))
        .collect()
}

/// `/core/error-handling/invalid-input`: 400 wherever there is input.
fn invalid_input(document: &Value, path: &str, operation: &Value) -> Option<String> {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let has_input = path.contains('{')
        || operation.get("requestBody").is_some()
        || parameters.is_some_and(|parameters| !parameters.is_empty());
    let tells = responses(document, operation)
        .iter()
        .any(|(status, _)| *status == "400");
    (has_input && !tells).then(|| "has input and no 400".to_owned())
}

/// The same on the wire: one answer that is fine and one that is a problem.
fn wire(service: &Service) -> Result<Vec<String>, String> {
    let mut broken = Vec::new();
    let fine = service.send("GET", "/v1/roads", &[], b"")?;
    if !fine.field("api-version").is_some_and(is_semantic_version) {
        broken.push("GET /v1/roads: API-Version is not the full version".to_owned());
    }
    let slash = service.send("GET", "/v1/roads/", &[], b"")?;
    if slash.status != 404 {
        broken.push(format!("GET /v1/roads/: {} where 404 is due", slash.status));
    }
    let bad = service.send("GET", "/v1/roads?colour=red", &[], b"")?;
    let problem: Value = serde_json::from_slice(&bad.body).unwrap_or_default();
    let whole = ["status", "title", "detail"]
        .iter()
        .all(|name| problem.get(name).is_some());
    if bad.field("content-type") != Some("application/problem+json") || !whole {
        broken.push("GET /v1/roads?colour=red: not a whole problem document".to_owned());
    }
    Ok(broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_judged_as_the_rules_say() {
        assert!(is_kebab_case("road-works") && is_kebab_case("{id}") && is_kebab_case("-"));
        assert!(!is_kebab_case("roadWorks") && !is_kebab_case("road_works"));
        assert!(is_camel_case("pageSize") && !is_camel_case("page_size"));
        assert!(has_major_version("/v1/roads") && !has_major_version("/version/roads"));
        assert!(is_semantic_version("1.0.2-rc.1") && !is_semantic_version("1.0"));
    }

    #[test]
    fn an_error_without_problem_details_and_a_response_without_version_are_found() {
        let document = json!({});
        let operation = json!({ "parameters": [{ "in": "query", "name": "page_size" }],
            "responses": { "404": { "description": "gone" } } });
        assert_eq!(query_keys(&document, &operation).len(), 1);
        assert_eq!(problems(&document, &operation).len(), 1);
        assert_eq!(versioned(&document, &operation).len(), 1);
        assert!(invalid_input(&document, "/roads", &operation).is_some());
    }
}
