//! One connection: requests go out, one answer comes back for each, in time or not at all.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    time::Duration,
};

use rustls::{ClientConnection, StreamOwned};

use super::{Failure, Multiplexed, Request, Response, parse};
use crate::clock::Stopwatch;

/// A stream of bytes, plain or under TLS.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Stream {
    fn socket(&self) -> &TcpStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => &stream.sock,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.flush(),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

/// What an answer may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// From the request's last byte to the answer's.
    pub(crate) within: Duration,
    /// Bytes of the body that are read.
    pub(crate) body_bytes_max: usize,
}

/// What a connection speaks.
#[derive(Debug)]
pub(crate) enum Channel {
    /// HTTP/1.1.
    Bytes(Stream),
    /// HTTP/2.
    Frames(Box<Multiplexed>),
}

impl Channel {
    /// The bytes of HTTP/1.1; a probe that needs them is never sent over HTTP/2.
    fn bytes(&mut self) -> Result<&mut Stream, Failure> {
        match self {
            Self::Bytes(stream) => Ok(stream),
            Self::Frames(_) => Err(Failure::Closed),
        }
    }
}

/// An open connection.
#[derive(Debug)]
pub(crate) struct Connection {
    channel: Channel,
    authority: String,
    /// Counted over the run: what "the same connection" means.
    pub(crate) number: u64,
    is_reusable: bool,
    is_used: bool,
}

impl Connection {
    /// Takes an opened channel.
    pub(crate) const fn new(channel: Channel, authority: String, number: u64) -> Self {
        Self {
            channel,
            authority,
            number,
            is_reusable: true,
            is_used: false,
        }
    }

    /// Whether another request may go over it.
    pub(crate) const fn is_reusable(&self) -> bool {
        self.is_reusable
    }

    /// Whether a request went over it before: then the server may have closed it meanwhile.
    pub(crate) const fn is_used(&self) -> bool {
        self.is_used
    }

    /// Sends a request and reads its answer.
    pub(crate) fn exchange(
        &mut self,
        request: &Request,
        bounds: Bounds,
    ) -> Result<Response, Failure> {
        if let Channel::Frames(frames) = &self.channel {
            self.is_used = true;
            let answer = frames.exchange(request, &self.authority, bounds);
            self.is_reusable &= answer.as_ref().is_ok_and(|answer| answer.is_whole);
            return answer;
        }
        let bytes = request.to_bytes(&self.authority);
        self.write(&bytes)?;
        self.receive(&request.method, bounds)
    }

    /// Sends a request and reads the head of its answer alone; the connection is good for nothing else
    /// afterwards.
    pub(crate) fn begin(&mut self, request: &Request, bounds: Bounds) -> Result<Response, Failure> {
        self.is_reusable = false;
        let bytes = request.to_bytes(&self.authority);
        self.write(&bytes)?;
        let mut source = Timed::of(self.channel.bytes()?, bounds.within);
        parse::opening(&mut source).map_err(|failure| failure.into_failure(bounds.within))
    }

    /// Sends all of a request but its last byte, which is returned.
    pub(crate) fn prepare(&mut self, request: &Request) -> Result<u8, Failure> {
        let bytes = request.to_bytes(&self.authority);
        let (last, rest) = bytes.split_last().ok_or(Failure::Closed)?;
        self.write(rest)?;
        Ok(*last)
    }

    /// Sends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.is_used = true;
        let stream = self.channel.bytes()?;
        let sent = stream.write_all(bytes).and_then(|()| stream.flush());
        sent.map_err(|_lost| {
            self.is_reusable = false;
            Failure::Closed
        })
    }

    /// Reads the answer to what was sent.
    pub(crate) fn receive(&mut self, method: &str, bounds: Bounds) -> Result<Response, Failure> {
        let mut source = Timed::of(self.channel.bytes()?, bounds.within);
        let read = parse::response(&mut source, method, bounds.body_bytes_max);
        match read {
            Ok((response, reusable)) => {
                self.is_reusable &= reusable;
                Ok(response)
            }
            Err(failure) => {
                self.is_reusable = false;
                Err(failure.into_failure(bounds.within))
            }
        }
    }
}

/// A stream that is read only as long as there is time.
struct Timed<'s> {
    stream: &'s mut Stream,
    watch: Stopwatch,
    within: Duration,
    /// How long nothing may come, once it has to hurry and something came.
    silence: Option<Duration>,
    has_spoken: bool,
}

/// What is read of an event stream before it is left.
pub(super) const STREAM_WITHIN: Duration = Duration::from_millis(700);
/// How long an event stream that has said something may be silent before it is left.
const SILENCE_MAX: Duration = Duration::from_millis(200);

impl<'s> Timed<'s> {
    fn of(stream: &'s mut Stream, within: Duration) -> Self {
        Self {
            stream,
            watch: Stopwatch::start(),
            within,
            silence: None,
            has_spoken: false,
        }
    }
}

impl parse::Source for Timed<'_> {
    fn hurry(&mut self, has_spoken: bool) {
        self.within = self.within.min(self.watch.elapsed() + STREAM_WITHIN);
        self.silence = Some(SILENCE_MAX);
        self.has_spoken = has_spoken;
    }
}

impl Read for Timed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(left) = self.watch.left_of(self.within) else {
            return Err(io::ErrorKind::TimedOut.into());
        };
        let silence = self.silence.filter(|_| self.has_spoken).unwrap_or(left);
        let socket = self.stream.socket();
        socket.set_read_timeout(Some(left.min(silence)))?;
        let count = self.stream.read(buffer)?;
        self.has_spoken |= self.silence.is_some() && count > 0;
        Ok(count)
    }
}
