//! The listener: which connections it keeps, which it closes, and how it stops.

use std::{convert::Infallible, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use milepost_server::{
    listen::{Connection, ListenOptions, Listener, Stopped, serve},
    metrics::Metrics,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};

type Answer = Response<Full<bytes::Bytes>>;

/// A listener that serves until it is stopped.
pub(crate) struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<Stopped>,
}

impl Running {
    pub(crate) fn start<F: Future<Output = Answer> + Send + 'static>(
        listener: Listener,
        options: ListenOptions,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Self {
        let addresses = listener.addresses();
        let (stop, shutdown) = oneshot::channel();
        let service = tower::service_fn(move |request| {
            let answered = answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let shutdown = async move {
            let _ = shutdown.await;
        };
        let stopped = tokio::spawn(serve(listener, service, options, shutdown));
        Self {
            addresses,
            stop,
            stopped,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addresses[0]).await.unwrap()
    }

    pub(crate) async fn stop(self) -> Stopped {
        self.stop.send(()).unwrap();
        self.stopped.await.unwrap()
    }
}

async fn listener() -> Listener {
    Listener::bind(&["127.0.0.1:0".parse().unwrap()])
        .await
        .unwrap()
}

pub(crate) async fn path(request: Request<Incoming>) -> Answer {
    Response::new(Full::from(request.uri().path().to_owned()))
}

async fn received(request: Request<Incoming>) -> Answer {
    let (status, text) = match request.into_body().collect().await {
        Ok(body) => (StatusCode::OK, body.to_bytes().len().to_string()),
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()),
    };
    Response::builder()
        .status(status)
        .body(Full::from(text))
        .unwrap()
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = stream
            .read_u8()
            .await
            .unwrap_or_else(|_| panic!("{end:?} never came: {text:?}"));
        text.push(char::from(byte));
    }
    text
}

const SHORT: Duration = Duration::from_millis(40);

#[tokio::test]
async fn every_address_is_answered_on_the_port_that_is_told() {
    let addresses = [
        "127.0.0.1:0".parse().unwrap(),
        "127.0.0.2:0".parse().unwrap(),
    ];
    let listener = Listener::bind(&addresses).await.unwrap();
    let running = Running::start(listener, ListenOptions::default(), path);
    for address in running.addresses.clone() {
        assert_ne!(address.port(), 0);
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream
            .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            .await
            .unwrap();
        assert!(until_closed(&mut stream).await.ends_with("\r\n\r\n/a"));
    }
}

#[tokio::test]
async fn an_address_in_use_is_named() {
    let first = listener().await;
    let error = Listener::bind(&first.addresses()).await.unwrap_err();
    assert_eq!(error.address, first.addresses()[0]);
    assert!(error.to_string().contains("127.0.0.1:"));
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let running = Running::start(listener().await, ListenOptions::default(), path);
    let mut stream = running.connect().await;
    let requests: String = (0..20)
        .map(|number| format!("GET /{number} HTTP/1.1\r\nHost: x\r\n\r\n"))
        .collect();
    stream.write_all(requests.as_bytes()).await.unwrap();
    for number in 0..20 {
        let answer = until(&mut stream, &format!("\r\n\r\n/{number}")).await;
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    }
}

#[tokio::test]
async fn a_request_knows_who_is_at_the_other_end() {
    let running = Running::start(
        listener().await,
        ListenOptions::default(),
        |request| async move {
            let connection = request.extensions().get::<Connection>().copied().unwrap();
            Response::new(Full::from(format!(
                "{} {}",
                connection.peer, connection.is_tls
            )))
        },
    );
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let own = stream.local_addr().unwrap();
    until(&mut stream, &format!("{own} false")).await;
}

