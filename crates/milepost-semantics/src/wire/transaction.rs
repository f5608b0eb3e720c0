//! Transactions: what a client asks for, and what became of it (protocol §8).
//!
//! Reading a document strictly, with all mistakes told at once, stands in
//! [`super::transaction_parse`]; what the operations mean is the store's.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::text;
use crate::patch::{JSON_PATCH_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE};
use crate::position::Position;
use crate::precondition::{IfMatch, IfNoneMatch, Preconditions};
use crate::problem::Issue;
use crate::tag::EntityTag;

/// Operations that are performed all or none, in order, at one position.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionDocument {
    /// At least one.
    pub operations: Vec<TransactionOperation>,
}

/// One operation on one resource.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionOperation {
    /// What is done.
    pub kind: OperationKind,
    /// The resource's URL, path-absolute, as the client wrote it.
    pub href: String,
    /// `ifMatch` and `ifNoneMatch`.
    pub preconditions: Preconditions,
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq)]
pub enum OperationKind {
    /// Creates or replaces the resource.
    Put {
        /// Its representation.
        value: Value,
    },
    /// Changes the resource by a patch.
    Patch {
        /// Which kind of patch.
        format: PatchFormat,
        /// The patch document.
        value: Value,
    },
    /// Deletes the resource.
    Delete,
    /// Writes nothing: only the preconditions must hold.
    Check,
}

/// The kinds of patch documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PatchFormat {
    /// RFC 7396; also what is meant when nothing is said.
    MergePatch,
    /// RFC 6902.
    JsonPatch,
}

impl PatchFormat {
    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::MergePatch => MERGE_PATCH_MEDIA_TYPE,
            Self::JsonPatch => JSON_PATCH_MEDIA_TYPE,
        }
    }

    /// The format of a media type, compared without case; its parameters must be gone already.
    #[must_use]
    pub fn from_media_type(essence: &str) -> Option<Self> {
        let formats = [Self::MergePatch, Self::JsonPatch];
        formats
            .into_iter()
            .find(|format| essence.eq_ignore_ascii_case(format.media_type()))
    }
}

impl OperationKind {
    /// The method as in the document.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        match self {
            Self::Put { .. } => "PUT",
            Self::Patch { .. } => "PATCH",
            Self::Delete => "DELETE",
            Self::Check => "CHECK",
        }
    }
}

impl TransactionDocument {
    /// Reads a document strictly.
    ///
    /// # Errors
    /// Every mistake at once, each with its JSON pointer.
    pub fn parse(document: Value) -> Result<Self, Vec<Issue>> {
        super::transaction_parse::document(document)
    }

    /// The document that [`TransactionDocument::parse`] reads as this.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let operations = self
            .operations
            .iter()
            .map(TransactionOperation::to_json)
            .collect();
        // Not by `json!`: that serializes values anew, which would rewrite the text of numbers.
        Value::Object(Map::from_iter([(
            "operations".to_owned(),
            Value::Array(operations),
        )]))
    }
}

impl TransactionOperation {
    fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("method".to_owned(), self.kind.method().into());
        members.insert("href".to_owned(), self.href.as_str().into());
        if let Some(condition) = &self.preconditions.if_match {
            let value = match condition {
                IfMatch::Any => "*".to_owned(),
                IfMatch::Tags(tags) => tag_list(tags),
            };
            members.insert("ifMatch".to_owned(), value.into());
        }
        if let Some(condition) = &self.preconditions.if_none_match {
            let value = match condition {
                IfNoneMatch::Any => "*".to_owned(),
                IfNoneMatch::Tags(tags) => tag_list(tags),
            };
            members.insert("ifNoneMatch".to_owned(), value.into());
        }
        match &self.kind {
            OperationKind::Put { value } => {
                members.insert("value".to_owned(), value.clone());
            }
            OperationKind::Patch { format, value } => {
                members.insert("contentType".to_owned(), format.media_type().into());
                members.insert("value".to_owned(), value.clone());
            }
            OperationKind::Delete | OperationKind::Check => {}
        }
        Value::Object(members)
    }
}

fn tag_list(tags: &[EntityTag]) -> String {
    let tags: Vec<_> = tags.iter().map(EntityTag::to_string).collect();
    tags.join(", ")
}

/// What a committed transaction did: the resource at its URL.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct TransactionOutcome {
    /// Where all of it happened.
    #[serde(with = "text")]
    pub position: Position,
    /// One result per operation, in order.
    pub results: Vec<OperationResult>,
    /// Whose it is, as a digest: told to nobody else. None where nobody in particular made it.
    #[serde(default, rename = "madeBy", skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
}

/// What became of one operation of a committed transaction.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OperationResult {
    /// The operation's index, from 0.
    pub index: usize,
    /// Its method.
    pub method: String,
    /// The resource's URL.
    pub href: String,
    /// The status it would have had alone: 200, 201 or 204.
    pub status: u16,
    /// The tag of the version that is current now; none after a delete.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub etag: Option<EntityTag>,
}

/// Why one operation kept a transaction from being performed: a member of `failed` in the problem.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct OperationFailure {
    /// The operation's index, from 0.
    pub index: usize,
    /// The resource's URL.
    pub href: String,
    /// The status it would have had alone, e.g. 412.
    pub status: u16,
    /// The tag of the resource's current version; none when it doesn't exist.
    #[serde(
        default,
        with = "text::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub etag: Option<EntityTag>,
    /// What is wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl TransactionOutcome {
    /// The document.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}

impl OperationFailure {
    /// As it stands in `failed`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!(self)
    }
}
