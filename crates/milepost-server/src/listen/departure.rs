//! Peers that go away while their request is held.
//!
//! **The problem.** Over HTTP/1.1 a client may close its sending side once it has asked, and still gets
//! its answer: so hyper, told to allow that, doesn't look at the connection while a request is
//! answered. But a client that went away closes its sending side too, and nothing tells the two apart
//! until something is sent to it. Requests that wait for news would keep their place, of which there
//! are few, until their time is up.
//!
//! **The choice.** Only while a request is held, the socket is watched for the end of what comes in.
//! Whoever holds the request is told ([`Departure::sensed`]), and answers at once, as if the time was
//! up: a client that only closed its sending side gets a proper answer, earlier than it might have; one
//! that is gone gets nothing, and its place is free. A reset, or an error on what was sent, ends the
//! connection, and with it whatever it held. Taking a closed sending side for a client that is gone
//! would have been simpler, and would cut off those who aren't.
//!
//! Where more requests have come that weren't read yet, nothing wakes the connection when its input ends:
//! it is found when the connection is looked at the next time, some seconds later at most. Over HTTP/2 a
//! client that is gone is seen by hyper, which always reads.

use std::{
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
    sync::Notify,
};
use tokio_rustls::server::TlsStream;

use super::pulse::Pulse;

/// Whether a connection's peer has closed its sending side while a request was held.
#[derive(Debug, Default)]
pub(super) struct Departure {
    /// How many requests are held.
    holds: AtomicU32,
    is_sensed: AtomicBool,
    sensed: Notify,
}

impl Departure {
    fn is_watched(&self) -> bool {
        self.holds.load(Relaxed) > 0
    }

    fn sense(&self) {
        if !self.is_sensed.swap(true, Relaxed) {
            self.sensed.notify_waiters();
        }
    }
}

/// A request that is held: while this is there, the peer is watched.
#[derive(Debug)]
pub(crate) struct Held(Arc<Pulse>);

impl Held {
    pub(super) fn on(pulse: Arc<Pulse>) -> Self {
        pulse.departure.holds.fetch_add(1, Relaxed);
        Self(pulse)
    }

    /// Waits until the peer has closed its sending side; for ever where it doesn't.
    pub(crate) async fn sensed(&self) {
        let departure = &self.0.departure;
        let mut sensed = pin!(departure.sensed.notified());
        // From here on no notice is missed.
        sensed.as_mut().enable();
        if !departure.is_sensed.load(Relaxed) {
            sensed.await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.departure.holds.fetch_sub(1, Relaxed);
    }
}

/// How much of a peer is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It may send more, or has sent what wasn't read yet.
    Whole,
    /// It sends nothing more; whether it still reads is not known.
    Silent,
    /// The connection is broken.
    Gone,
}

/// A stream over a socket that can be watched.
pub(super) trait Watched {
    /// What can be told of the peer without reading anything. `Pending`: nothing has changed; the task
    /// is woken when that does.
    fn poll_presence(&self, context: &mut Context<'_>) -> Poll<Presence>;
}

impl Watched for TcpStream {
    fn poll_presence(&self, context: &mut Context<'_>) -> Poll<Presence> {
        let mut byte = [0; 1];
        let peeked = ready!(self.poll_peek(context, &mut ReadBuf::new(&mut byte)));
        if peeked.is_err() {
            return Poll::Ready(Presence::Gone);
        }
        // Not what was peeked: behind what wasn't read yet there may be an end all the same.
        let ready = pin!(self.ready(Interest::READABLE.add(Interest::WRITABLE)));
        let Poll::Ready(Ok(ready)) = ready.poll(context) else {
            return Poll::Pending;
        };
        Poll::Ready(match (ready.is_read_closed(), ready.is_write_closed()) {
            (true, true) => Presence::Gone,
            (true, false) => Presence::Silent,
            (false, _) => Presence::Whole,
        })
    }
}

impl<T: Watched> Watched for TlsStream<T> {
    fn poll_presence(&self, context: &mut Context<'_>) -> Poll<Presence> {
        self.get_ref().0.poll_presence(context)
    }
}

/// A stream whose peer is watched while a request is held, whenever the stream is flushed: hyper does
/// so each time that its connection is looked at.
#[derive(Debug)]
pub(super) struct Attended<T> {
    stream: T,
    pulse: Arc<Pulse>,
}

impl<T> Attended<T> {
    pub(super) const fn new(stream: T, pulse: Arc<Pulse>) -> Self {
        Self { stream, pulse }
    }
}

impl<T: Watched> Attended<T> {
    fn attend(&self, context: &mut Context<'_>) -> io::Result<()> {
        let departure = &self.pulse.departure;
        if !departure.is_watched() || self.pulse.is_multiplexed() {
            return Ok(());
        }
        match self.stream.poll_presence(context) {
            Poll::Pending | Poll::Ready(Presence::Whole) => {}
            Poll::Ready(Presence::Silent) => departure.sense(),
            Poll::Ready(Presence::Gone) => return Err(io::ErrorKind::ConnectionReset.into()),
        }
        Ok(())
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Attended<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Watched + Unpin> AsyncWrite for Attended<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        Poll::Ready(self.attend(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
