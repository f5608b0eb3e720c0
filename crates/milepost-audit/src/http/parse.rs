//! Reading an HTTP/1.1 answer (RFC 9112), bounded in every direction.
//!
//! Strict where leniency would let two readers disagree, lenient where servers in the field are
//! (bare LF). A body that goes on too long or too large is cut, and says so.

use std::{
    io::{self, Read},
    time::Duration,
};

use super::{Failure, Fields, Response};

/// Bytes of status line and fields: four times what servers commonly allow themselves.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// Interim answers before the final one.
const INTERIM_MAX: usize = 8;

/// Why an answer could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    Io(io::Error),
    Closed,
    Garbage(String),
}

impl Unread {
    pub(crate) fn into_failure(self, within: Duration) -> Failure {
        match self {
            Self::Io(error) if is_timeout(&error) => Failure::TimedOut { after: within },
            Self::Io(_) | Self::Closed => Failure::Closed,
            Self::Garbage(what) => Failure::Garbage { what },
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

/// A source that can be told to hurry: an event stream has no end worth waiting for.
pub(crate) trait Source: Read {
    /// From now on give up soon, and sooner where something was said already.
    fn hurry(&mut self, _has_spoken: bool) {}
}

impl Source for &[u8] {}

/// Reads one answer; whether the connection can be used again is told beside it.
pub(crate) fn response(
    source: &mut impl Source,
    method: &str,
    body_bytes_max: usize,
) -> Result<(Response, bool), Unread> {
    let mut buffer = Buffer::of(source);
    let (status, fields) = last_head(&mut buffer)?;
    let framing = Framing::of(status, &fields, method)?;
    let mut reusable = !fields.lists("connection", "close") && status != 101;
    let mut body = Vec::new();
    if is_event_stream(&fields) {
        let has_spoken = !buffer.is_empty();
        buffer.source.hurry(has_spoken);
    }
    let is_whole = framing.read(&mut buffer, &mut body, body_bytes_max)?;
    reusable &= is_whole && !matches!(framing, Framing::UntilClose) && buffer.is_empty();
    let response = Response {
        status,
        fields,
        body,
        is_whole,
        unread: None,
    };
    Ok((response.decoded(body_bytes_max), reusable))
}

/// Reads the head of one answer, and leaves what follows it.
pub(crate) fn opening(source: &mut impl Source) -> Result<Response, Unread> {
    let (status, fields) = last_head(&mut Buffer::of(source))?;
    Ok(Response {
        status,
        fields,
        ..Response::default()
    })
}

/// Whether an answer is an event stream.
pub(super) fn is_event_stream(fields: &Fields) -> bool {
    let kind = fields.first("content-type");
    kind.is_some_and(|kind| kind.to_ascii_lowercase().starts_with("text/event-stream"))
}

/// What has been read ahead, and where more comes from.
struct Buffer<'s, R> {
    source: &'s mut R,
    bytes: Vec<u8>,
    at: usize,
}

impl<'s, R: Read> Buffer<'s, R> {
    const fn of(source: &'s mut R) -> Self {
        Self {
            source,
            bytes: Vec::new(),
            at: 0,
        }
    }

    const fn is_empty(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// Reads more; how many bytes came.
    fn fill(&mut self) -> Result<usize, Unread> {
        if self.is_empty() {
            self.bytes.clear();
            self.at = 0;
        }
        let mut chunk = [0_u8; 8 * 1024];
        let count = self.source.read(&mut chunk).map_err(Unread::Io)?;
        self.bytes
            .extend_from_slice(chunk.get(..count).unwrap_or_default());
        Ok(count)
    }

    /// A line without its end.
    fn line(&mut self, bytes_max: usize) -> Result<String, Unread> {
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let text = String::from_utf8_lossy(line).into_owned();
                self.at += end + 1;
                return Ok(text);
            }
            if rest.len() > bytes_max {
                return Err(Unread::Garbage(format!(
                    "a line longer than {bytes_max} bytes"
                )));
            }
            if self.fill()? == 0 {
                return Err(Unread::Closed);
            }
        }
    }

    /// Up to `wanted` bytes that are there, or at least one that comes; empty at the end.
    fn some(&mut self, wanted: usize) -> Result<Vec<u8>, Unread> {
        if self.is_empty() && self.fill()? == 0 {
            return Ok(Vec::new());
        }
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest
            .get(..wanted.min(rest.len()))
            .unwrap_or_default()
            .to_vec();
        self.at += taken.len();
        Ok(taken)
    }
}

/// The head of the final answer; interim ones before it are passed over.
fn last_head<R: Read>(buffer: &mut Buffer<'_, R>) -> Result<(u16, Fields), Unread> {
    for _ in 0..INTERIM_MAX {
        let (status, fields) = head(buffer)?;
        if status == 101 || !(100..200).contains(&status) {
            return Ok((status, fields));
        }
    }
    Err(Unread::Garbage(
        "more interim answers than anybody needs".to_owned(),
    ))
}

fn head<R: Read>(buffer: &mut Buffer<'_, R>) -> Result<(u16, Fields), Unread> {
    let line = buffer.line(HEAD_BYTES_MAX)?;
    let status = status_of(&line)
        .ok_or_else(|| Unread::Garbage(format!("it begins with {:?}", excerpt(&line))))?;
    let mut fields = Fields::default();
    let mut left = HEAD_BYTES_MAX;
    loop {
        let line = buffer.line(left)?;
        if line.is_empty() {
            return Ok((status, fields));
        }
        left = left.checked_sub(line.len() + 2).ok_or_else(|| {
            Unread::Garbage(format!("fields of more than {HEAD_BYTES_MAX} bytes"))
        })?;
        let (name, value) = line
            .split_once(':')
            .filter(|(name, _)| is_token(name))
            .ok_or_else(|| {
                Unread::Garbage(format!("a field without a name: {:?}", excerpt(&line)))
            })?;
        fields.add(name, value.trim());
    }
}

fn status_of(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.")?;
    let code = rest.split(' ').nth(1)?;
    let code: u16 = code.parse().ok()?;
    (100..600).contains(&code).then_some(code)
}

fn is_token(name: &str) -> bool {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(is_token)
}

fn excerpt(line: &str) -> String {
    line.chars().take(40).collect()
}

/// How the end of a body is found (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug)]
enum Framing {
    None,
    Length(usize),
    Chunked,
    UntilClose,
}

impl Framing {
    fn of(status: u16, fields: &Fields, method: &str) -> Result<Self, Unread> {
        if method == "HEAD" || matches!(status, 101 | 204 | 304) {
            return Ok(Self::None);
        }
        if fields.lists("transfer-encoding", "chunked") {
            return Ok(Self::Chunked);
        }
        let Some(length) = fields.first("content-length") else {
            return Ok(Self::UntilClose);
        };
        let length = length.parse().ok();
        length
            .map(Self::Length)
            .ok_or_else(|| Unread::Garbage("a content-length that is no number".to_owned()))
    }

