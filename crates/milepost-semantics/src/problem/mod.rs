//! Problem documents (RFC 9457): every error a client gets, as data it can act on.
//!
//! One stable type per thing a client can do about it, never per place in the code. Internal causes
//! don't belong here: they go to the log, under the problem's `instance`.

mod types;

use serde_json::{Map, Value};

use crate::field::MalformedField;

pub use types::ProblemType;

/// What the names of all types start with in a document's `type`.
pub const TYPE_PREFIX: &str = "urn:problem-type:milepost:";

/// The media type of a problem document.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// The most issues a document lists: whoever made more mistakes will find the rest afterwards.
pub const ISSUES_MAX: usize = 100;

/// One error, with everything that is wrong told at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemType,
    /// What is wrong this time, for people.
    pub detail: String,
    /// `urn:uuid:…`: the same id is in the log.
    pub instance: Option<String>,
    /// Each bad part of the input; the document lists the first [`ISSUES_MAX`].
    pub issues: Vec<Issue>,
    /// Further members of the document, e.g. `resync`; none can replace a member named above.
    pub extra: Map<String, Value>,
}

/// One bad part of a request.
#[derive(Clone, Debug, PartialEq)]
pub struct Issue {
    /// Which part of the request it stands in.
    pub part: Part,
    /// Where in that part: a JSON pointer, a query key, a field name.
    pub name: String,
    /// What is wrong with it.
    pub detail: String,
    /// What was given, where that helps.
    pub value: Option<Value>,
}

/// A part of a request; `in` on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The content; names are JSON pointers.
    Body,
    /// The query; names are keys.
    Query,
    /// The path; names are template parameters.
    Path,
    /// The header section; names are field names.
    Header,
}

impl Part {
    /// As in the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
            Self::Path => "path",
            Self::Header => "header",
        }
    }
}

impl Issue {
    /// A bad part, without the value that was given.
    #[must_use]
    pub fn new(part: Part, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            part,
            name: name.into(),
            detail: detail.into(),
            value: None,
        }
    }

    /// The same issue with the value that was given.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into());
        self
    }

    /// The issue as it stands in `issues`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut members = Map::new();
        members.insert("in".to_owned(), self.part.as_str().into());
        members.insert("name".to_owned(), self.name.as_str().into());
        members.insert("detail".to_owned(), self.detail.as_str().into());
        if let Some(value) = &self.value {
            members.insert("value".to_owned(), value.clone());
        }
        Value::Object(members)
    }
}

impl From<MalformedField> for Issue {
    fn from(field: MalformedField) -> Self {
        Self::new(Part::Header, field.field.as_str(), field.detail).with_value(field.value)
    }
}

impl Problem {
    /// A problem with what is wrong this time.
    #[must_use]
    pub fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            instance: None,
            issues: Vec::new(),
            extra: Map::new(),
        }
    }

    /// Adds a bad part of the input.
    #[must_use]
    pub fn with_issue(mut self, issue: Issue) -> Self {
        self.issues.push(issue);
        self
    }

    /// Adds bad parts of the input.
    #[must_use]
    pub fn with_issues(mut self, issues: impl IntoIterator<Item = Issue>) -> Self {
        self.issues.extend(issues);
        self
    }

    /// Adds a member of its own, e.g. `resync` or `etag`.
    #[must_use]
    pub fn with_member(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extra.insert(name.into(), value.into());
        self
    }

    /// Names the occurrence: `urn:uuid:…`.
    #[must_use]
    pub fn with_instance(mut self, instance: impl Into<String>) -> Self {
        self.instance = Some(instance.into());
        self
    }

    /// The status the problem is answered with, unless [`Problem::extra`] says otherwise in a
    /// `status` of its own (a failed transaction answers with that of its first failed operation).
    #[must_use]
    pub fn status(&self) -> u16 {
        let own = self.extra.get("status").and_then(Value::as_u64);
        own.and_then(|status| u16::try_from(status).ok())
            .filter(|status| (400..600).contains(status))
            .unwrap_or_else(|| self.kind.status())
    }

    /// [`Problem::status`], as `http` has it.
    #[must_use]
    pub fn status_code(&self) -> http::StatusCode {
        http::StatusCode::from_u16(self.status()).unwrap_or_else(|_| self.kind.status_code())
    }

    /// The document. `base` is the path of the service's base without a slash at the end, e.g.
    /// `/v1`; `href` becomes `{base}/-/problems/{name}`.
    #[must_use]
    pub fn to_json(&self, base: &str) -> Value {
        let name = self.kind.name();
        let mut members = Map::new();
        members.insert("type".to_owned(), format!("{TYPE_PREFIX}{name}").into());
        members.insert(
            "href".to_owned(),
            format!("{base}/-/problems/{name}").into(),
        );
        members.insert("title".to_owned(), self.kind.title().into());
        members.insert("status".to_owned(), self.status().into());
        members.insert("detail".to_owned(), self.detail.as_str().into());
        if let Some(instance) = &self.instance {
            members.insert("instance".to_owned(), instance.as_str().into());
        }
        if !self.issues.is_empty() {
            let issues = self
                .issues
                .iter()
                .take(ISSUES_MAX)
                .map(Issue::to_json)
                .collect();
            members.insert("issues".to_owned(), Value::Array(issues));
        }
        for (name, value) in &self.extra {
            members
                .entry(name.as_str())
                .or_insert_with(|| value.clone());
        }
        Value::Object(members)
    }

    /// The document as bytes, see [`Problem::to_json`].
    #[must_use]
    pub fn to_bytes(&self, base: &str) -> Vec<u8> {
        self.to_json(base).to_string().into_bytes()
    }
}
