//! A collection's JSON Schema: compiled once, asked for every write.
//!
//! Schemas are JSON Schema 2020-12 and stand alone: nothing is ever fetched, neither by a name on
//! the network nor from a file. Patterns run on an engine of linear time, so a schema can't be made
//! to take a server down; what that engine can't express (look-around, back references) is refused
//! when the schema is defined.

use std::fmt;

use jsonschema::{Draft, PatternOptions, Validator};
use serde_json::Value;

use crate::Violation;

/// The most violations that are told at once.
pub const VIOLATIONS_MAX: usize = 100;
/// The largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 20;

/// A compiled JSON Schema (draft 2020-12).
pub struct Schema {
    source: Value,
    validator: Validator,
}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Schema").field(&self.source).finish()
    }
}

impl Schema {
    /// Compiles a schema.
    ///
    /// # Errors
    /// One violation that says what keeps it from being a schema, and where.
    pub fn compile(source: &Value) -> Result<Self, Violation> {
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .with_pattern_options(PatternOptions::regex().size_limit(PATTERN_BYTES_MAX))
            .should_validate_formats(true)
            .offline()
            .build(source)
            .map_err(|error| Violation {
                pointer: format!("/schema{}", error.instance_path()),
                detail: format!("not a JSON Schema (draft 2020-12) that can be used here: {error}"),
            })?;
        Ok(Self {
            source: source.clone(),
            validator,
        })
    }

    /// The schema as it was written.
    #[must_use]
    pub fn source(&self) -> &Value {
        &self.source
    }

    /// Everything that is wrong with `document`, at most [`VIOLATIONS_MAX`]; empty where nothing is.
    #[must_use]
    pub fn violations(&self, document: &Value) -> Vec<Violation> {
        if self.validator.is_valid(document) {
            return Vec::new();
        }
        self.validator
            .iter_errors(document)
            .take(VIOLATIONS_MAX)
            .map(|error| Violation {
                pointer: error.instance_path().to_string(),
                detail: error.to_string(),
            })
            .collect()
    }
}
