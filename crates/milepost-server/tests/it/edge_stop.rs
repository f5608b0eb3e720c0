//! How a listener stops, for both versions of HTTP.

use std::sync::Arc;

use milepost_server::listen::{ListenOptions, Stopped};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};

use crate::edge_running::{Answer, Running, SHORT, listener, path, until_closed};

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

#[tokio::test]
async fn who_opens_no_window_for_an_answer_over_http_2_is_dropped() {
    let mut options = ListenOptions::default();
    (options.head_time_max, options.stall_time_max) = (SHORT, SHORT);
    let running = Running::start(listener().await, options, |_| async {
        http::Response::new(http_body_util::Full::from(vec![b'x'; 100_000]))
    });
    let mut stream = running.connect().await;
    stream.write_all(&h2::get_without_window()).await.unwrap();
    h2::frame(&mut stream, h2::HEADERS).await;
    // The peer goes on talking, only not about this answer.
    let ended = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        while stream.write_all(&h2::PING).await.is_ok() {
            tokio::time::sleep(SHORT / 4).await;
        }
    });
    assert!(ended.await.is_ok(), "still connected");
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

    /// PING, without ACK.
    pub(super) const PING: [u8; 17] = [0, 0, 8, 6, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8];

    /// The same as `get`, with SETTINGS_INITIAL_WINDOW_SIZE of 0.
    pub(super) fn get_without_window() -> Vec<u8> {
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        bytes.extend([0, 0, 6, 4, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 0]);
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
