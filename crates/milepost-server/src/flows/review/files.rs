//! What is wrong with the files that a step asks for, as far as the definition tells.

use milepost_store::definition::Schema;
use serde_json::Value;

use super::{Review, token};
use crate::flows::{
    definition::Step,
    expression,
    file::{self, Wanted},
    template,
};

impl Review<'_> {
    pub(super) fn files(&mut self, at: &str, step: &Step) {
        let members = step.properties();
        for (name, schema) in members.filter(|(_, schema)| schema.get(file::KEYWORD).is_some()) {
            let at = format!("{at}/schema/properties/{}", token(name));
            if let Some(wanted) = Wanted::of(schema) {
                self.file(&at, (step, name), (schema, &wanted));
            }
        }
    }

    fn file(&mut self, at: &str, (step, name): (&Step, &str), (schema, wanted): (&Value, &Wanted)) {
        if !takes_links(schema) {
            let detail = "what is answered with a file is an object of href, etag and name: say \"type\": \"object\", and no more";
            self.tell(at, detail);
        }
        let most = file::most_bytes(self.resource_bytes_max);
        if wanted.max_bytes > most {
            let detail = format!(
                "is at most {most}, since a resource has at most {} bytes here (resourceBytesMax) and holds the file as base64",
                self.resource_bytes_max
            );
            self.tell(format!("{at}/file/maxBytes"), detail);
        }
        let link = format!("/{}/{name}/href", step.id);
        let mut operations = self.flow.transaction.operations.iter();
        if !operations.any(|operation| is_about(operation, &link, (&step.id, name))) {
            let detail = format!(
                "the file is a draft, which goes by itself: let an operation PATCH {{\"$answer\": {link:?}}}, so that it stays"
            );
            self.tell(format!("{at}/file"), detail);
        }
    }
}

/// Whether a member's schema takes what a file is answered with.
fn takes_links(schema: &Value) -> bool {
    let link = serde_json::json!({ "href": "/v1/files/a", "etag": "\"a\"", "name": "a" });
    let is_object = schema.get("type").is_some_and(|kind| kind == "object");
    is_object && Schema::compile(schema).is_ok_and(|schema| schema.violations(&link).is_empty())
}

/// Whether an operation writes the file that is answered there.
fn is_about(operation: &Value, link: &str, (step, name): (&str, &str)) -> bool {
    let is_write = operation
        .get("method")
        .is_some_and(|method| method != "CHECK");
    let href = operation.get("href").and_then(Value::as_object);
    let spoken = match href.and_then(template::directive) {
        Some(("$answer", answer)) => answer == link,
        Some((_, text)) => expression::mentions(text).is_ok_and(|mentions| {
            let answer = (step.to_owned(), Some(name.to_owned()));
            mentions.answers.contains(&answer)
        }),
        None => false,
    };
    is_write && spoken
}
