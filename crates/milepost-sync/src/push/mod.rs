//! Sending local edits: each with the entity tag it started from, so that nothing is overwritten
//! unseen.
//!
//! An edit is a `PUT` or `DELETE` with `If-Match`, or with `If-None-Match: *` where it creates. 412
//! means that somebody was faster. Then both versions are compared with the one that both started from,
//! and whoever runs this says what is to become of them ([`Resolution`]). What nobody resolves is
//! written beside the edit, which stays: no side is ever lost without a word.
//!
//! A request whose answer got lost is sent again as it was: a server that carried it out answers the same
//! again (RFC 9110 §13.1.1), and one that answers 412 holds what we sent, which is found by looking.

mod conflict;

use std::time::Duration;

use http::{Method, header};
use milepost_semantics::json;

pub use self::conflict::{Conflict, Resolution};
use self::conflict::{Way, way_out};
use crate::clock::Clock;
use crate::follow::{detail, pace};
use crate::page::{Key, Scope};
use crate::replica::{Edit, Editable, ReplicaError, Version};
use crate::transport::{Answer, Request, Transport, Unanswered};
use crate::url::{MalformedUrl, Url};

/// How often one edit is tried against versions that keep changing.
const ROUNDS_MAX: u32 = 5;

/// Sends the edits of a replica.
#[derive(Debug)]
pub struct Push<'a, T, R, C> {
    /// The collection.
    pub home: &'a Url,
    /// What carries.
    pub transport: &'a mut T,
    /// What was edited.
    pub replica: &'a mut R,
    /// What waits.
    pub clock: &'a mut C,
    /// How often in a row one request may fail.
    pub failures_max: u32,
    /// What the jitter is drawn from.
    pub seed: u64,
}

/// What became of one edit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// The server has it.
    Sent,
    /// The server has both sides' changes.
    Merged,
    /// Somebody else had made the same change.
    Agreed,
    /// It was given up for the server's version.
    GivenUp,
    /// It is in conflict; both versions are kept.
    SetAside(Conflict),
    /// The server doesn't accept it; it stays here.
    Rejected(String),
}

