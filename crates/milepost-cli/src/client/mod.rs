//! The HTTP client under the commands: one request, one answer, failures said readably.
//!
//! It knows URLs, entity tags and problem documents (RFC 9457), and works with any server that
//! speaks them. It keeps nothing between two runs; remembered tags are [`crate::tags`]'s.

mod address;
mod connection;
mod problem;

use std::time::Duration;

use ureq::{
    Agent,
    http::{HeaderMap, HeaderName, Method, Request, StatusCode, header, request::Builder},
};

pub(crate) use self::{
    address::{Address, path},
    connection::Connection,
    problem::failure_of,
};
use crate::exit::{Exit, Failure};

/// The largest answer that is read: pages of a server are far smaller.
const ANSWER_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// How many redirects are followed: a canonical URL is one step away.
const REDIRECTS_MAX: usize = 4;
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends requests to one server.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    address: Address,
    token: Option<String>,
}

/// A request as the commands put it.
#[derive(Debug)]
pub(crate) struct Ask<'a> {
    method: Method,
    url: String,
    fields: Vec<(HeaderName, String)>,
    body: Option<&'a [u8]>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status.
    pub(crate) status: StatusCode,
    /// The header fields.
    pub(crate) fields: HeaderMap,
    /// The content.
    pub(crate) body: Vec<u8>,
    /// Where it came from, after redirects.
    pub(crate) url: String,
}

impl<'a> Ask<'a> {
    /// A request without fields or content. `url` is complete, from [`Client::url`].
    pub(crate) fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            method,
            url: url.into(),
            fields: Vec::new(),
            body: None,
        }
    }

    /// A `GET`.
    pub(crate) fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    /// With a field.
    pub(crate) fn field(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// With content.
    pub(crate) fn body(mut self, content_type: &str, body: &'a [u8]) -> Self {
        self.body = Some(body);
        self.field(header::CONTENT_TYPE, content_type)
    }
}

impl Answer {
    /// A field's value, if it is there and is text.
    pub(crate) fn field(&self, name: HeaderName) -> Option<&str> {
        self.fields.get(name)?.to_str().ok()
    }

    /// The entity tag, as it came.
    pub(crate) fn etag(&self) -> Option<&str> {
        self.field(header::ETAG)
    }

    /// The answer itself when it is a success, else the failure it tells.
    pub(crate) fn success(self) -> Result<Self, Failure> {
        if self.status.is_success() {
            Ok(self)
        } else {
            Err(failure_of(&self))
        }
    }
}

impl Client {
    /// A client for the server at `address`.
    pub(crate) fn new(address: Address, token: Option<String>, timeout: Duration) -> Self {
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_global(Some(timeout))
            .user_agent(concat!("milepost/", env!("CARGO_PKG_VERSION")));
        if address.is_loopback() {
            // A proxy from the environment can't mean this machine.
            config = config.proxy(None);
        }
        Self {
            agent: config.build().into(),
            address,
            token,
        }
    }

    /// Where the server is.
    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// The complete URL of `accounts/17`, `/v1/accounts/17` or a URL.
    pub(crate) fn url(&self, target: &str) -> Result<String, Failure> {
        self.address.resolve(target)
    }

    /// Sends the request and reads the whole answer, whatever its status.
    ///
    /// Redirects of a `GET` are followed within the server.
    pub(crate) fn send(&self, ask: &Ask<'_>) -> Result<Answer, Failure> {
        let mut url = ask.url.clone();
        for _ in 0..REDIRECTS_MAX {
            let answer = self.send_to(ask, &url)?;
            let location = answer
                .field(header::LOCATION)
                .filter(|_| answer.status.is_redirection());
            let Some(location) = location.filter(|_| ask.method == Method::GET) else {
                return Ok(answer);
            };
            let target = self.address.resolve(location)?;
            if !self.address.is_same_origin(&target) {
                return Ok(answer);
            }
            url = target;
        }
        Err(Failure::failed(format!(
            "{} leads from redirect to redirect",
            ask.url
        )))
    }

    /// Sends a `GET` and demands a success.
    pub(crate) fn fetch(&self, url: &str) -> Result<Answer, Failure> {
        self.send(&Ask::get(url))?.success()
    }

    fn send_to(&self, ask: &Ask<'_>, url: &str) -> Result<Answer, Failure> {
        let mut request = Request::builder().method(ask.method.clone()).uri(url);
        for (name, value) in &ask.fields {
            request = request.header(name, value);
        }
        if let Some(token) = self
            .token
            .as_ref()
            .filter(|_| self.address.is_same_origin(url))
        {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let response = match ask.body {
            Some(body) => self.agent.run(built(request, body)?),
            None => self.agent.run(built(request, ())?),
        };
        let response = response.map_err(|error| self.unreachable(&error))?;
        self.read(response, url)
    }

    fn read(
        &self,
        mut response: ureq::http::Response<ureq::Body>,
        url: &str,
    ) -> Result<Answer, Failure> {
        let limited = response.body_mut().with_config().limit(ANSWER_BYTES_MAX);
        let body = limited
            .read_to_vec()
            .map_err(|error| self.unreachable(&error))?;
        let (parts, _) = response.into_parts();
        Ok(Answer {
            status: parts.status,
            fields: parts.headers,
            body,
            url: url.to_owned(),
        })
    }

    fn unreachable(&self, error: &ureq::Error) -> Failure {
        let origin = self.address.origin();
        Failure::new(Exit::Unreachable, format!("can't reach {origin}: {error}"))
            .hint("start a server with `milepost serve` or `milepost demo`")
            .hint("another address is given by --server or MILEPOST_URL")
    }
}

fn built<B>(request: Builder, body: B) -> Result<Request<B>, Failure> {
    request
        .body(body)
        .map_err(|error| Failure::usage(format!("not a request: {error}")))
}
