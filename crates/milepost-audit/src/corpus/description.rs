//! An OpenAPI 3.0 or 3.1 description, as far as an auditor reads it: operations, parameters with
//! examples, bodies, and what it admits about sessions.

use serde_json::{Map, Value, json};

use crate::http::Response;

/// Methods that a path can describe.
const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];
/// How deep references and schemas are followed.
const DEPTH_MAX: usize = 12;

/// A parsed description.
#[derive(Clone, Debug)]
pub(crate) struct Description {
    pub(crate) document: Value,
}

/// One described operation.
#[derive(Clone, Debug)]
pub(crate) struct Described<'d> {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) value: &'d Value,
    item: &'d Value,
}

impl Described<'_> {
    /// As reports name it.
    pub(crate) fn label(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

impl Description {
    /// Parses a document, JSON or YAML.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let document = document(text)?;
        let version = document
            .get("openapi")
            .and_then(Value::as_str)
            .unwrap_or_default();
        if !version.starts_with("3.") {
            return Err(format!(
                "the description is OpenAPI {version:?}, not 3.0 or 3.1"
            ));
        }
        Ok(Self { document })
    }

    /// The description that an answer holds, if it does: YAML has many media types, and files of it
    /// often go as plain text.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let kind = response.media_type();
        let is_named = kind.contains("json") || kind.contains("yaml") || kind.contains("openapi");
        let text = response.text();
        let is_likely = is_named || text.lines().any(|line| line.starts_with("openapi:"));
        is_likely.then(|| Self::parse(&text).ok()).flatten()
    }

    /// The path below which the described paths lie, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        let server = self
            .document
            .pointer("/servers/0/url")
            .and_then(Value::as_str)
            .unwrap_or("");
        let path = server.split_once("://").map_or(server, |(_, rest)| {
            rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("")
        });
        path.trim_end_matches('/').to_owned()
    }

    /// Every operation, in the order of the description.
    pub(crate) fn operations(&self) -> Vec<Described<'_>> {
        let paths = self.document.get("paths").and_then(Value::as_object);
        let mut found = Vec::new();
        for (path, item) in paths.into_iter().flatten() {
            let item = self.followed(item);
            let described = METHODS.iter().filter_map(|method| {
                let value = item.get(method)?;
                let method = method.to_ascii_uppercase();
                let path = path.clone();
                Some(Described {
                    method,
                    path,
                    value,
                    item,
                })
            });
            found.extend(described);
        }
        found
    }

    /// The targets of GETs that can be built, on a service that is asked below `base`: a description
    /// whose server has no path stands there.
    pub(crate) fn targets_below(&self, base: &str) -> Vec<String> {
        let targets = self.targets();
        if !self.base().is_empty() {
            return targets;
        }
        let below = targets.iter().map(|target| format!("{base}{target}"));
        below.collect()
    }

    /// The targets of GETs that can be built: no parameter needed, or an example for each.
    fn targets(&self) -> Vec<String> {
        let gets = self.operations();
        let gets = gets.iter().filter(|operation| operation.method == "GET");
        gets.filter_map(|operation| self.target(operation))
            .collect()
    }

    fn target(&self, operation: &Described<'_>) -> Option<String> {
        let mut path = format!("{}{}", self.base(), operation.path);
        let mut query: Vec<String> = Vec::new();
        for parameter in self.parameters(operation) {
            let name = parameter.get("name")?.as_str()?;
            let is_required = parameter
                .get("required")
                .and_then(Value::as_bool)
                .unwrap_or(false);
            let place = parameter.get("in")?.as_str()?;
            if !is_required {
                continue;
            }
            let value = self.example(parameter)?;
            match place {
                "path" => path = path.replace(&format!("{{{name}}}"), &value),
                "query" => query.push(format!("{name}={value}")),
                _ => return None,
            }
        }
        if path.contains('{') {
            return None;
        }
        let mark = if query.is_empty() { "" } else { "?" };
        Some(format!("{path}{mark}{}", query.join("&")))
    }

    /// An operation's parameters, those of its path included.
    pub(crate) fn parameters<'d>(&'d self, operation: &Described<'d>) -> Vec<&'d Value> {
        let lists = [
            operation.item.get("parameters"),
            operation.value.get("parameters"),
        ];
        let all = lists
            .into_iter()
            .flatten()
            .filter_map(Value::as_array)
            .flatten();
        all.map(|parameter| self.followed(parameter)).collect()
    }

    fn example(&self, parameter: &Value) -> Option<String> {
        let schema = parameter.get("schema").map(|schema| self.followed(schema));
        let named = parameter.get("examples").and_then(Value::as_object);
        let found = parameter
            .get("example")
            .or_else(|| named?.values().next()?.get("value"))
            .or_else(|| schema?.get("example"))
            .or_else(|| schema?.get("default"))
            .or_else(|| schema?.pointer("/enum/0"))?;
        let text = found
            .as_str()
            .map_or_else(|| found.to_string(), str::to_owned);
        text.chars()
            .all(|c| c.is_ascii_graphic() && !"?#/&".contains(c))
            .then_some(text)
    }

    /// A JSON body that an operation takes, by its example or made of its schema.
    pub(crate) fn body(&self, operation: &Described<'_>) -> Option<Value> {
        let body = self.followed(operation.value.get("requestBody")?);
        let content = body.get("content")?.as_object()?;
        let (_, media) = content.iter().find(|(name, _)| name.contains("json"))?;
        let named = media.get("examples").and_then(Value::as_object);
        let example = media
            .get("example")
            .or_else(|| named?.values().next()?.get("value"));
        example
            .cloned()
            .or_else(|| self.instance(media.get("schema")?, DEPTH_MAX))
    }

    /// A value that a schema allows, as far as its plain keywords say.
    fn instance(&self, schema: &Value, depth: usize) -> Option<Value> {
        let depth = depth.checked_sub(1)?;
        let schema = self.followed(schema);
        let given = ["example", "default", "const"]
            .iter()
            .find_map(|name| schema.get(name));
        let given = given
            .or_else(|| schema.pointer("/examples/0"))
            .or_else(|| schema.pointer("/enum/0"));
        if let Some(given) = given {
            return Some(given.clone());
        }
        let choice = ["oneOf", "anyOf", "allOf"]
            .iter()
            .find_map(|name| schema.get(name)?.get(0));
        let kind = match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.first().and_then(Value::as_str),
            kind => kind.and_then(Value::as_str),
        };
        match kind {
            Some("string") => Some(json!(text_of(schema))),
            Some("integer" | "number") => Some(schema.get("minimum").cloned().unwrap_or(json!(1))),
            Some("boolean") => Some(json!(true)),
            Some("array") => self.array(schema, depth),
            None if choice.is_some() => self.instance(choice?, depth),
            _ => self.object(schema, depth),
        }
    }

    fn array(&self, schema: &Value, depth: usize) -> Option<Value> {
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
        if least == 0 {
            return Some(json!([]));
        }
        Some(json!([self.instance(schema.get("items")?, depth)?]))
    }

    fn object(&self, schema: &Value, depth: usize) -> Option<Value> {
        let mut members = Map::new();
        let required = schema.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten().filter_map(Value::as_str) {
            let member = schema.get("properties").and_then(|all| all.get(name));
            members.insert(
                name.to_owned(),
                member.map_or(Some(json!("x")), |member| self.instance(member, depth))?,
            );
        }
        Some(Value::Object(members))
    }

    /// What a `$ref` stands for; other values stand for themselves.
    pub(crate) fn followed<'d>(&'d self, value: &'d Value) -> &'d Value {
        let mut value = value;
        for _ in 0..DEPTH_MAX {
            let target = value.get("$ref").and_then(Value::as_str);
            let found = target.and_then(|target| self.document.pointer(target.strip_prefix('#')?));
            match found {
                Some(found) => value = found,
                None => break,
            }
        }
        value
    }
}

