//! HTTP/1.1 over kept-alive connections, with a limit on everything.
//!
//! Asks for gzip, which makes pages a fifth of their size, and decodes it under the same limit.

use std::io::Read as _;
use std::time::Duration;

use ::http::{HeaderMap, Request as WireRequest, header};
use flate2::read::GzDecoder;
use ureq::{Agent, AsSendBody, Body};

use super::{Answer, Request, Transport, Unanswered};
use crate::url::Url;

/// How the transport behaves.
#[derive(Clone, Debug)]
pub struct HttpOptions {
    /// How long one request may take, what the server holds it back not counted.
    pub request_time_max: Duration,
    /// How long to wait for a connection.
    pub connect_time_max: Duration,
    /// The largest content that is read, in bytes, content coding taken off. A server bounds its
    /// pages far below.
    pub body_bytes_max: u64,
    /// Sent as `Authorization: Bearer`, to the origin of `credentials_origin` only.
    pub token: Option<String>,
    /// Whose origin may see the token.
    pub credentials_origin: Option<Url>,
    /// Whether to pass by proxies that the environment names.
    pub is_direct: bool,
    /// The `User-Agent`.
    pub user_agent: String,
}

impl Default for HttpOptions {
    fn default() -> Self {
        Self {
            request_time_max: Duration::from_secs(60),
            connect_time_max: Duration::from_secs(10),
            body_bytes_max: 64 * 1024 * 1024,
            token: None,
            credentials_origin: None,
            is_direct: false,
            user_agent: concat!("milepost-sync/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// A transport over real sockets.
#[derive(Debug)]
pub struct HttpTransport {
    agent: Agent,
    options: HttpOptions,
}

impl HttpTransport {
    /// A transport with these options.
    #[must_use]
    pub fn new(options: HttpOptions) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(options.connect_time_max))
            .user_agent(options.user_agent.as_str());
        if options.is_direct {
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            options,
        }
    }

    /// The request on the wire, with the content that it was given.
    fn wire<B>(&self, request: &Request, body: B) -> Result<WireRequest<B>, Unanswered> {
        let mut wire = WireRequest::builder()
            .method(request.method.clone())
            .uri(request.url.to_string())
            .header(header::ACCEPT_ENCODING, "gzip");
        for (name, value) in &request.fields {
            wire = wire.header(name, value);
        }
        let origin = self.options.credentials_origin.as_ref();
        let is_trusted = origin.is_some_and(|origin| origin.is_same_origin(&request.url));
        if let Some(token) = self.options.token.as_ref().filter(|_| is_trusted) {
            wire = wire.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        wire.body(body)
            .map_err(|error| unanswered(&format!("not a request: {error}")))
    }

    fn run<B: AsSendBody>(
        &self,
        wire: WireRequest<B>,
        held_back: Duration,
    ) -> Result<::http::Response<Body>, Unanswered> {
        let time_max = self.options.request_time_max + held_back;
        let timed = self.agent.configure_request(wire);
        let timed = timed.timeout_global(Some(time_max)).build();
        self.agent
            .run(timed)
            .map_err(|error| unanswered(&error.to_string()))
    }

    fn read(&self, body: &mut Body, fields: &HeaderMap) -> Result<Vec<u8>, Unanswered> {
        let limit = self.options.body_bytes_max;
        let told = body.content_length();
        let raw = body
            .with_config()
            .limit(limit)
            .read_to_vec()
            .map_err(|error| unanswered(&format!("the answer broke off: {error}")))?;
        if told.is_some_and(|told| told != raw.len() as u64) {
            return Err(unanswered(
                "the answer broke off: it is shorter than it says",
            ));
        }
        match fields
            .get(header::CONTENT_ENCODING)
            .map(|value| value.as_bytes())
        {
            None | Some(b"identity") => Ok(raw),
            Some(b"gzip" | b"x-gzip") => decoded(&raw, limit),
            Some(_) => Err(unanswered(
                "the answer has a content coding that was not asked for",
            )),
        }
    }
}

impl Transport for HttpTransport {
    fn send(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let mut response = match &request.body {
            Some(body) => self.run(self.wire(request, body.as_slice())?, request.held_back)?,
            None => self.run(self.wire(request, ())?, request.held_back)?,
        };
        let fields = response.headers().clone();
        let body = self.read(response.body_mut(), &fields)?;
        Ok(Answer {
            status: response.status().as_u16(),
            fields,
            body,
        })
    }
}

/// Gzip taken off; what would become larger than the limit is refused while it is unpacked.
fn decoded(raw: &[u8], bytes_max: u64) -> Result<Vec<u8>, Unanswered> {
    let mut body = Vec::new();
    let mut decoder = GzDecoder::new(raw).take(bytes_max + 1);
    decoder
        .read_to_end(&mut body)
        .map_err(|error| unanswered(&format!("the answer broke off: {error}")))?;
    if body.len() as u64 > bytes_max {
        return Err(unanswered(&format!(
            "the answer is larger than {bytes_max} bytes"
        )));
    }
    Ok(body)
}

fn unanswered(reason: &str) -> Unanswered {
    Unanswered {
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};

    use super::*;

    #[test]
    fn what_would_unpack_beyond_the_limit_is_refused() {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&[b' '; 10_000]).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(decoded(&packed, 10_000).unwrap().len(), 10_000);
        assert!(decoded(&packed, 9_999).is_err());
        assert!(decoded(&packed[..packed.len() - 1], 10_000).is_err());
    }
}
