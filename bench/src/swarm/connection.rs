//! GET over one kept connection: HTTP/1.1, loopback, no content coding.

use std::net::SocketAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use milepost_sync::{Answer, follow::Ask};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::response::Head;

/// A connection, opened when it is needed, and again where the other side has closed it.
#[derive(Debug)]
pub(super) struct Connection {
    peer: SocketAddr,
    stream: Option<TcpStream>,
}

impl Connection {
    /// A connection to this address.
    pub(super) fn to(peer: SocketAddr) -> Self {
        Self { peer, stream: None }
    }

    /// Asks what a follower asks.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Answer, String> {
        let past = if ask.past_caches {
            "Cache-Control: no-cache\r\n"
        } else {
            ""
        };
        let target = ask.url.to_reference();
        let fields = format!("Accept: application/json\r\n{past}");
        self.exchange("GET", &target, &fields, "").await
    }

    /// Sends a request, and reads the whole answer. What is sent must be safe to send twice.
    pub(super) async fn exchange(
        &mut self,
        method: &str,
        target: &str,
        fields: &str,
        body: &str,
    ) -> Result<Answer, String> {
        let (host, length) = (self.peer, body.len());
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{fields}Content-Length: {length}\r\n\r\n{body}"
        );
        if let Some(stream) = self.stream.take()
            && let Some(answer) = self.sent(stream, &request).await?
        {
            return Ok(answer);
        }
        let stream = TcpStream::connect(self.peer)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let answer = self.sent(stream, &request).await?;
        answer.ok_or_else(|| "the connection was closed without an answer".to_owned())
    }

    /// The answer; `None` where the connection was closed before any of it.
    async fn sent(
        &mut self,
        mut stream: TcpStream,
        request: &str,
    ) -> Result<Option<Answer>, String> {
        if stream.write_all(request.as_bytes()).await.is_err() {
            return Ok(None);
        }
        let mut buffer = Vec::new();
        let mut head = None;
        loop {
            match stream.read_buf(&mut buffer).await {
                Ok(0) | Err(_) if buffer.is_empty() => return Ok(None),
                Ok(0) => return Err("the answer broke off".to_owned()),
                Err(error) => return Err(error.to_string()),
                Ok(_) => {}
            }
            if head.is_none() {
                head = Head::parse(&buffer)?;
            }
            let whole = head.as_ref().filter(|head| head.whole(&buffer).is_some());
            if let Some(whole) = whole {
                let answer = answer(whole, &buffer);
                let is_last = answer.field(http::header::CONNECTION) == Some("close");
                self.stream = Some(stream).filter(|_| !is_last);
                return Ok(Some(answer));
            }
        }
    }
}

fn answer(head: &Head, bytes: &[u8]) -> Answer {
    Answer {
        status: head.status,
        fields: fields(bytes),
        body: head.content(bytes).unwrap_or_default(),
    }
}

fn fields(bytes: &[u8]) -> HeaderMap {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
    let head = bytes.get(..end.unwrap_or_default()).unwrap_or_default();
    let text = String::from_utf8_lossy(head);
    let mut fields = HeaderMap::new();
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let (name, value) = (
            HeaderName::try_from(name),
            HeaderValue::try_from(value.trim()),
        );
        if let (Ok(name), Ok(value)) = (name, value) {
            fields.append(name, value);
        }
    }
    fields
}
