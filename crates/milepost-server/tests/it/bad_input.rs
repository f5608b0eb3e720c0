//! Content that is wrong, too large, too deep, too slow, or of another kind.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::Request;
use http_body::{Body, Frame, SizeHint};
use milepost_server::Limits;

use crate::scene::Scene;

const URL: &str = "/v1/accounts/17";

#[tokio::test]
async fn what_is_not_strict_json_is_400_with_its_place() {
    let scene = Scene::with_accounts().await;
    for body in [
        "",
        " ",
        "{",
        "{\"a\":1,}",
        "{\"a\":01}",
        "{'a':1}",
        "{\"a\":1}{\"b\":2}",
        "{\"a\":1,\"a\":2}",
        "{\"a\":\"\\ud800\"}",
        "{\"a\":NaN}",
        "\u{feff}{}",
        "// x\n{}",
    ] {
        let problem = scene.put(URL, body).await.is_problem(400, "malformedJson");
        assert!(
            problem["detail"].as_str().unwrap().starts_with("line "),
            "{problem}"
        );
        assert_eq!(problem["issues"][0]["in"], "body");
    }
    scene.get(URL).await.is_problem(404, "notFound");
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_400() {
    let scene = Scene::with_accounts().await;
    let request = json_put();
    let request = request
        .body(http_body_util::Full::from(Bytes::from_static(
            b"{\"a\":\"\xff\"}",
        )))
        .unwrap();
    scene.send(request).await.is_problem(400, "malformedJson");
}

#[tokio::test]
async fn depth_is_limited_without_a_stack() {
    let scene = Scene::with_accounts().await;
    scene.define("things", &serde_json::json!({})).await;
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(scene.put("/v1/things/1", &nested(128)).await.status, 201);
    scene
        .put("/v1/things/2", &nested(129))
        .await
        .is_problem(413, "resourceTooLarge");
    scene
        .put("/v1/things/3", &nested(100_000))
        .await
        .is_problem(413, "resourceTooLarge");
    scene
        .put("/v1/things/4", &"[".repeat(500_000))
        .await
        .is_problem(413, "resourceTooLarge");
}

#[tokio::test]
async fn a_content_that_says_it_is_too_long_is_not_read() {
    let scene = Scene::with_accounts().await;
    let request = json_put();
    let request = request
        .body(Told {
            bytes: 1024 * 1024 + 1,
        })
        .unwrap();
    scene
        .send_body(request)
        .await
        .is_problem(413, "resourceTooLarge");
}

#[tokio::test]
async fn a_content_that_does_not_say_how_long_it_is_is_counted() {
    let scene = Scene::with_accounts().await;
    let request = json_put();
    let request = request.body(Endless).unwrap();
    scene
        .send_body(request)
        .await
        .is_problem(413, "resourceTooLarge");
    scene
        .post("/v1/accounts", &format!("\"{}\"", "x".repeat(1024 * 1024)))
        .await
        .is_problem(413, "resourceTooLarge");
}

#[tokio::test]
async fn a_content_that_never_comes_is_408() {
    let mut limits = Limits::default();
    limits.request_body_ms_max = 1;
    let scene = Scene::with_limits(limits);
    let request = json_put();
    let reply = scene.send_body(request.body(Stalled).unwrap()).await;
    reply.is_problem(408, "requestTimeout");
}

#[tokio::test]
async fn a_content_that_breaks_off_is_400_and_writes_nothing() {
    let scene = Scene::with_accounts().await;
    let request = json_put();
    scene
        .send_body(request.body(Broken { sent: false }).unwrap())
        .await
        .is_problem(400, "badRequest");
    scene.get(URL).await.is_problem(404, "notFound");
}

#[tokio::test]
async fn content_of_another_type_is_415() {
    let scene = Scene::with_accounts().await;
    for fields in [
        &[][..],
        &[("content-type", "text/plain")],
        &[("content-type", "application/x-www-form-urlencoded")],
        &[("content-type", "application/json; charset=iso-8859-1")],
        &[
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ],
        &[("content-type", "json")],
    ] {
        scene
            .ask("PUT", URL, fields, "{}")
            .await
            .is_problem(415, "unsupportedMediaType");
        let posted = scene.ask("POST", "/v1/accounts", fields, "{}").await;
        posted.is_problem(415, "unsupportedMediaType");
        assert_eq!(posted.field("accept-post"), "application/json");
    }
    for media in [
        "application/json; charset=UTF-8",
        "Application/JSON",
        "application/json;charset=\"utf-8\"",
    ] {
        assert_eq!(
            scene
                .ask("POST", "/v1/accounts", &[("content-type", media)], "{}")
                .await
                .status,
            201,
            "{media}"
        );
    }
}

#[tokio::test]
async fn coded_content_is_415_with_what_is_understood() {
    let scene = Scene::with_accounts().await;
    let reply = scene
        .put_with(URL, &[("content-encoding", "gzip")], "{}")
        .await;
    reply.is_problem(415, "unsupportedEncoding");
    assert_eq!(reply.field("accept-encoding"), "identity");
}

#[tokio::test]
async fn a_part_is_never_taken_for_the_whole() {
    let scene = Scene::with_accounts().await;
    let reply = scene
        .put_with(URL, &[("content-range", "bytes 0-1/10")], "{}")
        .await;
    assert_eq!(
        reply.is_problem(400, "malformedField")["issues"][0]["name"],
        "content-range"
    );
}

#[tokio::test]
async fn numbers_beyond_doubles_are_kept_and_compared_exactly() {
    let scene = Scene::with_accounts().await;
    for (id, balance) in [
        ("a", "9007199254740992"),
        ("b", "9007199254740993"),
        ("c", "1e300"),
        ("d", "1e400"),
    ] {
        scene
            .made(
                &format!("/v1/accounts/{id}"),
                &format!("{{\"balance\":{balance}}}"),
            )
            .await;
    }
    assert_eq!(
        scene
            .get("/v1/accounts?balance=9007199254740993")
            .await
            .ids(),
        ["b"]
    );
    assert_eq!(
        scene.get("/v1/accounts?balance=gt:1e300").await.ids(),
        ["d"]
    );
    assert_eq!(
        scene.get("/v1/accounts/d").await.text(),
        "{\"balance\":1e400}"
    );
}

fn json_put() -> http::request::Builder {
    Request::put(URL)
        .header("host", "example.org")
        .header("content-type", "application/json")
}

/// Says how long it is, and must not be read.
struct Told {
    bytes: u64,
}

/// Never ends, and doesn't say so.
struct Endless;

/// Never sends anything.
struct Stalled;

/// Breaks off after its first bytes.
struct Broken {
    sent: bool,
}

type Polled = Poll<Option<Result<Frame<Bytes>, std::io::Error>>>;

impl Body for Told {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        panic!("the content was read");
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes)
    }
}

impl Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 4096])))))
    }
}

impl Body for Stalled {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        Poll::Pending
    }
}

impl Body for Broken {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Polled {
        if std::mem::replace(&mut self.sent, true) {
            return Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())));
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"{}")))))
    }
}
