//! Which resource a record becomes: collection, parents, id.

use std::str::FromStr as _;

use milepost_semantics::{CollectionName, JsonPointer, ResourceId, json};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use uuid::Uuid;

use super::{Record, chunk::Operation, identity::NAMESPACE};
use crate::exit::Failure;

/// Where a record's id comes from.
#[derive(Clone, Debug)]
pub(crate) enum Ids {
    /// The member at this place of the record.
    Pointer(JsonPointer),
    /// Made up from the record and its number: the same each time.
    Generated,
}

/// Where records go.
#[derive(Debug)]
pub(crate) struct Place {
    /// The collection as a path, `books` or `books/solaris/reviews`; or its dotted name,
    /// `books.reviews`, when parents come with the records. `None`: the records say it.
    pub(crate) collection: Option<String>,
    /// Where ids come from.
    pub(crate) ids: Ids,
    /// The members that name the parents, outermost first, for a dotted collection.
    pub(crate) parents: Vec<String>,
    /// Whether records are lines of an export; `None`: look at the first.
    pub(crate) enveloped: Option<bool>,
}

/// A line of an export: the resource, and where it was.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<'a> {
    collection: String,
    #[serde(default)]
    parents: Vec<String>,
    id: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

impl Place {
    /// Finds out from the first record whether this is an export; whether it is.
    pub(crate) fn look_at(&mut self, first: &Record) -> bool {
        let looks_so = || serde_json::from_slice::<Envelope<'_>>(&first.bytes).is_ok();
        *self.enveloped.get_or_insert_with(looks_so)
    }

    /// Says what is missing to place records that are no export.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        let is_plain = self.enveloped == Some(false);
        match &self.collection {
            None if is_plain => Err(Failure::usage("into which collection?")
                .hint("name it with --collection, e.g. --collection books")),
            Some(dotted) if is_plain && !dotted.contains('/') => {
                let levels = dotted.matches('.').count();
                if levels == self.parents.len() {
                    return Ok(());
                }
                Err(Failure::usage(format!(
                    "{dotted} lies {levels} levels down: below which parents?"
                ))
                .hint("name the members that say it with --parent-field, once for each level")
                .hint("or give one parent's collection, e.g. --collection books/solaris/reviews"))
            }
            _ => Ok(()),
        }
    }

    /// The operation that a record asks for, or what is wrong with it.
    pub(crate) fn operation(&self, number: u64, record: Record) -> Result<Operation, String> {
        let value = json::parse(&record.bytes, json::Limits::with_depth(json::DEPTH_MAX))
            .map_err(|error| located(&error))?;
        let line = record.line;
        if self.enveloped == Some(true) {
            let (path, value) = self.unpacked(&record)?;
            return Ok(Operation { line, path, value });
        }
        let id = self.id(number, &record, &value)?;
        let path = self.path(&value, &id)?;
        Ok(Operation {
            line,
            path,
            value: record.bytes,
        })
    }

    fn unpacked(&self, record: &Record) -> Result<(String, Vec<u8>), String> {
        let envelope: Envelope<'_> = serde_json::from_slice(&record.bytes)
            .map_err(|error| format!("not a line of an export, as the first one is: {error}"))?;
        let collection = self.collection.as_deref().unwrap_or(&envelope.collection);
        let path = path(collection, &envelope.parents, checked_id(&envelope.id)?)?;
        Ok((path, envelope.value.get().as_bytes().to_vec()))
    }

    fn id(&self, number: u64, record: &Record, value: &Value) -> Result<String, String> {
        let pointer = match &self.ids {
            Ids::Pointer(pointer) => pointer,
            Ids::Generated => return Ok(generated(number, &record.bytes)),
        };
        let id = text_at(value, pointer)
            .ok_or_else(|| format!("there is no text or whole number at {pointer} to be the id"))?;
        checked_id(&id)?;
        Ok(id)
    }

    fn path(&self, value: &Value, id: &str) -> Result<String, String> {
        let collection = self.collection.as_deref().unwrap_or_default();
        if collection.contains('/') {
            return Ok(format!("{}/{id}", collection.trim_matches('/')));
        }
        let parent = |field: &String| {
            let text = value.get(field).and_then(text_of);
            let text =
                text.ok_or_else(|| format!("there is no member {field:?} to name the parent"))?;
            checked_id(&text)?;
            Ok(text)
        };
        let parents: Result<Vec<String>, String> = self.parents.iter().map(parent).collect();
        path(collection, &parents?, id)
    }
}