#[tokio::test]
async fn who_never_finishes_a_head_is_disconnected() {
    let options = || {
        let mut options = ListenOptions::default();
        options.head_time_max = SHORT;
        options
    };
    let running = Running::start(listener().await, options(), path);
    for sent in ["", "P", "GET / HTTP/1.1\r\nHost: x\r\n"] {
        let mut stream = running.connect().await;
        stream.write_all(sent.as_bytes()).await.unwrap();
        assert_eq!(until_closed(&mut stream).await, "", "{sent:?}");
    }
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    until(&mut stream, "/a").await;
    stream.write_all(b"GET /b HTT").await.unwrap();
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn who_drips_a_head_is_disconnected_all_the_same() {
    let mut options = ListenOptions::default();
    options.head_time_max = SHORT;
    let running = Running::start(listener().await, options, path);
    let mut stream = running.connect().await;
    let mut drip = tokio::time::interval(SHORT / 8);
    for _ in 0..1000 {
        drip.tick().await;
        if stream.write_all(b"G").await.is_err() {
            return;
        }
    }
    panic!("still connected");
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let mut options = ListenOptions::default();
    options.idle_time_max = SHORT;
    let running = Running::start(listener().await, options, path);
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert!(until_closed(&mut stream).await.ends_with("/a"));
}

#[tokio::test]
async fn half_a_head_that_came_with_the_request_before_holds_no_connection_either() {
    let mut options = ListenOptions::default();
    options.idle_time_max = SHORT;
    let running = Running::start(listener().await, options, path);
    let mut stream = running.connect().await;
    let sent = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTT";
    stream.write_all(sent).await.unwrap();
    // hyper holds the answer back as long as more requests seem to follow (`pipeline_flush`), so
    // only the end is promised to who never completes one.
    until_closed(&mut stream).await;
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_hang_its_request() {
    let running = Running::start(listener().await, ListenOptions::default(), received);
    let mut stream = running.connect().await;
    stream
        .write_all(b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1234")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 400 "),
        "{answer}"
    );
}

#[tokio::test]
async fn a_reader_that_does_not_read_is_dropped() {
    let mut options = ListenOptions::default();
    options.stall_time_max = SHORT;
    let metrics = Arc::new(Metrics::default());
    let listener = listener().await.with_metrics(Arc::clone(&metrics));
    let running = Running::start(listener, options, |_| async {
        Response::new(Full::from(vec![b'x'; 64 * 1024 * 1024]))
    });
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    while !metrics
        .render(&[])
        .contains("milepost_connections_open 0\n")
        || !metrics
            .render(&[])
            .contains("milepost_connections_total 1\n")
    {
        tokio::time::sleep(SHORT / 4).await;
    }
    assert!(until_closed(&mut stream).await.len() < 64 * 1024 * 1024);
}

#[tokio::test]
async fn no_more_connections_are_open_than_may_be() {
    let mut options = ListenOptions::default();
    options.connections_max = 1;
    let running = Running::start(listener().await, options, path);
    let mut first = running.connect().await;
    first
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    until(&mut first, "/a").await;
    let mut second = running.connect().await;
    second
        .write_all(b"GET /b HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let waited = tokio::time::timeout(SHORT, second.read_u8()).await;
    assert!(
        waited.is_err(),
        "the second connection was served beside the first"
    );
    drop(first);
    until(&mut second, "/b").await;
}

#[tokio::test]
async fn who_closes_their_sending_side_still_gets_the_answer() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let running = Running::start(listener().await, ListenOptions::default(), move |request| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            path(request).await
        }
    });
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    tokio::task::yield_now().await;
    gate.add_permits(1);
    assert!(until_closed(&mut stream).await.ends_with("/a"));
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let mut options = ListenOptions::default();
    options.buffer_bytes_max = 8192;
    let running = Running::start(listener().await, options, path);
    let mut stream = running.connect().await;
    let head = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nX-Long: {}\r\n\r\n",
        "x".repeat(20_000)
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(
        answer.starts_with("HTTP/1.1 431 ") || answer.is_empty(),
        "{answer}"
    );
}

#[tokio::test]
async fn what_is_in_flight_is_finished_before_the_listener_stops() {
    let gate = Arc::new(Semaphore::new(0));
    let entered = Arc::new(Semaphore::new(0));
    let (held, enter) = (Arc::clone(&gate), Arc::clone(&entered));
    let running = Running::start(listener().await, ListenOptions::default(), move |request| {
        let (held, enter) = (Arc::clone(&held), Arc::clone(&enter));
        async move {
            enter.add_permits(1);
            held.acquire().await.unwrap().forget();
            path(request).await
        }
    });
    let address = running.addresses[0];
    let mut idle = running.connect().await;
    let mut busy = running.connect().await;
    busy.write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    entered.acquire().await.unwrap().forget();
    let stopped = tokio::spawn(running.stop());
    assert_eq!(until_closed(&mut idle).await, "");
    assert!(
        TcpStream::connect(address).await.is_err(),
        "more was accepted"
    );
    gate.add_permits(1);
    let answer = until_closed(&mut busy).await;
    assert!(answer.ends_with("/a"), "{answer}");
    assert_eq!(
        stopped.await.unwrap(),
        Stopped {
            dropped_connections: 0
        }
    );
}

#[tokio::test]
async fn stopping_does_not_wait_for_ever() {
    let mut options = ListenOptions::default();
    options.drain_time_max = SHORT;
    let running = Running::start(listener().await, options, |_| {
        std::future::pending::<Answer>()
    });
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    tokio::task::yield_now().await;
    assert_eq!(
        running.stop().await,
        Stopped {
            dropped_connections: 1
        }
    );
    assert_eq!(until_closed(&mut stream).await, "");
}

/// The client's side of HTTP/2, as far as one GET needs it (RFC 9113).
mod h2 {
    use super::{AsyncReadExt, TcpStream};

    pub(super) const HEADERS: u8 = 1;
    pub(super) const GOAWAY: u8 = 7;

    /// Preface, empty SETTINGS, and HEADERS of `GET / http` with END_STREAM and END_HEADERS.
    pub(super) fn get() -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend([0, 0, 0, 4, 0, 0, 0, 0, 0]);
        bytes.extend([
            0, 0, 6, HEADERS, 5, 0, 0, 0, 1, 0x82, 0x86, 0x84, 0x41, 1, b'x',
        ]);
        bytes
    }

    /// Reads frames until one of this type; its payload.
    pub(super) async fn frame(stream: &mut TcpStream, wanted: u8) -> Vec<u8> {
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.unwrap();
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.unwrap();
            if head[3] == wanted {
                return payload;
            }
        }
    }
}

#[tokio::test]
async fn http_2_is_spoken_without_tls_to_who_knows_and_ends_with_goaway() {
    let running = Running::start(listener().await, ListenOptions::default(), path);
    let mut stream = running.connect().await;
    stream.write_all(&h2::get()).await.unwrap();
    let headers = h2::frame(&mut stream, h2::HEADERS).await;
    assert_eq!(
        headers.first(),
        Some(&0x88),
        "the indexed field \":status: 200\""
    );
    let stopped = tokio::spawn(running.stop());
    h2::frame(&mut stream, h2::GOAWAY).await;
    drop(stream);
    assert_eq!(
        stopped.await.unwrap(),
        Stopped {
            dropped_connections: 0
        }
    );
}
