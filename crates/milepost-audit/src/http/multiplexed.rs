//! HTTP/2 (RFC 9113) over one connection, one request at a time: enough to see whether a server takes
//! the connection for somebody.
//!
//! Over TLS it is negotiated, without TLS the client begins with it (prior knowledge, §3.3). The
//! runtime of a connection runs only while an answer is awaited.

use std::{fmt, net::TcpStream, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{RecvStream, client::SendRequest};
use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::{
    Failure, Fields, Request, Response,
    connection::{Bounds, STREAM_WITHIN},
    parse::is_event_stream,
};

/// Stands among the fields of an answer, under a name that no field can have, where the connection's
/// settings allow extended CONNECT (RFC 8441 §3).
pub(crate) const EXTENDED_CONNECT: &str = ":enable-connect-protocol";
/// Fields that speak of an HTTP/1.1 connection (RFC 9113 §8.2.2).
const OF_CONNECTIONS: &[&str] = &[
    "connection",
    "host",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// A connection that speaks HTTP/2.
pub(crate) struct Multiplexed {
    runtime: Runtime,
    sender: SendRequest<Bytes>,
    scheme: &'static str,
}

impl fmt::Debug for Multiplexed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Multiplexed")
    }
}

impl Multiplexed {
    /// Begins to speak HTTP/2 over a connected socket, under TLS where a configuration is given.
    pub(crate) fn begin(
        stream: TcpStream,
        tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
        within: Duration,
    ) -> Result<Self, Failure> {
        let failed = |error: &dyn fmt::Display| Failure::Unspoken {
            reason: error.to_string(),
        };
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()
            .map_err(|error| failed(&error))?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        // A timer belongs to its runtime: it is set inside.
        let begun = runtime.block_on(async { timeout(within, begun(stream, tls)).await });
        let sender = begun
            .map_err(|_elapsed| Failure::TimedOut { after: within })?
            .map_err(|error| failed(&error))?;
        Ok(Self {
            runtime,
            sender,
            scheme,
        })
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        authority: &str,
        bounds: Bounds,
    ) -> Result<Response, Failure> {
        let asked = asked(self.sender.clone(), self.head(request, authority)?, request);
        let asked = self
            .runtime
            .block_on(async { timeout(bounds.within, asked).await });
        let (head, body) = asked
            .map_err(|_elapsed| Failure::TimedOut {
                after: bounds.within,
            })?
            .map_err(|error| failure(&error))?;
        let mut fields = Fields::default();
        for (name, value) in head.headers() {
            fields.add(name.as_str(), String::from_utf8_lossy(value.as_bytes()));
        }
        if self.sender.is_extended_connect_protocol_enabled() {
            fields.add(EXTENDED_CONNECT, "1");
        }
        let within = if is_event_stream(&fields) {
            STREAM_WITHIN
        } else {
            bounds.within
        };
        let mut bytes = Vec::new();
        let read = read(body, &mut bytes, bounds.body_bytes_max);
        let is_whole = match self.runtime.block_on(async { timeout(within, read).await }) {
            Err(_elapsed) => false,
            Ok(read) => read.map_err(|error| failure(&error))?,
        };
        let response = Response {
            status: head.status().as_u16(),
            fields,
            body: bytes,
            is_whole,
            unread: None,
        };
        Ok(response.decoded(bounds.body_bytes_max))
    }

    fn head(&self, request: &Request, authority: &str) -> Result<http::Request<()>, Failure> {
        let uri = format!("{}://{authority}{}", self.scheme, request.target);
        let mut head = http::Request::builder()
            .method(request.method.as_str())
            .uri(uri)
            .version(http::Version::HTTP_2);
        for (name, value) in request.fields.iter() {
            if !OF_CONNECTIONS.contains(&name) {
                head = head.header(name, value);
            }
        }
        head.body(()).map_err(|error| Failure::Unspoken {
            reason: error.to_string(),
        })
    }
}

async fn begun(
    stream: TcpStream,
    tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
) -> std::io::Result<SendRequest<Bytes>> {
    stream.set_nonblocking(true)?;
    let stream = tokio::net::TcpStream::from_std(stream)?;
    match tls {
        None => shaken(stream).await,
        Some((config, name)) => {
            let connector = tokio_rustls::TlsConnector::from(config);
            shaken(connector.connect(name, stream).await?).await
        }
    }
}

async fn shaken(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> std::io::Result<SendRequest<Bytes>> {
    let shaken = h2::client::handshake(stream).await;
    let (sender, connection) = shaken.map_err(std::io::Error::other)?;
    // How it ends is seen by whoever waits for an answer.
    tokio::spawn(async move { drop(connection.await) });
    sender.ready().await.map_err(std::io::Error::other)
}

async fn asked(
    sender: SendRequest<Bytes>,
    head: http::Request<()>,
    request: &Request,
) -> Result<(http::Response<()>, RecvStream), h2::Error> {
    let mut sender = sender.ready().await?;
    let (answer, mut body) = sender.send_request(head, request.body.is_none())?;
    if let Some(text) = &request.body {
        body.send_data(Bytes::copy_from_slice(text.as_bytes()), true)?;
    }
    let (head, body) = answer.await?.into_parts();
    Ok((http::Response::from_parts(head, ()), body))
}

/// Reads a body; false where it was cut.
async fn read(mut body: RecvStream, bytes: &mut Vec<u8>, max: usize) -> Result<bool, h2::Error> {
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        // Room for as much as was read: a released window can't be too large.
        let _released = body.flow_control().release_capacity(chunk.len());
        bytes.extend_from_slice(&chunk);
        if bytes.len() >= max {
            return Ok(false);
        }
    }
    Ok(true)
}

fn failure(error: &h2::Error) -> Failure {
    if error.is_io() || error.is_go_away() {
        return Failure::Closed;
    }
    Failure::Unspoken {
        reason: error.to_string(),
    }
}
