//! A request's body, which has to come at some least speed.
//!
//! Does not bound how much comes: what a body may be long depends on what it is for.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::ListenOptions;

/// Why a request's body did not come.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError {
    /// It came more slowly than is allowed: 408.
    #[error("request body came too slowly")]
    TooSlow,
    /// The connection broke, or what came was not HTTP.
    #[error("request body did not come whole")]
    Broken(#[source] hyper::Error),
}

/// The least speed of a body.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    grace: Duration,
    bytes_per_second_min: u32,
}

impl Pace {
    pub(super) fn new(options: &ListenOptions) -> Self {
        Self {
            grace: options.body_grace,
            bytes_per_second_min: options.body_bytes_per_second_min.max(1),
        }
    }

    /// How long after its start a body may take to get beyond `received_bytes`.
    fn time_for(self, received_bytes: u64) -> Duration {
        let earned = received_bytes.saturating_mul(1000) / u64::from(self.bytes_per_second_min);
        self.grace.saturating_add(Duration::from_millis(earned))
    }
}

/// A request's body as it comes from the connection.
///
/// No timer exists unless it has to be waited for.
#[derive(Debug)]
pub struct RequestBody {
    incoming: Incoming,
    pace: Pace,
    received_bytes: u64,
    waiting: Option<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming, pace: Pace) -> Self {
        Self {
            incoming,
            pace,
            received_bytes: 0,
            waiting: None,
        }
    }

    /// Waits for more bytes, as long as the pace allows.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let allowed = self.pace.time_for(self.received_bytes);
        let waiting = self.waiting.get_or_insert_with(|| {
            let since = Instant::now();
            Waiting {
                since,
                timer: Box::pin(sleep_until(since + allowed)),
            }
        });
        let deadline = waiting.since + allowed;
        if waiting.timer.deadline() != deadline {
            waiting.timer.as_mut().reset(deadline);
        }
        waiting.timer.as_mut().poll(context)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = ReceiveError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ReceiveError>>> {
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                self.received_bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(ReceiveError::Broken(error)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => self
                .wait(context)
                .map(|()| Some(Err(ReceiveError::TooSlow))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
