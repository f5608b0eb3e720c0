//! A flow whose only question is for a file, and how it is gone through in tests.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use milepost_server::{Limits, Subject};
use serde_json::{Value, json};

use crate::{
    flows_files::{form, multipart, state},
    scene::{Reply, Scene, Serving, request},
};

pub(crate) const HANDING: &str = "/v1/-/flows/handing";
/// Longer than outcomes of transactions are kept.
const LIFETIME_S: u64 = 60 * 86_400;

/// What the flow does, where it does what it should. Its definition says nothing of versions.
pub(crate) fn operations() -> Value {
    json!([
        { "method": "PUT", "href": { "$cel": "base + '/notes/' + flow" }, "ifNoneMatch": "*",
          "value": { "scan": { "$answer": "/one/scan/href" }, "word": { "$answer": "/one/word" }, "by": { "$cel": "subject" } } },
        { "method": "PATCH", "href": { "$answer": "/one/scan/href" }, "value": { "draft": null } }
    ])
}

/// With a file and a word in one step; and a second step that shows them, where there is one.
pub(crate) fn flow(operations: &Value, has_review: bool) -> Value {
    let file = json!({ "collection": "files", "accept": ["image/png", "application/pdf"], "maxBytes": 700_000 });
    let one = json!({ "id": "one", "title": "One", "schema": { "type": "object", "additionalProperties": false,
        "properties": { "scan": { "type": "object", "file": file }, "word": { "type": "string" } } } });
    let review = json!({ "id": "review", "title": "Look at it" });
    let steps = if has_review {
        vec![one, review]
    } else {
        vec![one]
    };
    json!({ "version": 1, "title": "Hand in", "lifetimeSeconds": LIFETIME_S, "steps": steps,
        "transaction": { "operations": operations } })
}

/// With this flow, its files under these rules.
pub(crate) async fn desk(flow: &Value, rules: Option<Value>) -> Scene {
    desk_within(Limits::default(), flow, rules).await
}

/// The same, within other limits.
pub(crate) async fn desk_within(limits: Limits, flow: &Value, rules: Option<Value>) -> Scene {
    let scene = Scene::serving(limits, Serving::FreshEachTime);
    let mut files =
        json!({ "indexes": { "draft": "/draft" }, "drafts": { "index": "draft", "age": "P90D" } });
    if let (Some(members), Some(rules)) = (files.as_object_mut(), rules) {
        members.insert("rules".to_owned(), rules);
    }
    for (name, definition) in [
        ("flows", &json!({})),
        ("notes", &json!({})),
        ("files", &files),
    ] {
        scene.define(name, definition).await;
    }
    scene.made("/v1/flows/handing", &flow.to_string()).await;
    scene
}

pub(crate) fn somebody(name: &str) -> Subject {
    Subject::of_application(name, serde_json::Map::new()).unwrap()
}

/// Who asks, or nobody.
pub(crate) fn asked_by(
    subject: Option<&Subject>,
    mut request: Request<Full<Bytes>>,
) -> Request<Full<Bytes>> {
    subject.map(|subject| request.extensions_mut().insert(subject.clone()));
    request
}

/// The state of the first step.
pub(crate) async fn begun(scene: &Scene, subject: Option<&Subject>) -> String {
    let reply = scene
        .send(asked_by(subject, request("GET", HANDING, &[], "")))
        .await;
    reply.json()["state"].as_str().unwrap().to_owned()
}

/// A program's answer.
pub(crate) fn document(state: &str, input: &Value) -> Request<Full<Bytes>> {
    let body = json!({ "state": state, "input": input }).to_string();
    request(
        "POST",
        HANDING,
        &[("content-type", "application/json")],
        &body,
    )
}

/// A page's answer: with a file, what it is called and its content.
pub(crate) fn filled(state: &str, file: Option<(&str, &[u8])>) -> Request<Full<Bytes>> {
    let (name, content) = file.unwrap_or(("", b""));
    let parts = [
        ("state", None, state.as_bytes()),
        ("input.scan", Some(name), content),
        ("go", None, b"next"),
    ];
    form(HANDING, multipart(&parts))
}

/// The state on the page that a form leads to.
pub(crate) async fn next(scene: &Scene, reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{reply:?}");
    let page = scene
        .get_with(reply.field("location"), &[("accept", "text/html")])
        .await;
    state(page.text())
}

/// What stands in a collection.
pub(crate) async fn values(scene: &Scene, collection: &str) -> Vec<Value> {
    let listed = scene.get(&format!("/v1/{collection}")).await.json();
    let items = listed["items"].as_array().unwrap().iter();
    items.map(|item| item["value"].clone()).collect()
}

/// What a program puts there.
pub(crate) fn draft(kind: &str, content: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({ "name": "scan", "mediaType": kind, "size": content.len(), "content": STANDARD.encode(content), "draft": true })
}
