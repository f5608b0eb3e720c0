//! A captured response, to be sent again and again: the same fields and the same body, or, where
//! documents are asked for by their ids, the same fields and the body of each.
//!
//! Fields of one connection or one moment are left out, since the sending server makes its own:
//! Connection, Keep-Alive, Transfer-Encoding, Date.

use std::{fs, path::Path, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::Full;

use crate::dialect::with_identifier;

const OF_THE_CONNECTION: [HeaderName; 3] =
    [header::CONNECTION, header::TRANSFER_ENCODING, header::DATE];

/// A response to send for any request. Cloning it copies no body.
#[derive(Clone, Debug)]
pub struct Replay {
    status: StatusCode,
    fields: HeaderMap,
    body: Bytes,
    /// The bench's documents, by key; empty where the captured body is all that is sent.
    documents: Arc<[Bytes]>,
}

impl Replay {
    /// Reads a file that holds one response as it stood on the wire (HTTP/1.1, not chunked).
    ///
    /// # Errors
    /// When the file cannot be read or is not such a response.
    pub fn read(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Self::parse(&bytes).ok_or_else(|| format!("{}: not a response", path.display()))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let mut lines = std::str::from_utf8(bytes.get(..end)?).ok()?.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut fields = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':')?;
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            if !OF_THE_CONNECTION.contains(&name) && name.as_str() != "keep-alive" {
                fields.append(name, HeaderValue::from_str(value.trim()).ok()?);
            }
        }
        let body = Bytes::copy_from_slice(bytes.get(end + 4..)?);
        Some(Self {
            status,
            fields,
            body,
            documents: Arc::default(),
        })
    }

    /// Sends the first `count` documents of the bench, each by its id.
    ///
    /// # Errors
    /// When there are to be some and the captured body is none of them.
    pub fn with_documents(mut self, count: u32) -> Result<Self, String> {
        self.documents = (0..count).map(|key| with_identifier(key).into()).collect();
        if count > 0 && !self.documents.contains(&self.body) {
            return Err("what was captured is none of the documents".to_owned());
        }
        if count > 0 {
            // Each has its own.
            self.fields.remove(header::CONTENT_LENGTH);
        }
        Ok(self)
    }

    /// The response to a request for the document of this id.
    #[must_use]
    pub fn response_to(&self, id: &str) -> Response<Full<Bytes>> {
        let key = id.strip_prefix('d').and_then(|key| key.parse().ok());
        let document = key.and_then(|key: usize| self.documents.get(key));
        self.sending(document.unwrap_or(&self.body))
    }

    /// The response, once more.
    #[must_use]
    pub fn response(&self) -> Response<Full<Bytes>> {
        self.sending(&self.body)
    }

    fn sending(&self, body: &Bytes) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.fields.clone();
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_captured_response_comes_back_without_what_belongs_to_its_connection() {
        let captured =
            b"HTTP/1.1 304 Not Modified\r\nETag: \"a.1\"\r\nDate: x\r\nconnection: close\r\n\r\n";
        let replay = Replay::parse(captured).unwrap();
        let response = replay.response();
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers().len(), 1);
        assert_eq!(response.headers().get("etag").unwrap(), "\"a.1\"");
    }

    #[test]
    fn each_document_is_sent_by_its_id() {
        let captured = format!(
            "HTTP/1.1 200 OK\r\nETag: \"a.1\"\r\n\r\n{}",
            with_identifier(1)
        );
        let replay = Replay::parse(captured.as_bytes()).unwrap();
        let replay = replay.with_documents(3).unwrap();
        let sent = replay.response_to("d00000000000002").into_body();
        let expected = Full::new(Bytes::from(with_identifier(2)));
        assert_eq!(format!("{sent:?}"), format!("{expected:?}"));
        let other = Replay::parse(b"HTTP/1.1 200 OK\r\n\r\nother").unwrap();
        assert!(other.with_documents(3).is_err());
    }
}
