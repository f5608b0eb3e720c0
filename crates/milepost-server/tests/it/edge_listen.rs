//! The listener: what it accepts, answers and counts.

use std::sync::Arc;

use http::Response;
use http_body_util::Full;
use milepost_server::{
    listen::{Connection, ListenOptions, Listener},
    metrics::Metrics,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::edge_running::{Running, SHORT, listener, path, until, until_closed};

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
            let connection = request.extensions().get::<Connection>().cloned().unwrap();
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
async fn what_is_no_request_is_told_so_after_the_answers_to_those_before() {
    let running = Running::start(listener().await, ListenOptions::default(), path);
    let before = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2);
    for (bad, status) in [
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "400"),
        (
            "GET / HTTP/1.1\r\nHost: x\r\n folded: x\r\n\r\n".to_owned(),
            "400",
        ),
        (
            format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)),
            "431",
        ),
        (
            format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000)),
            "414",
        ),
    ] {
        assert_eq!(statuses(&running, &bad).await, [status]);
        assert_eq!(
            statuses(&running, &format!("{before}{bad}")).await,
            ["200", "200", status]
        );
    }
}

/// The statuses of all answers on one connection.
async fn statuses(running: &Running, sent: &str) -> Vec<String> {
    let mut stream = running.connect().await;
    stream.write_all(sent.as_bytes()).await.unwrap();
    let answers = until_closed(&mut stream).await;
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].to_owned())
        .collect()
}

#[tokio::test]
async fn connections_are_counted_while_they_are_open() {
    let metrics = Arc::new(Metrics::default());
    let listener = listener().await.with_metrics(Arc::clone(&metrics));
    let running = Running::start(listener, ListenOptions::default(), path);
    let mut stream = running.connect().await;
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    until(&mut stream, "/a").await;
    assert!(
        metrics
            .render(&[])
            .contains("milepost_connections_open 1\n")
    );
    running.stop().await;
    let text = metrics.render(&[]);
    assert!(text.contains("milepost_connections_open 0\n"), "{text}");
    assert!(text.contains("milepost_connections_total 1\n"), "{text}");
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
