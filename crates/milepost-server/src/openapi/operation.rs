//! One operation: a method of a path, with all that can be asked and answered.

use serde_json::{Map, Value, json};

use super::{component, object, responses};

/// An operation being described.
#[derive(Debug)]
pub(super) struct Operation {
    id: String,
    tag: String,
    summary: String,
    description: String,
    parameters: Vec<Value>,
    body: Option<Value>,
    answers: Map<String, Value>,
}

impl Operation {
    pub(super) fn new(id: impl Into<String>, tag: &str, summary: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            tag: tag.to_owned(),
            summary: summary.into(),
            description: String::new(),
            parameters: Vec::new(),
            body: None,
            answers: Map::new(),
        }
    }

    pub(super) fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Takes these parameters of the document's components.
    pub(super) fn takes(mut self, names: &[&str]) -> Self {
        self.parameters
            .extend(names.iter().map(|name| component("parameters", name)));
        self
    }

    /// Takes these parameters, that are its own.
    pub(super) fn takes_own(mut self, parameters: Vec<Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// Takes a body of one of these media types.
    pub(super) fn body(mut self, content: &Value) -> Self {
        self.body = Some(json!({ "required": true, "content": content }));
        self
    }

    /// Answers with this response.
    pub(super) fn answers(mut self, status: u16, response: Value) -> Self {
        self.answers.insert(status.to_string(), response);
        self
    }

    /// Answers with a response of the document's components.
    pub(super) fn answers_as(self, status: u16, name: &str) -> Self {
        let response = component("responses", name);
        self.answers(status, response)
    }

    /// Answers with problems of these statuses, besides those that every operation has.
    pub(super) fn refuses(mut self, statuses: &[u16]) -> Self {
        for status in statuses.iter().chain(responses::EVERYWHERE) {
            let response = component("responses", &responses::problem_name(*status));
            self.answers.insert(status.to_string(), response);
        }
        self
    }

    pub(super) fn into_json(self) -> Value {
        let mut answers: Vec<_> = self.answers.into_iter().collect();
        answers.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut operation = object([
            ("operationId", Value::from(self.id)),
            ("tags", json!([self.tag])),
            ("summary", Value::from(self.summary)),
            ("description", Value::from(self.description)),
        ]);
        if !self.parameters.is_empty() {
            operation.insert("parameters".to_owned(), self.parameters.into());
        }
        if let Some(body) = self.body {
            operation.insert("requestBody".to_owned(), body);
        }
        operation.insert("responses".to_owned(), Value::Object(object(answers)));
        Value::Object(operation)
    }
}