/// Why sending ended early. The edits that were not sent stay.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PushError {
    /// The credentials don't allow writing.
    #[error("{url} answers {status}{detail}")]
    Refused {
        /// What was written to.
        url: String,
        /// The status code.
        status: u16,
        /// What the problem document says, after a colon; may be empty.
        detail: String,
    },
    /// A request had no usable answer, again and again.
    #[error("no usable answer from {url}, {attempts} times: {reason}")]
    Unreachable {
        /// What was written to.
        url: String,
        /// How often.
        attempts: u32,
        /// What happened last.
        reason: String,
    },
    /// A key makes no URL.
    #[error(transparent)]
    Url(#[from] MalformedUrl),
    /// The replica can't be read or written.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// What is sent: a value or a deletion, on a version or on nothing.
#[derive(Clone, Debug)]
struct Attempt {
    value: Option<String>,
    on: Option<String>,
    outcome: Outcome,
}

impl<T: Transport, R: Editable, C: Clock> Push<'_, T, R, C> {
    /// Sends every edit once; `resolve` is asked about conflicts, `observe` told of each edit.
    ///
    /// # Errors
    /// When the server can't be reached, refuses the credentials, or the replica can't be written.
    pub fn run(
        &mut self,
        resolve: &mut dyn FnMut(&Conflict) -> Resolution,
        observe: &mut dyn FnMut(&Key, &Outcome),
    ) -> Result<(), PushError> {
        for edit in self.replica.edits()? {
            let outcome = self.send_edit(&edit, resolve)?;
            observe(&edit.key, &outcome);
        }
        Ok(())
    }

    fn send_edit(
        &mut self,
        edit: &Edit,
        resolve: &mut dyn FnMut(&Conflict) -> Resolution,
    ) -> Result<Outcome, PushError> {
        if let Some(reason) = edit.local.as_deref().and_then(malformed) {
            return Ok(Outcome::Rejected(reason));
        }
        let mut attempt = Attempt {
            value: edit.local.clone(),
            on: edit.base.as_ref().map(|base| base.etag.clone()),
            outcome: Outcome::Sent,
        };
        if edit.is_set_aside {
            let known = self.conflicted(edit, edit.base.clone(), &mut attempt, resolve)?;
            if let Some(outcome) = known {
                return Ok(outcome);
            }
        }
        for _ in 0..ROUNDS_MAX {
            let answer = self.sent(&edit.key, &attempt)?;
            let theirs = match answer.status {
                200..300 => return self.taken(edit, attempt, &answer),
                404 | 410 if attempt.value.is_none() => None,
                412 => self.current(&edit.key)?,
                _ => return self.rejected(&edit.key, &answer),
            };
            if let Some(outcome) = self.conflicted(edit, theirs, &mut attempt, resolve)? {
                return Ok(outcome);
            }
        }
        let reason = "it changes at the server faster than it can be sent; try again".to_owned();
        Ok(Outcome::Rejected(reason))
    }

    /// What becomes of an edit that met another version; `None`: try again with what `attempt` is now.
    fn conflicted(
        &mut self,
        edit: &Edit,
        theirs: Option<Version>,
        attempt: &mut Attempt,
        resolve: &mut dyn FnMut(&Conflict) -> Resolution,
    ) -> Result<Option<Outcome>, PushError> {
        let conflict = Conflict {
            key: edit.key.clone(),
            ancestor: edit.ancestor.clone(),
            ours: edit.local.clone(),
            theirs,
            places: Vec::new(),
        };
        match way_out(conflict, attempt.value.as_deref(), resolve) {
            Way::End(now, outcome) => {
                self.replica.settle(edit, now.as_ref())?;
                Ok(Some(outcome))
            }
            Way::Send { value, on, outcome } => {
                *attempt = Attempt { value, on, outcome };
                Ok(None)
            }
            Way::SetAside(conflict) => {
                self.replica.set_aside(&conflict)?;
                Ok(Some(Outcome::SetAside(conflict)))
            }
        }
    }

    fn taken(
        &mut self,
        edit: &Edit,
        attempt: Attempt,
        answer: &Answer,
    ) -> Result<Outcome, PushError> {
        let now = match (attempt.value, answer.field(header::ETAG)) {
            (None, _) => None,
            (Some(value), Some(etag)) => Some(Version {
                etag: etag.to_owned(),
                value,
            }),
            // RFC 9110 §9.3.4: without a tag it is not what was sent; look what it became.
            (Some(_), None) => self.current(&edit.key)?,
        };
        self.replica.settle(edit, now.as_ref())?;
        Ok(attempt.outcome)
    }

    fn rejected(&self, key: &Key, answer: &Answer) -> Result<Outcome, PushError> {
        let told = detail(answer);
        match answer.status {
            401 | 403 | 407 => Err(PushError::Refused {
                url: self.url(key)?.to_string(),
                status: answer.status,
                detail: told,
            }),
            status => Ok(Outcome::Rejected(format!("{status}{told}"))),
        }
    }

    /// What stands at the server now.
    fn current(&mut self, key: &Key) -> Result<Option<Version>, PushError> {
        let request = Request::get(self.url(key)?)
            .field(header::ACCEPT, "application/json")
            .field(header::CACHE_CONTROL, "no-cache");
        let answer = self.answered(&request)?;
        let etag = answer.field(header::ETAG).map(str::to_owned);
        let value = String::from_utf8(answer.body.clone()).ok();
        match (answer.status, etag.zip(value)) {
            (200, Some((etag, value))) => Ok(Some(Version { etag, value })),
            (404 | 410, _) => Ok(None),
            (status, _) => Err(PushError::Refused {
                url: request.url.to_string(),
                status,
                detail: detail(&answer),
            }),
        }
    }

    fn sent(&mut self, key: &Key, attempt: &Attempt) -> Result<Answer, PushError> {
        let condition = match &attempt.on {
            Some(etag) => (header::IF_MATCH, etag.as_str()),
            None => (header::IF_NONE_MATCH, "*"),
        };
        let mut request = Request::get(self.url(key)?).field(condition.0, condition.1);
        match &attempt.value {
            Some(value) => {
                request.method = Method::PUT;
                request.body = Some(value.clone().into_bytes());
                request = request.field(header::CONTENT_TYPE, "application/json");
            }
            None => request.method = Method::DELETE,
        }
        self.answered(&request)
    }

    /// Sends until there is an answer that the server means.
    fn answered(&mut self, request: &Request) -> Result<Answer, PushError> {
        let mut dice = pace::Dice::new(self.seed);
        let mut attempts = 0;
        loop {
            let (reason, retry_after) = match self.transport.send(request) {
                Ok(answer) if !is_transient(answer.status) => return Ok(answer),
                Ok(answer) => (
                    format!("{}{}", answer.status, detail(&answer)),
                    pace::retry_after(&answer.fields),
                ),
                Err(Unanswered { reason }) => (reason, None::<Duration>),
            };
            attempts += 1;
            if attempts >= self.failures_max.max(1) {
                return Err(PushError::Unreachable {
                    url: request.url.to_string(),
                    attempts,
                    reason,
                });
            }
            let pause = pace::after_failure(attempts, retry_after, &mut dice);
            self.clock.wait(pause);
        }
    }

    fn url(&self, key: &Key) -> Result<Url, MalformedUrl> {
        self.home.join(&Scope::of(self.home).href(key))
    }
}

const fn is_transient(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502..=504)
}

/// What is wrong with a document that is no JSON.
fn malformed(text: &str) -> Option<String> {
    let error = json::parse(text.as_bytes(), json::Limits::default()).err()?;
    Some(format!("it is no JSON: {error}"))
}
