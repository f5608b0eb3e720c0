//! Export: a collection as of one position, as lines or rows.
//!
//! Lines are lossless: each says where its resource was, so that an import takes it back there.

mod rows;
mod target;

use serde_json::{Value, json};

pub(crate) use self::{rows::Spool, target::Target};
use crate::pages::Item;

/// A resource's line: where it was, and its representation as it was.
pub(crate) fn line(collection: &str, parents: &[String], id: &str, value: &str) -> String {
    let head = match parents {
        [] => json!({ "collection": collection, "id": id }),
        _ => json!({ "collection": collection, "parents": parents, "id": id }),
    };
    with_value(&head, value)
}

/// An object of these members and, last, a value that is put in as text, on one line.
pub(crate) fn with_value(head: &Value, value: &str) -> String {
    let head = head.to_string();
    let head = head.strip_suffix('}').unwrap_or(&head);
    format!("{head},\"value\":{}}}", on_one_line(value))
}

/// The representation of a listed resource.
pub(crate) fn value_of(item: &Item) -> &str {
    item.value.as_ref().map_or("null", |raw| raw.get())
}

/// A JSON text without line breaks; one that has none stays as it is, byte for byte.
///
/// Line breaks can only stand between tokens: in strings they are escaped.
pub(crate) fn on_one_line(json: &str) -> String {
    json.replace(['\n', '\r'], "")
}

/// A cell of a row: texts as they are, nothing for null, everything else as JSON.
pub(crate) fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_where_the_resource_was_and_keeps_its_digits() {
        assert_eq!(
            line(
                "books.reviews",
                &["solaris".to_owned()],
                "r1",
                "{\"n\":\n 1.00}"
            ),
            r#"{"collection":"books.reviews","parents":["solaris"],"id":"r1","value":{"n": 1.00}}"#
        );
        assert_eq!(
            line("books", &[], "b", "[]"),
            r#"{"collection":"books","id":"b","value":[]}"#
        );
    }
}
