//! Forms with files that are without end, or say what nobody asked for: how much is read of them, and what is told.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame};
use milepost_server::Limits;

use crate::{
    flows_files::{BOUNDARY, PNG, form, form_of, multipart},
    flows_handing::{HANDING, begun, desk, desk_within, flow, operations, values},
    scene::{Reply, Scene, request},
};

/// Says something, and then something else without end; counts what was asked for.
struct Endless {
    first: Option<Bytes>,
    then: Bytes,
    read: Arc<AtomicUsize>,
}

impl Body for Endless {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        let said = self.first.take().unwrap_or_else(|| self.then.clone());
        self.read.fetch_add(said.len(), Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(said))))
    }
}

/// The answer to a form that begins so and never ends, and how many bytes of it were read.
async fn endless(scene: &Scene, first: &[u8], then: &str) -> (Reply, usize) {
    let read = Arc::new(AtomicUsize::new(0));
    let body = Endless {
        first: Some(Bytes::copy_from_slice(first)),
        then: Bytes::from(then.repeat(4096 / then.len())),
        read: Arc::clone(&read),
    };
    let reply = scene.send_body(form_of(HANDING).body(body).unwrap()).await;
    (reply, read.load(Ordering::Relaxed))
}

/// Says something, and then nothing, and does not end.
struct Stalling(Option<Bytes>);

impl Body for Stalling {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match self.0.take() {
            Some(said) => Poll::Ready(Some(Ok(Frame::data(said)))),
            None => Poll::Pending,
        }
    }
}

/// What is read of a form that is refused: its flow's largest file, what else forms have, and what comes at once.
const REST_BYTES_MAX: usize = 700_000 + 176 * 1024 + 8192;

/// A part, without its end.
fn part(disposition: &str, content: &str) -> Vec<u8> {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}")
        .into_bytes()
}

/// A form that has said its state.
fn with_state(state: &str) -> Vec<u8> {
    [part("name=\"state\"", state), b"\r\n".to_vec()].concat()
}

async fn scene() -> Scene {
    desk(&flow(&operations(), false), None).await
}

#[tokio::test]
async fn a_form_whose_first_field_is_not_its_state_is_refused_before_anything_else_is_kept() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let late = multipart(&[
        ("input.scan", Some("a.png"), PNG),
        ("state", None, state.as_bytes()),
        ("go", None, b"next"),
    ]);
    let refused = scene.send(form(HANDING, late)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text().contains("the first field"), "{refused:?}");
    assert!(values(&scene, "files").await.is_empty());
    let file = part("name=\"input.scan\"; filename=\"a.png\"", "");
    let (refused, read) = endless(&scene, &file, "x").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text().contains("the first field"), "{refused:?}");
    assert!(read <= REST_BYTES_MAX, "{read}");
}

#[tokio::test]
async fn a_form_whose_state_does_not_open_is_refused_before_anything_else_is_kept() {
    let scene = scene().await;
    let file = part("name=\"input.scan\"; filename=\"a.png\"", "");
    let begin = [with_state("v1.made.up"), file].concat();
    let (refused, read) = endless(&scene, &begin, "x").await;
    assert_eq!(refused.status, 400, "{refused:?}");
    assert!(refused.text().contains("start again"), "{refused:?}");
    assert!(read <= REST_BYTES_MAX, "{read}");
}

#[tokio::test]
async fn what_belongs_to_no_part_and_lines_above_one_are_bounded_wherever_they_stand() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let begun = with_state(&state);
    let nowhere = [begun.clone(), format!("--{BOUNDARY}").into_bytes()].concat();
    let above = [begun.clone(), part("name=\"a\"", "")].concat();
    let above = above[..above.len() - 2].to_vec();
    let behind = [begun.clone(), format!("--{BOUNDARY}--").into_bytes()].concat();
    let cases: [(&[u8], &str); 5] = [
        (b"", "x"),
        (b"", "\r\n--"),
        (&nowhere, " "),
        (&above, "x: y\r\n"),
        (&behind, "y"),
    ];
    for (first, then) in cases {
        let (refused, read) = endless(&scene, first, then).await;
        assert_eq!(refused.status, 400, "{then:?}: {refused:?}");
        let about = "read as multipart/form-data";
        assert!(refused.text().contains(about), "{then:?}: {refused:?}");
        assert!(read <= REST_BYTES_MAX, "{then:?}: {read}");
    }
}

