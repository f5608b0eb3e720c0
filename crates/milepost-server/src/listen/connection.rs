//! One connection, from its first byte to its last.
//!
//! hyper speaks HTTP; here stands what hyper leaves open: who is silent for too long, and how a
//! connection ends when the service is asked to stop.

use std::{convert::Infallible, net::SocketAddr, pin::pin, sync::Arc};

use http::{Request, Version};
use hyper::{body::Incoming, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    sync::watch,
    time::interval,
};

use super::{
    HttpService, ListenOptions,
    answering::{Answering, Bodies},
    coalesced::Coalesced,
    departure::{Attended, Held, Watched},
    paced::Paced,
    pulse::{Pulse, Verdict, Watch},
};

/// What is known of the connection that a request came on; an extension of the request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// Who is at the other end: perhaps a proxy.
    pub peer: SocketAddr,
    /// Whether it is encrypted.
    pub is_tls: bool,
    pulse: Arc<Pulse>,
}

impl Connection {
    pub(super) fn new(peer: SocketAddr, is_tls: bool) -> Self {
        Self {
            peer,
            is_tls,
            pulse: Arc::default(),
        }
    }

    /// Has the peer watched until the request that came on it is no longer held.
    pub(crate) fn hold(&self) -> Held {
        Held::on(Arc::clone(&self.pulse))
    }
}

/// What a listener is about to do with its connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Serving,
    /// Finish what is in flight.
    Draining,
    /// Drop everything.
    Dropping,
}

/// Which version of HTTP a connection speaks, as far as its beginning tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
    /// hyper finds out, at the price of a buffer of twice the size for as long as the connection is
    /// open: it reads the first bytes apart.
    Unknown,
}

impl Spoken {
    /// What a peer speaks, by its first bytes (RFC 9113 §3.4). `None` where it sent none.
    pub(super) async fn of(stream: &TcpStream) -> Option<Self> {
        const PREFACE: &[u8] = b"PRI ";
        let mut start = [0; PREFACE.len()];
        let length = stream.peek(&mut start).await.ok()?;
        let start = start.get(..length).filter(|start| !start.is_empty())?;
        Some(if start == PREFACE {
            Self::Http2
        } else if PREFACE.starts_with(start) {
            Self::Unknown
        } else {
            Self::Http1
        })
    }

    /// What was agreed on in a TLS handshake (RFC 7301).
    pub(super) fn agreed(protocol: Option<&[u8]>) -> Self {
        match protocol {
            Some(b"h2") => Self::Http2,
            Some(b"http/1.1") => Self::Http1,
            Some(_) | None => Self::Unknown,
        }
    }
}

/// What all connections of a listener have in common.
#[derive(Debug)]
pub(super) struct Protocol {
    any: Builder<TokioExecutor>,
    http1: Builder<TokioExecutor>,
    http2: Builder<TokioExecutor>,
    options: ListenOptions,
}

impl Protocol {
    pub(super) fn new(options: ListenOptions) -> Self {
        let mut builder = Builder::new(TokioExecutor::new());
        // A client may close its sending side once it has asked; it still gets its answer.
        builder
            .http1()
            .half_close(true)
            .header_read_timeout(None)
            .max_buf_size(options.buffer_bytes_max.max(8192));
        builder
            .http2()
            .max_concurrent_streams(options.streams_max)
            .max_header_list_size(u32::try_from(options.buffer_bytes_max).unwrap_or(u32::MAX));
        Self {
            http1: builder.clone().http1_only(),
            http2: builder.clone().http2_only(),
            any: builder,
            options,
        }
    }

    pub(super) fn options(&self) -> &ListenOptions {
        &self.options
    }

    /// Serves one connection until it ends, in whatever way.
    pub(super) async fn serve<T: AsyncRead + AsyncWrite + Watched + Unpin + Send + 'static>(
        &self,
        stream: T,
        spoken: Spoken,
        connection: Connection,
        service: impl HttpService,
        mut phase: watch::Receiver<Phase>,
    ) {
        let pulse = Arc::clone(&connection.pulse);
        let stream = Attended::new(stream, Arc::clone(&pulse));
        let stream = Paced::new(stream, Arc::clone(&pulse), self.options.stall_time_max);
        let stream = Coalesced::new(stream, Arc::clone(&pulse));
        let noted = Arc::clone(&pulse);
        // Over HTTP/1.1 a reader that doesn't read is found by the bytes that wait for it.
        let (announcing, mut bodies) = match spoken {
            Spoken::Http1 => (None, None),
            Spoken::Http2 | Spoken::Unknown => {
                let (announcing, bodies) = Bodies::new();
                (Some(announcing), Some(bodies))
            }
        };
        let service = service_fn(move |request: Request<Incoming>| {
            let is_multiplexed = request.version() == Version::HTTP_2;
            let announcing = announcing.clone().filter(|_| is_multiplexed);
            let in_flight = InFlight::start(&noted, request.version());
            let response = service.clone().answer(request, connection.clone());
            async move {
                let response = response.await;
                Ok::<_, Infallible>(
                    response.map(|body| Answering::new(body, in_flight, announcing.as_ref())),
                )
            }
        });
        let builder = match spoken {
            Spoken::Http1 => &self.http1,
            Spoken::Http2 => &self.http2,
            Spoken::Unknown => &self.any,
        };
        let mut http = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut watch = Watch::new(&self.options);
        let mut looks = interval(watch.interval());
        let looks_max = watch.looks_in(self.options.stall_time_max);
        let mut is_closing = false;
        loop {
            let wants_close = tokio::select! {
                biased;
                // What went wrong on a connection is its peer's doing and nobody else's concern.
                _ended = http.as_mut() => return,
                _ = looks.tick() => match watch.look(&pulse) {
                    _ if bodies.as_mut().is_some_and(|bodies| bodies.is_stalled(looks_max)) => return,
                    Verdict::KeepOpen => false,
                    Verdict::CloseGracefully if is_closing => return,
                    Verdict::CloseGracefully => true,
                    Verdict::Drop => return,
                },
                changed = phase.changed() => {
                    if changed.is_err() || *phase.borrow_and_update() == Phase::Dropping {
                        return;
                    }
                    true
                }
            };
            if wants_close && !is_closing {
                is_closing = true;
                http.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A request that was noted as started, and is noted as finished however it ends.
#[derive(Debug)]
pub(super) struct InFlight(Arc<Pulse>);

impl InFlight {
    fn start(pulse: &Arc<Pulse>, version: http::Version) -> Self {
        pulse.note_start(version);
        Self(Arc::clone(pulse))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.note_finish();
    }
}
