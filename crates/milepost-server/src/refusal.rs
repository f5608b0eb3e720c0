//! A request that gets a problem document instead of what it asked for.
//!
//! Made by the code that finds out, turned into a response in one place. Whether a problem is cacheable
//! is said here too: none is, but those that name the way on.

use std::{sync::Arc, time::Duration};

use http::{
    HeaderName, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER},
};
use milepost_semantics::{
    Issue, Problem, ProblemType,
    json::JsonError,
    problem::{MEDIA_TYPE, Part},
};
use uuid::Uuid;

use crate::{body::Body, limits::Limits};

/// What a request handler answers, or why it doesn't.
pub(crate) type Answer = Result<Response<Body>, Refusal>;

/// What went wrong inside, for the log only.
pub(crate) type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// A problem, and the fields that go with it. One pointer wide: the good way is the hot one.
#[derive(Debug)]
pub(crate) struct Refusal(Box<Parts>);

#[derive(Debug)]
struct Parts {
    problem: Problem,
    fields: Vec<(HeaderName, HeaderValue)>,
    cause: Option<Cause>,
}

/// Which problem a response tells of: an extension of the response, for the log and the metrics.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// The id in the document's `instance`.
    pub id: Uuid,
    /// The problem's type.
    pub kind: ProblemType,
    /// What the client was told.
    pub detail: String,
    /// What went wrong inside, which the client was not told.
    pub cause: Option<Cause>,
}

impl Refusal {
    /// A problem with what is wrong this time.
    pub(crate) fn new(kind: ProblemType, detail: impl Into<String>) -> Self {
        Self::from(Problem::new(kind, detail))
    }

    /// A problem with every bad part of the input.
    pub(crate) fn issues(kind: ProblemType, detail: impl Into<String>, issues: Vec<Issue>) -> Self {
        Self::from(Problem::new(kind, detail).with_issues(issues))
    }

    /// Adds a field to the response.
    #[must_use]
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.fields.push((name, value));
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub(crate) fn with_member(mut self, name: &str, value: impl Into<serde_json::Value>) -> Self {
        self.0.problem.extra.insert(name.to_owned(), value.into());
        self
    }

    /// Says what is wrong in other words.
    #[must_use]
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.0.problem.detail);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub(crate) fn retry_after_s(self, seconds: u32) -> Self {
        self.with(RETRY_AFTER, seconds.into())
    }

    /// Keeps what went wrong inside, for the log.
    #[must_use]
    pub(crate) fn caused_by(mut self, cause: Cause) -> Self {
        self.0.cause = Some(cause);
        self
    }

    /// What is wrong.
    pub(crate) const fn problem(&self) -> &Problem {
        &self.0.problem
    }

    /// The response. `base` is the service's base path.
    pub(crate) fn into_response(self, base: &str) -> Response<Body> {
        let Parts {
            problem,
            fields,
            cause,
        } = *self.0;
        let id = Uuid::new_v4();
        let problem = problem.with_instance(format!("urn:uuid:{id}"));
        let mut response = Response::new(Body::from(problem.to_bytes(base)));
        *response.status_mut() =
            StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for (name, value) in fields {
            headers.insert(name, value);
        }
        let Problem { kind, detail, .. } = problem;
        response.extensions_mut().insert(Occurrence {
            id,
            kind,
            detail,
            cause,
        });
        response
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(Box::new(Parts {
            problem,
            fields: Vec::new(),
            cause: None,
        }))
    }
}

/// Refusals that more than one kind of request gets.
impl Refusal {
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemType::NotFound, detail)
    }

    pub(crate) fn bad_field(name: &HeaderName, detail: &str) -> Self {
        let issue = Issue::new(Part::Header, name.as_str(), detail);
        Self::issues(
            ProblemType::MalformedField,
            format!("{name}: {detail}"),
            vec![issue],
        )
    }

    pub(crate) fn body_too_large(bytes_max: usize) -> Self {
        let detail = format!("the content may have {bytes_max} bytes");
        Self::new(ProblemType::ResourceTooLarge, detail)
    }

    /// The same, said of a transaction.
    pub(crate) fn of_transaction(mut self) -> Self {
        if self.0.problem.kind == ProblemType::ResourceTooLarge {
            self.0.problem.kind = ProblemType::TransactionTooLarge;
        }
        self
    }

    pub(crate) fn body_too_slow(time_max: Duration) -> Self {
        let detail = format!(
            "the content was not complete after {} s",
            time_max.as_secs_f32()
        );
        Self::new(ProblemType::RequestTimeout, detail)
    }

    pub(crate) fn body_interrupted() -> Self {
        Self::new(
            ProblemType::BadRequest,
            "the content broke off before its end",
        )
    }

    pub(crate) fn uri_too_long(limits: &Limits) -> Self {
        let detail = format!(
            "path and query may have {} bytes together",
            limits.url_bytes_max
        );
        Self::new(ProblemType::UriTooLong, detail)
    }

    pub(crate) fn malformed_json(error: &JsonError) -> Self {
        let issue = Issue::new(Part::Body, error.pointer.to_string(), error.detail.clone());
        Self::issues(ProblemType::MalformedJson, error.to_string(), vec![issue])
    }

    pub(crate) fn malformed_position(text: &str, error: &dyn std::fmt::Display) -> Self {
        let issue = Issue::new(Part::Path, "position", error.to_string()).with_value(text);
        Self::issues(
            ProblemType::InvalidPosition,
            format!("{text:?} is no position: {error}"),
            vec![issue],
        )
    }
}
