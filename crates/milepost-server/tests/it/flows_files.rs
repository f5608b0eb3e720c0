//! Files in flows: drafts until the last step, whose content no state carries.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use milepost_server::Sweeper;
use serde_json::Value;

use crate::{
    flows::{REGISTRATION, answers, begin, send, shop},
    scene::{Reply, Scene},
};

pub(crate) const PEOPLE: (&str, &str) = ("accept", "text/html");
pub(crate) const BOUNDARY: &str = "----what-no-file-contains";
pub(crate) const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and what follows";
pub(crate) const PDF: &[u8] = b"%PDF-1.7 and what follows";
const DAY_S: u64 = 86_400;

/// A part of a form: a name, for a file what it is called, and the content.
pub(crate) type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

pub(crate) fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"\r\nContent-Type: text/html"));
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{}\r\n\r\n",
            file.unwrap_or_default()
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

async fn posted(scene: &Scene, body: Vec<u8>) -> Reply {
    scene.send(form(REGISTRATION, body)).await
}

/// A form with files, as a browser sends it.
pub(crate) fn form(url: &str, body: Vec<u8>) -> Request<Full<Bytes>> {
    form_of(url).body(Full::from(body)).unwrap()
}

/// The same, whose content is still to be said.
pub(crate) fn form_of(url: &str) -> http::request::Builder {
    let content = format!("multipart/form-data; boundary={BOUNDARY}");
    Request::builder()
        .method("POST")
        .uri(url)
        .header("host", "example.org")
        .header(PEOPLE.0, PEOPLE.1)
        .header("content-type", content)
}

async fn page(scene: &Scene, url: &str) -> Reply {
    scene.get_with(url, &[PEOPLE]).await
}

/// The value of a hidden field.
pub(crate) fn state(page: &str) -> String {
    let from = page.split("name=\"state\" value=\"").nth(1).unwrap();
    from.split('"').next().unwrap().to_owned()
}

/// The page of the step that asks for a document.
pub(crate) async fn identity_page(scene: &Scene) -> Reply {
    let step = identity_step(scene).await;
    page(scene, step["save"].as_str().unwrap()).await
}

pub(crate) async fn identity_step(scene: &Scene) -> Value {
    let mut step = begin(scene, REGISTRATION).await;
    for (id, input) in answers() {
        if id == "identity" {
            break;
        }
        let next = send(scene, REGISTRATION, &step["state"], &input).await;
        step = next.json();
    }
    step
}

/// Sends the step with a file, or none.
pub(crate) async fn chosen(scene: &Scene, page: &str, file: Part<'_>) -> Reply {
    let state = state(page);
    let body = multipart(&[
        ("state", None, state.as_bytes()),
        ("input.kind", None, b"passport"),
        ("input.number", None, b"P-1815"),
        file,
        ("go", None, b"next"),
    ]);
    posted(scene, body).await
}