    /// Reads the body; false where it was cut.
    fn read<R: Read>(
        self,
        buffer: &mut Buffer<'_, R>,
        body: &mut Vec<u8>,
        max: usize,
    ) -> Result<bool, Unread> {
        let read = match self {
            Self::None => Ok(true),
            Self::Length(length) => counted(buffer, body, length, max),
            Self::Chunked => chunked(buffer, body, max),
            Self::UntilClose => until_close(buffer, body, max),
        };
        match read {
            Err(Unread::Io(error)) if is_timeout(&error) => Ok(false),
            read => read,
        }
    }
}

fn counted<R: Read>(
    buffer: &mut Buffer<'_, R>,
    body: &mut Vec<u8>,
    length: usize,
    max: usize,
) -> Result<bool, Unread> {
    let end = body.len().saturating_add(length);
    while body.len() < end {
        if body.len() >= max {
            return Ok(false);
        }
        let some = buffer.some(end - body.len())?;
        if some.is_empty() {
            return Err(Unread::Closed);
        }
        body.extend_from_slice(&some);
    }
    Ok(true)
}

fn chunked<R: Read>(
    buffer: &mut Buffer<'_, R>,
    body: &mut Vec<u8>,
    max: usize,
) -> Result<bool, Unread> {
    loop {
        let line = buffer.line(1024)?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16)
            .ok()
            .filter(|length| *length <= usize::MAX / 4)
            .ok_or_else(|| Unread::Garbage(format!("a chunk of length {:?}", excerpt(digits))))?;
        if length == 0 {
            while !buffer.line(HEAD_BYTES_MAX)?.is_empty() {}
            return Ok(true);
        }
        if !counted(buffer, body, length, max)? {
            return Ok(false);
        }
        buffer.line(16)?;
    }
}

fn until_close<R: Read>(
    buffer: &mut Buffer<'_, R>,
    body: &mut Vec<u8>,
    max: usize,
) -> Result<bool, Unread> {
    while body.len() < max {
        let some = buffer.some(max - body.len())?;
        if some.is_empty() {
            return Ok(true);
        }
        body.extend_from_slice(&some);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &str, method: &str) -> Result<(Response, bool), Unread> {
        response(&mut bytes.as_bytes(), method, 1_000)
    }

    #[test]
    fn every_framing_finds_the_end_of_its_body() {
        let counted = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab";
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;x=y\r\na\r\n1\r\nb\r\n0\r\n\r\n";
        let closed = "HTTP/1.1 200 OK\r\n\r\nab";
        for (text, reusable) in [(counted, true), (chunked, true), (closed, false)] {
            let (response, again) = read(text, "GET").unwrap();
            assert_eq!((response.text().as_str(), again), ("ab", reusable));
        }
        let (head, again) = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", "HEAD").unwrap();
        assert!(head.body.is_empty() && again);
    }

    #[test]
    fn interim_answers_are_passed_over() {
        let (response, _) =
            read("HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 204 None\r\n\r\n", "GET").unwrap();
        assert_eq!(response.status, 204);
    }

    #[test]
    fn what_is_not_http_is_garbage_and_what_ends_early_is_closed() {
        for text in [
            "hello\r\n\r\n",
            "HTTP/1.1 999 X\r\n\r\n",
            "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        ] {
            assert!(
                matches!(read(text, "GET"), Err(Unread::Garbage(_))),
                "{text}"
            );
        }
        for text in ["", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"] {
            assert!(matches!(read(text, "GET"), Err(Unread::Closed)), "{text}");
        }
        let negative =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n";
        assert!(matches!(read(negative, "GET"), Err(Unread::Garbage(_))));
    }

    #[test]
    fn a_body_above_the_limit_is_cut_and_says_so() {
        let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(5_000));
        let (response, again) = read(&long, "GET").unwrap();
        assert!(!response.is_whole && !again && response.body.len() == 1_000);
    }
}
