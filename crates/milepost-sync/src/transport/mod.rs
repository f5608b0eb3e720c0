//! Requests and answers, and what carries them.
//!
//! Only what a follower needs: whole bodies, no streams. What an answer means is
//! [`crate::follow`]'s and [`crate::push`]'s.

mod http;

use std::time::Duration;

use ::http::{HeaderMap, HeaderName, Method};

pub use self::http::{HttpOptions, HttpTransport};
use crate::url::Url;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// Fields, beside those that the transport adds.
    pub fields: Vec<(HeaderName, String)>,
    /// The content.
    pub body: Option<Vec<u8>>,
    /// How long the server was allowed to hold the request back; the transport's own time limit
    /// comes on top.
    pub held_back: Duration,
}

/// What came back, whole.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub fields: HeaderMap,
    /// The content, without content coding.
    pub body: Vec<u8>,
}

/// Nothing usable came back: no connection, no time left, or a response cut short. Worth another try.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unanswered {
    /// What happened, for people.
    pub reason: String,
}

/// Carries requests to a server.
pub trait Transport {
    /// Sends a request once and reads the whole answer. Redirects are not followed.
    ///
    /// # Errors
    /// When there is no whole answer.
    fn send(&mut self, request: &Request) -> Result<Answer, Unanswered>;
}

impl Request {
    /// A `GET`.
    #[must_use]
    pub const fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            fields: Vec::new(),
            body: None,
            held_back: Duration::ZERO,
        }
    }

    /// The same with a field.
    #[must_use]
    pub fn field(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl Answer {
    /// A field's value, where it is there and text.
    #[must_use]
    pub fn field(&self, name: HeaderName) -> Option<&str> {
        self.fields.get(name)?.to_str().ok()
    }
}
