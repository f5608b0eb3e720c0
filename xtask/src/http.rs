//! A very small HTTP/1.1 client that keeps a response's exact bytes, as the linter needs them.
//!
//! One request a connection, loopback only, no redirects, no TLS.

use std::{
    fmt,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// How long a server under check may take for one response.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long one may take that is asked only how it is.
const PATIENCE_SHORT: Duration = Duration::from_secs(1);

/// One response, as it came.
pub(crate) struct Response {
    /// The status code.
    pub(crate) status: u16,
    /// All bytes: status line, fields and body as framed.
    pub(crate) raw: Vec<u8>,
    /// The fields, names in lower case.
    pub(crate) fields: Vec<(String, String)>,
    /// The body, without its framing.
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Response {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} {}",
            self.status,
            String::from_utf8_lossy(&self.body)
        )
    }
}

impl Response {
    /// The value of a field, by its lower-case name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The head and the body without chunks: what a server with a known length would have sent.
    pub(crate) fn unchunked(&self) -> Vec<u8> {
        let end = self.raw.windows(4).position(|window| window == b"\r\n\r\n");
        let mut bytes = self
            .raw
            .get(..end.map_or(0, |end| end + 4))
            .unwrap_or_default()
            .to_vec();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// Sends one request and reads the whole response.
///
/// # Errors
/// When the server cannot be reached or answers no HTTP.
pub(crate) fn send(
    server: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, String> {
    let stream =
        TcpStream::connect(server).map_err(|error| format!("{method} {target}: {error}"))?;
    over(stream, PATIENCE, method, target, fields, body)
}

/// The same of a server that answers at once or is not well.
///
/// # Errors
/// When it cannot be reached within a second, or answers no HTTP.
pub(crate) fn send_soon(
    server: SocketAddr,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, String> {
    let stream = TcpStream::connect_timeout(&server, PATIENCE_SHORT)
        .map_err(|error| format!("{method} {target}: {error}"))?;
    over(stream, PATIENCE_SHORT, method, target, fields, body)
}

fn over(
    stream: TcpStream,
    patience: Duration,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> Result<Response, String> {
    let asked = format!("{method} {target}");
    let patient = stream.set_read_timeout(Some(patience));
    let raw = patient.and_then(|()| exchange(stream, method, target, fields, body));
    let raw = raw.map_err(|error| format!("{asked}: {error}"))?;
    parse(raw).ok_or_else(|| format!("{asked}: the answer is not HTTP"))
}

fn exchange(
    mut stream: TcpStream,
    method: &str,
    target: &str,
    fields: &[(&str, &str)],
    body: &[u8],
) -> std::io::Result<Vec<u8>> {
    let server = stream.peer_addr()?;
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: {server}\r\n");
    for (name, value) in fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("Connection: close\r\n\r\n");
    let mut bytes = request.into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn parse(raw: Vec<u8>) -> Option<Response> {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(raw.get(..end)?).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let fields: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let framed = raw.get(end + 4..)?;
    let chunked = fields
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked {
        unchunk(framed)?
    } else {
        framed.to_vec()
    };
    Some(Response {
        status,
        raw,
        fields,
        body,
    })
}

/// An answer that has come to its end, as its length or its chunks tell; `None` for half of one.
pub(crate) fn whole(raw: Vec<u8>) -> Option<Response> {
    let response = parse(raw)?;
    let length = response.field("content-length");
    let length: Option<usize> = length.and_then(|length| length.parse().ok());
    let is_whole = length.is_none_or(|length| length == response.body.len());
    is_whole.then_some(response)
}

fn unchunk(mut framed: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = framed.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(framed.get(..line)?).ok()?;
        let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
        let start = line + 2;
        body.extend_from_slice(framed.get(start..start + size)?);
        if size == 0 {
            return Some(body);
        }
        framed = framed.get(start + size + 2..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chunked_body_is_put_together_and_the_raw_bytes_are_kept() {
        let raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"a\"\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let response = parse(raw.to_vec()).unwrap();
        assert_eq!(response.status, 200);
        assert_eq!(response.body, b"abcd");
        assert_eq!(response.field("etag"), Some("\"a\""));
        assert_eq!(response.raw, raw);
    }

    #[test]
    fn half_an_answer_is_none() {
        let raw =
            |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{body}").into_bytes();
        assert!(whole(raw("abc")).is_some());
        assert!(whole(raw("ab")).is_none());
    }

    #[test]
    fn a_truncated_chunk_is_no_response() {
        let raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc";
        assert!(parse(raw.to_vec()).is_none());
    }
}
