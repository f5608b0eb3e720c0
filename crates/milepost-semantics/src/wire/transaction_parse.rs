//! Reading a transaction document: strictly, and with everything that is wrong told at once.
//!
//! A member nobody knows is a mistake too: a mistyped `ifMatch` must not be a write without guard.

use serde_json::{Map, Value};

use super::transaction::{OperationKind, PatchFormat, TransactionDocument, TransactionOperation};
use crate::patch::{JSON_PATCH_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE};
use crate::pointer::JsonPointer;
use crate::precondition::{IfMatch, IfNoneMatch, Preconditions};
use crate::problem::{Issue, Part};
use crate::tag::EntityTag;

const OPERATION_MEMBERS: [&str; 6] = [
    "method",
    "href",
    "ifMatch",
    "ifNoneMatch",
    "contentType",
    "value",
];

pub(super) fn document(document: Value) -> Result<TransactionDocument, Vec<Issue>> {
    let Value::Object(mut members) = document else {
        return Err(vec![issue(
            "",
            "a transaction is an object with \"operations\"",
        )]);
    };
    let operations = members.shift_remove("operations");
    let mut issues: Vec<_> = members.keys().map(|name| unknown("", name)).collect();
    let operations = match operations {
        Some(Value::Array(operations)) if !operations.is_empty() => operations,
        Some(_) => {
            issues.push(issue(
                "/operations",
                "\"operations\" is a list of at least one operation",
            ));
            return Err(issues);
        }
        None => {
            issues.push(issue("", "\"operations\" is missing"));
            return Err(issues);
        }
    };
    let numbered = operations.into_iter().enumerate();
    let operations = numbered
        .filter_map(|(index, value)| Reader::new(index, &mut issues).operation(value))
        .collect();
    if issues.is_empty() {
        Ok(TransactionDocument { operations })
    } else {
        Err(issues)
    }
}

/// Reads one operation, noting what is wrong with it.
struct Reader<'i> {
    pointer: String,
    issues: &'i mut Vec<Issue>,
}

impl<'i> Reader<'i> {
    fn new(index: usize, issues: &'i mut Vec<Issue>) -> Self {
        Self {
            pointer: format!("/operations/{index}"),
            issues,
        }
    }

    /// `None` when at least one issue was noted.
    fn operation(mut self, value: Value) -> Option<TransactionOperation> {
        let noted_before = self.issues.len();
        let Value::Object(mut members) = value else {
            self.note("", "an operation is an object");
            return None;
        };
        for name in members
            .keys()
            .filter(|name| !OPERATION_MEMBERS.contains(&name.as_str()))
        {
            self.issues.push(unknown(&self.pointer, name));
        }
        let href = self.href(&members);
        let preconditions = self.preconditions(&members);
        let kind = self.kind(&mut members);
        let is_good = self.issues.len() == noted_before;
        let operation = TransactionOperation {
            kind: kind?,
            href: href?,
            preconditions,
        };
        is_good.then_some(operation)
    }

    fn href(&mut self, members: &Map<String, Value>) -> Option<String> {
        match members.get("href") {
            Some(Value::String(href)) if href.starts_with('/') && !href.starts_with("//") => {
                Some(href.clone())
            }
            Some(value) => {
                let detail = "\"href\" is the path of a resource, starting with one '/'";
                self.note_value("/href", detail, value);
                None
            }
            None => {
                self.note("", "\"href\" is missing");
                None
            }
        }
    }

    fn preconditions(&mut self, members: &Map<String, Value>) -> Preconditions {
        let if_match = self.tags(members, "ifMatch").map(|tags| match tags {
            None => IfMatch::Any,
            Some(tags) => IfMatch::Tags(tags),
        });
        let if_none_match = self.tags(members, "ifNoneMatch").map(|tags| match tags {
            None => IfNoneMatch::Any,
            Some(tags) => IfNoneMatch::Tags(tags),
        });
        Preconditions {
            if_match,
            if_none_match,
            ..Preconditions::default()
        }
    }

