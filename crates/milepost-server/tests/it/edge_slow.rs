//! Clients that are slow, silent or half gone.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use milepost_server::listen::{ListenOptions, Stopped, Tower, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, mpsc},
};

use crate::edge_running::{Answer, Running, SHORT, listener, path, until, until_closed};

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
async fn half_a_head_holds_back_no_answer_and_no_connection() {
    let mut options = ListenOptions::default();
    options.idle_time_max = SHORT;
    let running = Running::start(listener().await, options, path);
    let mut stream = running.connect().await;
    let sent = b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTT";
    stream.write_all(sent).await.unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(answer.contains("\r\n\r\n/a"), "{answer}");
    assert!(answer.ends_with("\r\n\r\n/b"), "{answer}");
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
    let running = Running::start(listener().await, options, |_| async {
        Response::new(Full::from(vec![b'x'; 64 * 1024 * 1024]))
    });
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_eq!(stream.read_u8().await.unwrap(), b'H');
    // Were the response still on its way, it would have to be dropped at the end of the drain.
    assert_eq!(
        running.stop().await,
        Stopped {
            dropped_connections: 0
        }
    );
    assert!(until_closed(&mut stream).await.len() < 64 * 1024 * 1024);
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

/// A body whose parts come when the test sends them.
struct Trickle(mpsc::Receiver<Bytes>);

impl http_body::Body for Trickle {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let part = self.0.poll_recv(context);
        part.map(|part| part.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[tokio::test]
async fn an_answer_that_takes_longer_than_a_connection_may_be_idle_is_whole() {
    let mut options = ListenOptions::default();
    options.idle_time_max = SHORT;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let service = tower::service_fn(move |_: Request<Incoming>| {
        let (parts, body) = mpsc::channel(1);
        begun.send(parts).unwrap();
        async move { Ok::<_, Infallible>(Response::new(Trickle(body))) }
    });
    let listener = listener().await;
    let mut stream = TcpStream::connect(listener.addresses()[0]).await.unwrap();
    tokio::spawn(serve(
        listener,
        Tower(service),
        options,
        std::future::pending(),
    ));
    let sent = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(sent).await.unwrap();
    let parts = begins.recv().await.unwrap();
    parts.send(Bytes::from("first")).await.unwrap();
    until(&mut stream, "first\r\n").await;
    // Several times as long as a connection without a request may be open.
    let mut looks = tokio::time::interval(SHORT);
    for _ in 0..6 {
        looks.tick().await;
    }
    parts.send(Bytes::from("last")).await.unwrap();
    drop(parts);
    assert!(until_closed(&mut stream).await.contains("last\r\n0\r\n"));
}
