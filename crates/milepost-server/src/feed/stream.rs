//! The feed as server-sent events (WHATWG HTML §9.2): the same pages, one event each.
//!
//! An event's `data` is a page as GET would answer it, its `id` the page's position. Applying an event
//! is applying a page, and whoever has applied it may go on from its `id` at any node, as
//! `Last-Event-ID` or in the URL. A page and not a single item: several items may share a position,
//! and an `id` between them would lose the rest.
//!
//! The first event tells where the feed stands even if nothing is new. Streams end by themselves
//! after a while, so that clients spread over nodes again, and at once when the service stops; a client
//! comes back as after any other interruption. A stream is made as fast as its reader reads. Where the
//! reader closes its sending side it is sent a sign of life at once: if it is gone, that comes back.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderName, HeaderValue, Response,
    header::{CACHE_CONTROL, CONTENT_TYPE, VARY},
    request::Parts,
};
use http_body::{Body as HttpBody, Frame};
use milepost_semantics::Position;
use tokio::{
    sync::OwnedSemaphorePermit,
    time::{Interval, MissedTickBehavior, Sleep, interval, sleep},
};

use super::{
    answer::refuse,
    asked::Asked,
    hold::{jittered, left, no_room},
    read,
};
use crate::{
    between::{News, WrittenPage},
    body::{Body, BodyError},
    edge::Begun,
    listen::Held,
    refusal::{Answer, Refusal},
    service::SharedHandle,
};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Asks nginx not to wait for more before it passes on what there is.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
/// After how many milliseconds a client comes back.
const BEGINNING: &[u8] = b"retry: 1000\n\n";

/// Answers with a stream of what changes from now on, after what changed since the position asked.
pub(super) async fn open(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    asked: Asked,
) -> Answer {
    let since = match request.headers.get(LAST_EVENT_ID) {
        Some(id) if !id.is_empty() => last_event(id)?,
        _ => asked.since,
    };
    // What can't be told is told now, as a problem.
    let first = match read::page(shared, &asked, since).await {
        Ok(page) => page,
        Err(error) => return Err(refuse(shared, &asked, error).await),
    };
    let Some(entered) = shared.waits.streams.enter() else {
        return Err(no_room("streams are open already"));
    };
    let mut events = Events::new(shared, asked, &first, entered);
    events.reader = begun.hold();
    let mut response = Response::new(Body::Stream(Box::pin(EventBody::of(events))));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

fn last_event(id: &HeaderValue) -> Result<Position, Refusal> {
    let position = id.to_str().ok().and_then(|text| text.parse().ok());
    position.ok_or_else(|| {
        Refusal::bad_field(
            &LAST_EVENT_ID,
            "is the id of an event of this stream: a position",
        )
    })
}

/// What is still to be told.
struct Events {
    shared: SharedHandle,
    asked: Asked,
    since: Position,
    /// The position of the last event that was sent.
    told: Position,
    news: News,
    is_up: Pin<Box<Sleep>>,
    heartbeat: Interval,
    unsent: VecDeque<Bytes>,
    /// Watched while the stream is open.
    reader: Option<Held>,
    is_reader_silent: bool,
    _entered: OwnedSemaphorePermit,
}

impl Events {
    fn new(
        shared: &SharedHandle,
        asked: Asked,
        first: &WrittenPage,
        entered: OwnedSemaphorePermit,
    ) -> Self {
        let news = shared.waits.listen(asked.topic());
        let time_max = Duration::from_secs(shared.limits.stream_seconds_max);
        let at = first.tail.position;
        let mut events = Self {
            shared: Arc::clone(shared),
            asked,
            since: at,
            told: at,
            news,
            is_up: Box::pin(sleep(jittered(time_max))),
            heartbeat: heartbeat(shared.limits.heartbeat_seconds_max),
            unsent: VecDeque::from([Bytes::from_static(BEGINNING)]),
            reader: None,
            is_reader_silent: false,
            _entered: entered,
        };
        events.tell(first);
        events
    }

    /// What is sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(bytes) = self.unsent.pop_front() {
                return Some(bytes);
            }
            if self.news.is_over() {
                return None;
            }
            let page = tokio::select! {
                biased;
                () = self.is_up.as_mut() => return None,
                // Who comes back is told why.
                page = read::page(&self.shared, &self.asked, self.since) => page.ok()?,
            };
            self.since = page.tail.position;
            if page.has_news {
                self.tell(&page);
                continue;
            }
            tokio::select! {
                () = self.is_up.as_mut() => return None,
                moved = self.news.beyond(self.since) => if !moved {
                    return None;
                },
                _ = self.heartbeat.tick() => self.beat(&page),
                () = left(self.reader.as_ref()), if !self.is_reader_silent => {
                    self.is_reader_silent = true;
                    self.beat(&page);
                }
            }
        }
    }

    /// Tells a page, as it is shared by all who follow.
    fn tell(&mut self, page: &WrittenPage) {
        self.told = page.tail.position;
        let head = format!("id: {}\ndata: ", self.told);
        let data = in_lines(&page.bytes);
        self.unsent
            .extend([Bytes::from(head), data, Bytes::from_static(b"\n\n")]);
        self.heartbeat.reset();
    }

    /// Shows that the stream is alive. Where the feed hid changes, the reader moves past them too, so
    /// that a quiet one never falls out of what is remembered.
    fn beat(&mut self, page: &WrittenPage) {
        if self.told == page.tail.position {
            self.unsent.push_back(Bytes::from_static(b":\n\n"));
        } else {
            self.tell(page);
        }
    }
}

fn heartbeat(seconds_max: u64) -> Interval {
    let mut beats = interval(Duration::from_secs(seconds_max.max(1)));
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    beats.reset();
    beats
}

/// A document as the value of `data`: each of its lines is one. A line break in JSON means nothing, so
/// that the reader gets the same document.
fn in_lines(document: &Bytes) -> Bytes {
    let is_break = |byte: &u8| matches!(byte, b'\n' | b'\r');
    if !document.iter().any(is_break) {
        return document.clone();
    }
    let mut lines = Vec::with_capacity(document.len() + 1024);
    for (number, line) in document.split(|byte| is_break(byte)).enumerate() {
        if number > 0 {
            lines.extend_from_slice(b"\ndata: ");
        }
        lines.extend_from_slice(line);
    }
    lines.into()
}

type Next = Pin<Box<dyn Future<Output = (Events, Option<Bytes>)> + Send>>;

/// The events as a body: each part is made when the one before was taken.
struct EventBody {
    next: Option<Next>,
}

impl EventBody {
    fn of(events: Events) -> Self {
        Self {
            next: Some(advance(events)),
        }
    }
}

fn advance(mut events: Events) -> Next {
    Box::pin(async move {
        let bytes = events.next().await;
        (events, bytes)
    })
}

impl HttpBody for EventBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(next) = &mut self.next else {
            return Poll::Ready(None);
        };
        let (events, bytes) = ready!(next.as_mut().poll(context));
        self.next = bytes.as_ref().map(|_more| advance(events));
        Poll::Ready(bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_several_lines_is_one_event() {
        assert_eq!(in_lines(&Bytes::from("{\"a\":1}")), "{\"a\":1}");
        assert_eq!(
            in_lines(&Bytes::from("{\n \"a\":\r\n1}")),
            "{\ndata:  \"a\":\ndata: \ndata: 1}"
        );
    }
}