/// `books.reviews`, `[solaris]`, `r1` → `books/solaris/reviews/r1`.
fn path(collection: &str, parents: &[String], id: &str) -> Result<String, String> {
    if collection.contains('/') {
        return Ok(format!("{}/{id}", collection.trim_matches('/')));
    }
    let names: Vec<&str> = collection.split('.').collect();
    for name in &names {
        CollectionName::from_str(name).map_err(|error| error.to_string())?;
    }
    if names.len() != parents.len() + 1 {
        return Err(format!(
            "{collection} needs {} parents, not {}",
            names.len() - 1,
            parents.len()
        ));
    }
    let mut segments = Vec::new();
    for (name, id) in names
        .iter()
        .zip(parents.iter().map(String::as_str).chain([id]))
    {
        segments.extend([*name, id]);
    }
    Ok(segments.join("/"))
}

fn checked_id(id: &str) -> Result<&str, String> {
    match ResourceId::from_str(id) {
        Ok(_) => Ok(id),
        Err(error) => Err(format!("{id:?} can't be an id: {error}")),
    }
}

/// The text or whole number at a place; nothing else makes an id.
fn text_at(value: &Value, pointer: &JsonPointer) -> Option<String> {
    text_of(value.pointer(&pointer.to_string())?)
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => {
            let text = number.to_string();
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then_some(text)
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn generated(number: u64, bytes: &[u8]) -> String {
    let seed = [&number.to_be_bytes(), bytes].concat();
    Uuid::new_v5(&NAMESPACE, &seed).to_string()
}

/// What is wrong, with the line within the record where that is not the first.
fn located(error: &json::JsonError) -> String {
    match error.line {
        1 => format!("column {}: {}", error.column, error.detail),
        line => format!("{line} lines in, column {}: {}", error.column, error.detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(collection: &str) -> Place {
        Place {
            collection: Some(collection.to_owned()),
            ids: Ids::Pointer(JsonPointer::parse("/id").unwrap()),
            parents: Vec::new(),
            enveloped: None,
        }
    }

    fn record(text: &str) -> Record {
        Record {
            line: 7,
            bytes: text.as_bytes().to_vec(),
        }
    }

    fn path_of(mut place: Place, text: &str) -> Result<String, String> {
        place.look_at(&record(text));
        place
            .operation(1, record(text))
            .map(|operation| operation.path)
    }

    #[test]
    fn a_text_or_a_whole_number_can_be_the_id() {
        assert_eq!(
            path_of(place("books"), r#"{"id":"a-1"}"#).unwrap(),
            "books/a-1"
        );
        assert_eq!(path_of(place("books"), r#"{"id":17}"#).unwrap(), "books/17");
        for text in [
            r#"{"id":1.5}"#,
            r#"{"id":null}"#,
            "{}",
            "[1]",
            r#"{"id":"a b"}"#,
        ] {
            assert!(path_of(place("books"), text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_same_key_twice_is_refused_before_it_is_sent() {
        let error = path_of(place("books"), r#"{"id":"a","x":1,"x":2}"#).unwrap_err();
        assert!(error.contains("same key twice"), "{error}");
    }

    #[test]
    fn a_line_of_an_export_goes_back_to_where_it_was() {
        let line =
            r#"{"collection":"books.reviews","parents":["solaris"],"id":"r1","value":{"a": 1}}"#;
        let mut place = Place {
            collection: None,
            ..place("")
        };
        assert!(place.look_at(&record(line)));
        let operation = place.operation(1, record(line)).unwrap();
        assert_eq!(operation.path, "books/solaris/reviews/r1");
        assert_eq!(operation.value, br#"{"a": 1}"#);
    }

    #[test]
    fn a_record_that_only_resembles_an_export_is_a_record() {
        let text = r#"{"collection":"stamps","id":"s1","value":3,"colour":"red"}"#;
        assert_eq!(path_of(place("things"), text).unwrap(), "things/s1");
    }

    #[test]
    fn children_find_their_parents_by_a_member() {
        let place = Place {
            parents: vec!["book".to_owned()],
            ..place("books.reviews")
        };
        let text = r#"{"id":"r1","book":"solaris"}"#;
        assert_eq!(path_of(place, text).unwrap(), "books/solaris/reviews/r1");
        assert_eq!(
            path_of(self::place("books/x/reviews"), text).unwrap(),
            "books/x/reviews/r1"
        );
    }

    #[test]
    fn generated_ids_are_the_same_each_time_and_differ_between_equal_records() {
        assert_eq!(generated(1, b"{}"), generated(1, b"{}"));
        assert_ne!(generated(1, b"{}"), generated(2, b"{}"));
    }
}