#[tokio::test]
async fn a_text_a_name_and_a_file_without_end_are_bounded_each_by_its_own() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let begun = with_state(&state);
    let text = [begun.clone(), part("name=\"input.word\"", "")].concat();
    let (refused, read) = endless(&scene, &text, "x").await;
    assert_eq!(refused.status, 413, "{refused:?}");
    assert!(read > 32 << 20, "it is read as far as any form: {read}");
    let name = format!("name=\"{}\"", "n".repeat(8000));
    let named: Vec<u8> = std::iter::repeat_n(part(&name, "\r\n"), 100)
        .flatten()
        .collect();
    let end = format!("--{BOUNDARY}--\r\n").into_bytes();
    let refused = scene
        .send(form(HANDING, [begun.clone(), named, end].concat()))
        .await;
    assert_eq!(refused.status, 413, "names count: {refused:?}");
    let file = part("name=\"input.scan\"; filename=\"a.png\"", "");
    let (refused, read) = endless(&scene, &[begun, file].concat(), "x").await;
    assert_eq!(refused.status, 413, "{refused:?}");
    assert!(read < 33 << 20, "{read}");
}

#[tokio::test]
async fn files_that_nobody_asked_for_are_not_stored() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let large = vec![b'x'; 5 << 20];
    let parts: [(&str, Option<&str>, &[u8]); 5] = [
        ("state", None, state.as_bytes()),
        ("input.other", Some("a.png"), &large),
        ("input.scan", Some("b.png"), PNG),
        ("input.scan", Some("c.png"), &large),
        ("go", None, b"next"),
    ];
    let done = scene.send(form(HANDING, multipart(&parts))).await;
    assert_eq!(done.status, 303, "{done:?}");
    let files = values(&scene, "files").await;
    assert_eq!(files.len(), 1);
    assert_eq!(files[0]["name"], "b.png");
}

/// What is told at the field for a file, and that nothing came of the form.
async fn is_told_to_send_a_file(scene: &Scene, told: &Reply) {
    assert_eq!(told.status, 400, "{told:?}");
    let says = "must be sent as a file: in multipart/form-data, with a filename";
    let beside = format!("<p class=\"error\" id=\"scan-error\">{says}</p>");
    assert!(told.text().contains(&beside), "{told:?}");
    for collection in ["files", "notes"] {
        assert!(values(scene, collection).await.is_empty());
    }
}

#[tokio::test]
async fn a_text_in_the_place_of_a_file_is_told_at_its_field_and_never_dropped_without_a_word() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let larger_than_texts = vec![b'x'; 300 * 1024];
    for content in [PNG, &larger_than_texts] {
        let parts = [
            ("state", None, state.as_bytes()),
            ("input.scan", None, content),
            ("input.word", None, b"hello"),
        ];
        let told = scene.send(form(HANDING, multipart(&parts))).await;
        is_told_to_send_a_file(&scene, &told).await;
    }
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let encoded = |scan: &str| format!("state={state}&input.scan={scan}&input.word=hello&go=next");
    let told = scene
        .send(request("POST", HANDING, &kind, &encoded("scan.png")))
        .await;
    is_told_to_send_a_file(&scene, &told).await;
    let done = scene
        .send(request("POST", HANDING, &kind, &encoded("")))
        .await;
    assert_eq!(done.status, 303, "an empty text is nothing: {done:?}");
}

#[tokio::test]
async fn a_file_that_only_its_extended_name_says_to_be_one_is_stored() {
    let scene = scene().await;
    let state = begun(&scene, None).await;
    let file = part(
        "name=\"input.scan\"; filename*=UTF-8''%C5%81%20scan.png",
        "",
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n").into_bytes();
    let form = form(
        HANDING,
        [with_state(&state), file, PNG.to_vec(), end].concat(),
    );
    let done = scene.send(form).await;
    assert_eq!(done.status, 303, "{done:?}");
    assert_eq!(values(&scene, "files").await[0]["name"], "Ł scan.png");
}

#[tokio::test]
async fn a_form_that_stalls_is_408_wherever_it_does_and_is_waited_for_no_longer() {
    let mut limits = Limits::default();
    limits.request_body_ms_max = 1;
    let scene = desk_within(limits, &flow(&operations(), false), None).await;
    let state = with_state(&begun(&scene, None).await);
    let file = part("name=\"input.scan\"; filename=\"a.png\"", "begun");
    for said in [Vec::new(), state.clone(), [state, file].concat()] {
        let body = Stalling(Some(Bytes::from(said)));
        let stalled = scene.send_body(form_of(HANDING).body(body).unwrap());
        assert_eq!(stalled.await.status, 408);
    }
    assert!(values(&scene, "files").await.is_empty());
}
