//! The OpenAPI document that the running server generates.

use serde_json::Value;

use super::service::Service;

/// Its text.
///
/// # Errors
/// When it cannot be read.
pub(super) fn text(service: &Service) -> Result<String, String> {
    let answer = service.send("GET", "/v1/openapi.json", &[], b"")?;
    String::from_utf8(answer.body).map_err(|error| format!("openapi.json: {error}"))
}

/// Its value.
///
/// # Errors
/// When it cannot be read or is not JSON.
pub(super) fn value(service: &Service) -> Result<Value, String> {
    serde_json::from_str(&text(service)?).map_err(|error| format!("openapi.json: {error}"))
}

/// Every operation as (path, method, operation).
pub(super) fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    const METHODS: &[&str] = &[
        "get", "put", "post", "patch", "delete", "query", "options", "head",
    ];
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    paths
        .flat_map(|(path, item)| {
            let operations = item.as_object().into_iter().flatten();
            operations
                .filter(|(method, _)| METHODS.contains(&method.as_str()))
                .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        })
        .collect()
}

/// What a value stands for: itself, or what its `$ref` points at in the same document.
pub(super) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let reference = value.get("$ref").and_then(Value::as_str);
    let pointer = reference.and_then(|reference| reference.strip_prefix('#'));
    pointer
        .and_then(|pointer| document.pointer(pointer))
        .unwrap_or(value)
}
