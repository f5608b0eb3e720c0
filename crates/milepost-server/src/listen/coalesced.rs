//! Answers to pipelined requests, sent together.
//!
//! A client that sends many requests at once would otherwise cost one system call per answer. hyper
//! can gather answers too (`pipeline_flush`), but holds them back as long as any input is left, also
//! when that is half a request, or none: answers to good requests are then lost, and what is wrong
//! with a bad one is never told. Here answers wait only until hyper asks for more input, flushes a
//! second time without having written, or ends the connection.
//!
//! Where requests come one by one, bytes go straight through.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::pulse::Pulse;

/// How many bytes wait at most.
const WAITING_BYTES_MAX: usize = 64 * 1024;

/// A stream that gathers what is written while one read's requests are being answered.
#[derive(Debug)]
pub(super) struct Coalesced<T> {
    stream: T,
    pulse: Arc<Pulse>,
    /// How many requests had started when bytes last came.
    started_at_read: u64,
    waiting: Vec<u8>,
    sent: usize,
    /// A flush was put off since anything was written.
    is_flush_due: bool,
}

impl<T: AsyncWrite + Unpin> Coalesced<T> {
    pub(super) fn new(stream: T, pulse: Arc<Pulse>) -> Self {
        Self {
            stream,
            pulse,
            started_at_read: 0,
            waiting: Vec::new(),
            sent: 0,
            is_flush_due: false,
        }
    }

    /// Whether what came last held more than one request.
    fn is_pipelined(&self) -> bool {
        self.pulse.pipelined_since(self.started_at_read) > 1
    }

    fn goes_straight_through(&self) -> bool {
        self.waiting.is_empty() && !self.is_pipelined()
    }

    /// Sends all that waits.
    fn poll_drain(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self
            .waiting
            .get(self.sent..)
            .filter(|rest| !rest.is_empty())
        {
            let sent = ready!(Pin::new(&mut self.stream).poll_write(context, rest))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += sent;
        }
        self.waiting.clear();
        self.sent = 0;
        Poll::Ready(Ok(()))
    }

    /// Makes room for as many bytes as are offered, and says how many there is room for.
    fn poll_room(&mut self, context: &mut Context<'_>, offered: usize) -> Poll<io::Result<usize>> {
        if self.waiting.len() + offered > WAITING_BYTES_MAX {
            ready!(self.poll_drain(context))?;
        }
        self.is_flush_due = false;
        Poll::Ready(Ok(offered.min(WAITING_BYTES_MAX)))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Coalesced<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // More input is wanted: every request that came was answered, as far as it can be by now.
        // What can't be sent yet doesn't keep anybody from reading.
        if let Poll::Ready(Err(error)) = self.poll_drain(context) {
            return Poll::Ready(Err(error));
        }
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.started_at_read = self.pulse.started();
        }
        outcome
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Coalesced<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.goes_straight_through() {
            return Pin::new(&mut self.stream).poll_write(context, bytes);
        }
        let room = ready!(self.poll_room(context, bytes.len()))?;
        self.waiting
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        Poll::Ready(Ok(room))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.goes_straight_through() {
            return Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        }
        let offered = slices.iter().map(|slice| slice.len()).sum();
        let room = ready!(self.poll_room(context, offered))?;
        let mut left = room;
        for slice in slices {
            let taken = slice.get(..left).unwrap_or(slice);
            self.waiting.extend_from_slice(taken);
            left -= taken.len();
        }
        Poll::Ready(Ok(room))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let may_wait = !self.waiting.is_empty() && self.is_pipelined() && !self.is_flush_due;
        if may_wait {
            self.is_flush_due = true;
            // Should hyper have nothing more to do now, it is made to flush again.
            context.waker().wake_by_ref();
            return Poll::Ready(Ok(()));
        }
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_drain(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use tokio::io::{DuplexStream, duplex};

    use super::*;

    fn pair() -> (Coalesced<DuplexStream>, DuplexStream, Arc<Pulse>) {
        let (near, far) = duplex(1024 * 1024);
        let pulse = Arc::new(Pulse::default());
        (Coalesced::new(near, Arc::clone(&pulse)), far, pulse)
    }

    fn answer(stream: &mut Coalesced<DuplexStream>, pulse: &Pulse, bytes: &[u8]) {
        let mut context = Context::from_waker(Waker::noop());
        pulse.note_start(http::Version::HTTP_11);
        pulse.note_finish();
        let written = Pin::new(&mut *stream).poll_write(&mut context, bytes);
        assert!(matches!(written, Poll::Ready(Ok(length)) if length == bytes.len()));
        assert!(Pin::new(stream).poll_flush(&mut context).is_ready());
    }

    fn arrived(far: &mut DuplexStream) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        let mut bytes = [0; 256 * 1024];
        let mut buffer = ReadBuf::new(&mut bytes);
        let _ = Pin::new(far).poll_read(&mut context, &mut buffer);
        buffer.filled().len()
    }

    fn ask_for_more(stream: &mut Coalesced<DuplexStream>) {
        let mut context = Context::from_waker(Waker::noop());
        let mut bytes = [0; 16];
        let _ = Pin::new(stream).poll_read(&mut context, &mut ReadBuf::new(&mut bytes));
    }

    #[test]
    fn answers_to_pipelined_requests_wait_until_more_input_is_wanted() {
        let (mut stream, mut far, pulse) = pair();
        answer(&mut stream, &pulse, b"1");
        assert_eq!(
            arrived(&mut far),
            1,
            "the first one can't know that others follow"
        );
        for _ in 0..10 {
            answer(&mut stream, &pulse, b"2");
        }
        assert_eq!(arrived(&mut far), 0);
        ask_for_more(&mut stream);
        assert_eq!(arrived(&mut far), 10);
    }

    #[test]
    fn a_second_flush_sends_what_waits() {
        let (mut stream, mut far, pulse) = pair();
        answer(&mut stream, &pulse, b"1");
        answer(&mut stream, &pulse, b"2");
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_flush(&mut context).is_ready());
        assert_eq!(arrived(&mut far), 2);
    }

    #[test]
    fn the_end_sends_what_waits() {
        let (mut stream, mut far, pulse) = pair();
        answer(&mut stream, &pulse, b"1");
        answer(&mut stream, &pulse, b"2");
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut stream).poll_shutdown(&mut context).is_ready());
        assert_eq!(arrived(&mut far), 2);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut stream, _far, pulse) = pair();
        answer(&mut stream, &pulse, b"1");
        for _ in 0..100 {
            answer(&mut stream, &pulse, &[b'x'; 10_000]);
            assert!(stream.waiting.len() <= WAITING_BYTES_MAX);
        }
    }
}
