//! A response's body on its way, and who takes it.
//!
//! Over HTTP/1.1 a reader that doesn't read is found by the bytes that can't be written. Over HTTP/2 it
//! may write and read other things all the while and only open no window for one answer: hyper then
//! never asks the body for more, and a body that is not asked can't end by itself. So each notes when
//! it was last asked, and the connection looks now and then.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use http_body::{Body, Frame, SizeHint};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::connection::InFlight;

/// It was asked, and has nothing to give: what takes time is the service's to bound.
const HAS_NOTHING: u32 = u32::MAX;

/// How many looks ago a body could have been asked for more.
#[derive(Debug, Default)]
struct Unasked(AtomicU32);

impl Unasked {
    /// One more look; how many there were since it was last asked.
    fn look(&self) -> u32 {
        let looks = self.0.load(Relaxed);
        if looks == HAS_NOTHING {
            return 0;
        }
        self.0
            .store(looks.saturating_add(1).min(HAS_NOTHING - 1), Relaxed);
        looks + 1
    }
}

/// The bodies that one connection is sending.
#[derive(Debug)]
pub(super) struct Bodies {
    begun: UnboundedReceiver<Arc<Unasked>>,
    open: Vec<Arc<Unasked>>,
}

impl Bodies {
    /// No bodies, and what announces them.
    pub(super) fn new() -> (Announcing, Self) {
        let (announce, begun) = unbounded_channel();
        let open = Vec::new();
        (Announcing(announce), Self { begun, open })
    }

    /// Looks; whether a body was not asked for more during this many looks.
    pub(super) fn is_stalled(&mut self, looks_max: u32) -> bool {
        while let Ok(body) = self.begun.try_recv() {
            self.open.push(body);
        }
        self.open.retain(|body| Arc::strong_count(body) > 1);
        let most = self.open.iter().map(|body| body.look()).max();
        most.is_some_and(|looks| looks > looks_max)
    }
}

/// Announces the bodies of one connection.
#[derive(Clone, Debug)]
pub(super) struct Announcing(UnboundedSender<Arc<Unasked>>);

/// A response's body, which keeps its request in flight until it is done: one that is made while it
/// is sent may take longer than a connection may be idle.
#[derive(Debug)]
pub(super) struct Answering<B> {
    body: B,
    unasked: Option<Arc<Unasked>>,
    _in_flight: InFlight,
}

impl<B: Body> Answering<B> {
    /// A body that is about to be sent; watched where it is announced.
    pub(super) fn new(body: B, in_flight: InFlight, announcing: Option<&Announcing>) -> Self {
        let unasked = announcing.filter(|_| !body.is_end_stream()).map(|to| {
            let unasked = Arc::<Unasked>::default();
            // Nobody hears it where the connection is at its end.
            let _ = to.0.send(Arc::clone(&unasked));
            unasked
        });
        Self {
            body,
            unasked,
            _in_flight: in_flight,
        }
    }
}

impl<B: Body + Unpin> Body for Answering<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        if let Some(unasked) = &self.unasked {
            let has_more = matches!(frame, Poll::Ready(Some(_)));
            unasked
                .0
                .store(if has_more { 0 } else { HAS_NOTHING }, Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