/// JSON by its first letter, else YAML: JSON's own errors are better, and its numbers exact.
fn document(text: &str) -> Result<Value, String> {
    if text.trim_start().starts_with(['{', '[']) {
        return serde_json::from_str(text)
            .map_err(|error| format!("the description is no JSON: {error}"));
    }
    serde_saphyr::from_str(text).map_err(|error| format!("the description is no YAML: {error}"))
}

fn text_of(schema: &Value) -> String {
    let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(0);
    match schema.get("format").and_then(Value::as_str) {
        Some("date") => "2026-01-02".to_owned(),
        Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
        Some("email") => "audit@example.org".to_owned(),
        Some("uri" | "url") => "https://example.org/".to_owned(),
        Some("uuid") => "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".to_owned(),
        _ => "audit".repeat(usize::try_from(least.min(1_000)).unwrap_or(0) / 5 + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_and_bodies_are_built_of_examples_and_schemas() {
        let text = json!({
            "openapi": "3.1.0", "servers": [{"url": "http://h/v1/"}],
            "components": { "schemas": { "Book": { "type": "object", "required": ["title", "year"],
                "properties": { "title": {"type": "string", "minLength": 7}, "year": {"type": "integer", "minimum": 1900} } } },
                "parameters": { "id": {"name": "id", "in": "path", "required": true, "example": 7} } },
            "paths": {
                "/books": { "get": {}, "post": { "requestBody": { "content": { "application/json": { "schema": {"$ref": "#/components/schemas/Book"} } } } } },
                "/books/{id}": { "parameters": [{"$ref": "#/components/parameters/id"}], "get": {} },
                "/books/{id}/x/{y}": { "get": {} } }
        });
        let description = Description::parse(&text.to_string()).unwrap();
        assert_eq!(description.targets(), ["/v1/books", "/v1/books/7"]);
        let operations = description.operations();
        let post = operations
            .iter()
            .find(|operation| operation.method == "POST")
            .unwrap();
        assert_eq!(
            description.body(post).unwrap(),
            json!({"title": "auditaudit", "year": 1900})
        );
        assert!(Description::parse("{\"swagger\": \"2.0\"}").is_err());
    }

    #[test]
    fn a_description_in_yaml_is_the_same_description() {
        for version in ["3.0.3", "3.1.0"] {
            let text = format!(
                "# Books.\nopenapi: {version}\nservers:\n  - url: https://h/v1\npaths:\n  /books:\n    \
                 get:\n      responses: &answers\n        200: {{description: a page}}\n        \
                 '404': {{description: none}}\n  /books/{{id}}:\n    get:\n      parameters:\n        \
                 - {{name: id, in: path, required: true, example: 7}}\n      responses: *answers\n"
            );
            let description = Description::parse(&text).unwrap();
            assert_eq!(description.targets(), ["/v1/books", "/v1/books/7"]);
            for operation in description.operations() {
                let responses = operation.value.get("responses").unwrap();
                assert!(responses.get("200").is_some() && responses.get("404").is_some());
            }
        }
        let linked = |kind: &str, body: &str| {
            let fields = crate::http::Fields::default().with("content-type", kind);
            let body = body.as_bytes().to_vec();
            Description::of(&Response {
                fields,
                body,
                ..Response::default()
            })
        };
        let text = "# Books.\nopenapi: 3.0.3\npaths:\n  /books: {get: {}}\n";
        for kind in [
            "application/yaml",
            "application/vnd.oai.openapi;version=3.0",
            "text/plain",
        ] {
            let found = linked(kind, text).map(|found| found.targets_below("/v2"));
            assert_eq!(found, Some(vec!["/v2/books".to_owned()]), "{kind}");
        }
        assert!(linked("text/plain", "Books\n").is_none());
        for wrong in [
            "openapi: 3.1.0\n\tpaths: {}",
            "swagger: '2.0'",
            "just words",
        ] {
            assert!(Description::parse(wrong).is_err(), "{wrong}");
        }
    }
}