/// From the step after the document to the end.
async fn finished(scene: &Scene, place: &str) -> Reply {
    let mut here = page(scene, place).await;
    let consents: [Part<'_>; 2] = [("input.rules", None, b"true"), ("go", None, b"next")];
    let review: [Part<'_>; 1] = [("go", None, b"next")];
    for parts in [&consents[..], &review[..]] {
        let state = state(here.text());
        let mut all = vec![("state", None, state.as_bytes())];
        all.extend_from_slice(parts);
        let reply = posted(scene, multipart(&all)).await;
        if reply.status != 303 {
            return reply;
        }
        here = page(scene, reply.field("location")).await;
    }
    here
}

pub(crate) async fn documents(scene: &Scene) -> Vec<Value> {
    let listed = scene.get("/v1/documents").await.json();
    let items = listed["items"].as_array().unwrap().iter();
    items.map(|item| item["value"].clone()).collect()
}

async fn sweep(scene: &Scene) -> u64 {
    Sweeper::of(scene.service()).sweep().await.deleted
}

#[tokio::test]
async fn a_file_is_a_draft_until_the_last_step_makes_it_lasting_in_the_same_commit() {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let text = here.text();
    assert!(text.contains("enctype=\"multipart/form-data\""), "{text}");
    let field = "<input type=\"file\" accept=\"image/jpeg,image/png,application/pdf\" id=\"scan\" name=\"input.scan\"";
    assert!(text.contains(field), "{text}");
    assert!(text.contains("JPEG, PNG, PDF; at most 750 kB"), "{text}");

    let next = chosen(&scene, text, ("input.scan", Some("C:\\my scan.png"), PNG)).await;
    assert_eq!(next.status, 303, "{next:?}");
    let drafts = documents(&scene).await;
    assert_eq!(drafts.len(), 1);
    assert_eq!(drafts[0]["draft"], true);
    assert_eq!(drafts[0]["name"], "my scan.png");
    assert_eq!(drafts[0]["mediaType"], "image/png", "not what was claimed");
    assert_eq!(drafts[0]["size"], PNG.len());
    let again = chosen(&scene, text, ("input.scan", Some("my scan.png"), PNG)).await;
    assert_eq!(again.status, 303);
    assert_eq!(documents(&scene).await.len(), 1, "sent twice it is one");

    let place = next.field("location");
    let done = finished(&scene, place).await;
    assert!(done.text().contains("<h1>Done</h1>"), "{done:?}");
    assert!(
        finished(&scene, place)
            .await
            .text()
            .contains("<h1>Done</h1>")
    );
    let registered = scene.get("/v1/registrations").await.json();
    let registered = registered["items"].as_array().unwrap();
    assert_eq!(registered.len(), 1);
    let link = registered[0]["value"]["identity"]["scan"].as_str().unwrap();
    let file = scene.get(link).await;
    assert_eq!(file.json().get("draft"), None, "{file:?}");
    assert_eq!(file.field("x-content-type-options"), "nosniff");
    let one = |reply: Reply| reply.json()["position"].clone();
    assert_eq!(
        one(scene.get("/v1/documents").await),
        one(scene.get("/v1/registrations").await),
        "one commit"
    );
    scene.clock.advance_s(10 * DAY_S);
    assert_eq!(sweep(&scene).await, 0);
    assert_eq!(documents(&scene).await.len(), 1);
}

#[tokio::test]
async fn a_file_is_kept_replaced_or_removed_when_its_step_is_answered_again() {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let next = chosen(&scene, here.text(), ("input.scan", Some("one.png"), PNG)).await;
    let review = page(&scene, next.field("location")).await;
    let back = posted(
        &scene,
        multipart(&[
            ("state", None, state(review.text()).as_bytes()),
            ("go", None, b"back"),
        ]),
    )
    .await;
    let here = page(&scene, back.field("location")).await;
    let told = "Chosen: <strong>one.png</strong>. Leave the field empty to keep this file.";
    assert!(here.text().contains(told), "{here:?}");

    let none = ("input.scan", Some(""), b"".as_slice());
    let kept = chosen(&scene, here.text(), none).await;
    assert_eq!(kept.status, 303, "{kept:?}");
    let kept = scene.get(kept.field("location")).await.json();
    assert_eq!(kept["answers"]["identity"]["scan"]["name"], "one.png");
    let replaced = chosen(&scene, here.text(), ("input.scan", Some("two.pdf"), PDF)).await;
    let replaced = scene.get(replaced.field("location")).await.json();
    assert_eq!(replaced["answers"]["identity"]["scan"]["name"], "two.pdf");
    let removed = chosen(&scene, here.text(), ("remove.scan", None, b"true")).await;
    let removed = scene.get(removed.field("location")).await.json();
    assert_eq!(removed["answers"]["identity"].get("scan"), None);
}

#[tokio::test]
async fn a_file_of_another_kind_too_large_or_empty_is_told_at_its_field_and_nothing_is_stored() {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let head = scene.head().await;
    let huge = [PNG, &vec![b'x'; 750_000]].concat();
    let bombs = [PNG, &vec![b'x'; 5_000_000]].concat();
    let cases: [(&str, &[u8], &str); 4] = [
        (
            "page.png",
            b"<html><script>",
            "must be a file of these kinds: JPEG, PNG, PDF",
        ),
        ("huge.png", &huge, "must be a file of at most 750 kB"),
        ("bombs.png", &bombs, "must be a file of at most 750 kB"),
        ("empty.png", b"", "must not be empty: choose another file"),
    ];
    for (name, content, says) in cases {
        let told = chosen(&scene, here.text(), ("input.scan", Some(name), content)).await;
        assert_eq!(told.status, 400, "{name}");
        let beside = format!("<p class=\"error\" id=\"scan-error\">{says}</p>");
        assert!(told.text().contains(&beside), "{name}: {told:?}");
        assert!(
            told.text().contains("value=\"P-1815\""),
            "what was typed stays"
        );
    }
    assert_eq!(scene.head().await, head);
}

#[tokio::test]
async fn a_file_stays_chosen_where_another_answer_is_wrong() {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let body = multipart(&[
        ("state", None, state(here.text()).as_bytes()),
        ("input.number", None, b"1"),
        ("input.scan", Some("scan.png"), PNG),
        ("go", None, b"next"),
    ]);
    let told = posted(&scene, body).await;
    assert_eq!(told.status, 400);
    assert!(
        told.text().contains("Chosen: <strong>scan.png</strong>"),
        "{told:?}"
    );
    let none = ("input.scan", Some(""), b"".as_slice());
    let next = chosen(&scene, told.text(), none).await;
    assert_eq!(next.status, 303);
    let next = scene.get(next.field("location")).await.json();
    assert_eq!(next["answers"]["identity"]["scan"]["name"], "scan.png");
}

#[tokio::test]
async fn a_file_that_expired_is_asked_for_again_and_everything_else_is_kept() {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let next = chosen(&scene, here.text(), ("input.scan", Some("scan.png"), PNG)).await;
    let consents = page(&scene, next.field("location")).await;
    let review = posted(
        &scene,
        multipart(&[
            ("state", None, state(consents.text()).as_bytes()),
            ("input.rules", None, b"true"),
            ("go", None, b"next"),
        ]),
    )
    .await;
    let place = review.field("location");
    let before = page(&scene, place).await;
    assert!(before.text().contains("<dd>scan.png</dd>"), "{before:?}");
    scene.clock.advance_s(DAY_S);
    assert_eq!(sweep(&scene).await, 1);

    // Whoever comes back is told, and so is whoever only sends the last step.
    let go = multipart(&[
        ("state", None, state(before.text()).as_bytes()),
        ("go", None, b"next"),
    ]);
    let told = posted(&scene, go).await;
    assert_eq!(told.status, 400, "{told:?}");
    for told in [&told, &page(&scene, place).await] {
        let text = told.text();
        assert!(
            text.contains("is no longer there: choose the file again"),
            "{text}"
        );
        assert!(text.contains("value=\"P-1815\""), "{text}");
    }
    assert!(scene.get("/v1/registrations").await.ids().is_empty());
    let next = chosen(&scene, told.text(), ("input.scan", Some("scan.png"), PNG)).await;
    let done = finished(&scene, next.field("location")).await;
    assert!(done.text().contains("<h1>Done</h1>"), "{done:?}");
}

#[tokio::test]
async fn a_form_with_files_that_is_none_is_too_large_or_carries_no_state_is_refused_and_writes_nothing()
 {
    let scene = shop().await;
    let here = identity_page(&scene).await;
    let head = scene.head().await;
    let whole = multipart(&[
        ("state", None, state(here.text()).as_bytes()),
        ("input.scan", Some("scan.png"), PNG),
    ]);
    for cut in [0, 1, 40, whole.len() / 2, whole.len() - 30] {
        let broken = posted(&scene, whole[..cut].to_vec()).await;
        assert_eq!(broken.status, 400, "{cut}: {broken:?}");
    }
    let state = state(here.text());
    let state: Part<'_> = ("state", None, state.as_bytes());
    let many = [vec![state], vec![("a", None, b"b"); 300]].concat();
    assert_eq!(posted(&scene, multipart(&many)).await.status, 400);
    let large = vec![b'a'; 200 * 1024];
    let large = multipart(&[state, ("a", None, &large)]);
    assert_eq!(posted(&scene, large).await.status, 413);
    let larger = vec![b'a'; 33 << 20];
    let file = ("input.scan", Some("a.png"), larger.as_slice());
    let larger = multipart(&[state, file]);
    assert_eq!(posted(&scene, larger).await.status, 413);
    let stateless = multipart(&[("input.scan", Some("scan.png"), PNG), ("go", None, b"next")]);
    assert_eq!(posted(&scene, stateless).await.status, 400);
    let foreign = [
        ("content-type", "multipart/form-data; boundary=a"),
        ("sec-fetch-site", "cross-site"),
    ];
    let foreign = scene.ask("POST", REGISTRATION, &foreign, "--a--\r\n").await;
    foreign.is_problem(403, "foreignForm");
    assert_eq!(scene.head().await, head);
}
