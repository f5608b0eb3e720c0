//! What is wrong with the files that a step asks for, as far as the definition tells.

use milepost_store::definition::Schema;
use serde_json::Value;

use super::{Review, token};
use crate::flows::{
    definition::Step,
    file::{self, Member, Spoken, Wanted},
};

impl Review<'_> {
    pub(super) fn files(&mut self, at: &str, step: &Step) {
        let operations = self.flow.transaction.operations.iter();
        let writes = operations.filter(|operation| is_write(operation));
        let written: Vec<Spoken<'_>> = writes.map(Spoken::of).collect();
        let members = step.properties();
        for (name, schema) in members.filter(|(_, schema)| schema.get(file::KEYWORD).is_some()) {
            let at = format!("{at}/schema/properties/{}", token(name));
            if let Some(wanted) = Wanted::of(schema) {
                self.file(&at, schema, &wanted);
                self.stays(&at, (&step.id, name), &written);
            }
        }
        self.files_together(at, step);
    }

    fn files_together(&mut self, at: &str, step: &Step) {
        let most = file::bytes_per_step_max(self.resource_bytes_max);
        let each = step.files().map(|(_, wanted)| wanted.max_bytes);
        let all = each.fold(0, usize::saturating_add);
        if all > most {
            let detail = format!(
                "its files are up to {all} bytes together, a step's are at most {most}: ask for some of them at another step"
            );
            self.tell(format!("{at}/schema/properties"), detail);
        }
    }

    fn file(&mut self, at: &str, schema: &Value, wanted: &Wanted) {
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
    }

    /// A file that no operation writes would go.
    fn stays(&mut self, at: &str, member: Member<'_>, written: &[Spoken<'_>]) {
        if !written.iter().any(|spoken| spoken.is(member)) {
            let link = file::link_of(member);
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

/// Whether there is something where an operation writes to, afterwards.
fn is_write(operation: &Value) -> bool {
    let method = operation.get("method");
    method.is_some_and(|method| method != "CHECK" && method != "DELETE")
}
