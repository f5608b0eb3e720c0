//! What header fields have in common: the grammar they are made of, and how one is malformed.
//!
//! What a field means stands in the module of its name.

pub(crate) mod grammar;

use http::header::{HeaderMap, HeaderName};

/// A field of a request that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {field} field is malformed: {detail}")]
pub struct MalformedField {
    /// Which field, in lower case.
    pub field: HeaderName,
    /// What is wrong with it, for the client.
    pub detail: String,
    /// The value as received, non-UTF-8 bytes replaced; of several lines the one at fault.
    pub value: String,
}

impl MalformedField {
    pub(crate) fn new(field: &HeaderName, detail: &str, value: &[u8]) -> Self {
        Self {
            field: field.clone(),
            detail: detail.to_owned(),
            value: String::from_utf8_lossy(value).into_owned(),
        }
    }
}

/// All lines of a list field as one text (RFC 9110 §5.3); `None` when there is none.
///
/// # Errors
/// When a line has other bytes than visible ASCII, spaces and tabs.
pub(crate) fn combined(
    headers: &HeaderMap,
    field: &HeaderName,
) -> Result<Option<String>, MalformedField> {
    let mut combined: Option<String> = None;
    for line in headers.get_all(field) {
        let text = line.to_str();
        let text =
            text.map_err(|error| MalformedField::new(field, &error.to_string(), line.as_bytes()))?;
        match &mut combined {
            Some(so_far) => {
                so_far.push_str(", ");
                so_far.push_str(text);
            }
            None => combined = Some(text.to_owned()),
        }
    }
    Ok(combined)
}