    /// `Some(None)` for `*`.
    fn tags(&mut self, members: &Map<String, Value>, name: &str) -> Option<Option<Vec<EntityTag>>> {
        let value = members.get(name)?;
        let detail = match value {
            Value::String(text) if text == "*" => return Some(None),
            Value::String(text) => match EntityTag::parse_list(text.as_bytes()) {
                Ok(tags) if tags.is_empty() => "there is no entity tag".to_owned(),
                Ok(tags) => return Some(Some(tags)),
                Err(error) => error.to_string(),
            },
            _ => "it is a string, as in the header field of that name".to_owned(),
        };
        self.note_value(&format!("/{name}"), &detail, value);
        None
    }

    fn kind(&mut self, members: &mut Map<String, Value>) -> Option<OperationKind> {
        let method = members
            .get("method")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        match method.as_str() {
            "PUT" => {
                self.check_content_type(members, "application/json");
                Some(OperationKind::Put {
                    value: self.value(members)?,
                })
            }
            "PATCH" => {
                let format = self.patch_format(members);
                Some(OperationKind::Patch {
                    value: self.value(members)?,
                    format: format?,
                })
            }
            "DELETE" => {
                self.refuse_content(members, "DELETE");
                Some(OperationKind::Delete)
            }
            "CHECK" => {
                self.refuse_content(members, "CHECK");
                if !has_condition(members) {
                    self.note(
                        "",
                        "CHECK has \"ifMatch\" or \"ifNoneMatch\": it does nothing else",
                    );
                }
                Some(OperationKind::Check)
            }
            _ => {
                let detail = "\"method\" is one of PUT, PATCH, DELETE and CHECK";
                match members.get("method") {
                    Some(value) => self.note_value("/method", detail, value),
                    None => self.note("", detail),
                }
                None
            }
        }
    }

    fn value(&mut self, members: &mut Map<String, Value>) -> Option<Value> {
        let value = members.shift_remove("value");
        if value.is_none() {
            self.note("", "\"value\" is missing");
        }
        value
    }

    fn patch_format(&mut self, members: &Map<String, Value>) -> Option<PatchFormat> {
        let Some(value) = members.get("contentType") else {
            return Some(PatchFormat::MergePatch);
        };
        let format = value.as_str().and_then(PatchFormat::from_media_type);
        if format.is_none() {
            let detail = format!("it is {MERGE_PATCH_MEDIA_TYPE} or {JSON_PATCH_MEDIA_TYPE}");
            self.note_value("/contentType", &detail, value);
        }
        format
    }

    fn check_content_type(&mut self, members: &Map<String, Value>, expected: &str) {
        match members.get("contentType") {
            Some(value) if value.as_str() != Some(expected) => {
                self.note_value("/contentType", &format!("it is {expected}"), value);
            }
            _ => {}
        }
    }

    fn refuse_content(&mut self, members: &Map<String, Value>, method: &str) {
        for name in ["value", "contentType"] {
            if members.contains_key(name) {
                self.note(&format!("/{name}"), &format!("{method} has no {name:?}"));
            }
        }
    }

    fn note(&mut self, below: &str, detail: &str) {
        self.issues
            .push(issue(&format!("{}{below}", self.pointer), detail));
    }

    fn note_value(&mut self, below: &str, detail: &str, value: &Value) {
        let noted = issue(&format!("{}{below}", self.pointer), detail);
        self.issues.push(noted.with_value(value.clone()));
    }
}

/// A malformed condition was told already; it doesn't also count as missing.
fn has_condition(members: &Map<String, Value>) -> bool {
    members.contains_key("ifMatch") || members.contains_key("ifNoneMatch")
}

fn issue(pointer: &str, detail: &str) -> Issue {
    Issue::new(Part::Body, pointer, detail)
}

fn unknown(parent: &str, name: &str) -> Issue {
    let member: JsonPointer = [name].into_iter().collect();
    Issue::new(
        Part::Body,
        format!("{parent}{member}"),
        format!("there is no member {name:?}"),
    )
}
