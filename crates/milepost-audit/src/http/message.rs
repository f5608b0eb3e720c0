//! A request as it is sent and a response as it came.

use serde::{Deserialize, Serialize};

use super::{Fields, coding};

/// What is asked. The target is a path with an optional query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) fields: Fields,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) body: Option<String>,
}

impl Request {
    /// The bytes on the wire, for a host.
    pub(crate) fn to_bytes(&self, authority: &str) -> Vec<u8> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {authority}\r\n",
            self.method, self.target
        );
        for (name, value) in self.fields.iter() {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = self.body.as_deref().unwrap_or_default();
        if self.body.is_some() || matches!(self.method.as_str(), "POST" | "PUT" | "PATCH") {
            head.push_str(&format!("content-length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(body.as_bytes());
        bytes
    }
}

/// What was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
    pub(crate) body: Vec<u8>,
    /// False where the body went on beyond the limits of size or time.
    pub(crate) is_whole: bool,
    /// Why the body is still coded, where its content coding could not be taken off.
    pub(crate) unread: Option<String>,
}

impl Response {
    /// With its body as what it stands for, at most so many bytes of it.
    pub(super) fn decoded(self, bytes_max: usize) -> Self {
        let decoded = coding::decoded(&self.fields, self.body, self.is_whole, bytes_max);
        Self {
            body: decoded.body,
            is_whole: decoded.is_whole,
            unread: decoded.unread,
            ..self
        }
    }

    /// Whether the status is 2xx.
    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, where it is JSON.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The entity tag, as it was sent.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.fields.first("etag")
    }

    /// The media type without parameters, in lower case.
    pub(crate) fn media_type(&self) -> String {
        let value = self.fields.first("content-type").unwrap_or_default();
        let bare = value.split(';').next().unwrap_or_default();
        bare.trim().to_ascii_lowercase()
    }
}
