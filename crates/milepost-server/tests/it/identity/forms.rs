//! What a page of another origin can have a browser do: nothing.
//!
//! Without a preflight, which asks the service first, a page can send GET, HEAD and POST with a form's three media types, and
//! no `Authorization` (the Fetch standard, "CORS-safelisted"). No cookie is ever set or read, so nothing goes along that
//! the page doesn't know itself.

use serde_json::json;

use super::stage::{bank, define, put_as};
use crate::scene::{Reply, Scene};

const FORMS: [&str; 3] = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain",
];

const URLS: [&str; 7] = [
    "/v1/accounts",
    "/v1/accounts/1",
    "/v1/-/collections",
    "/v1/-/collections/accounts",
    "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b",
    "/v1/-/flows/registration",
    "/v1/accounts?_method=PUT",
];

/// As a browser sends a form of a page of another origin, with whatever it has stored for the service.
async fn submitted(scene: &Scene, url: &str, media: &str, body: &str) -> Reply {
    let fields = [
        ("content-type", media),
        ("origin", "https://evil.example"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-mode", "navigate"),
        ("cookie", "session=1; token=2"),
    ];
    scene.ask("POST", url, &fields, body).await
}

async fn nothing_comes_of(scene: &Scene, url: &str, media: &str) {
    for body in [r#"{"owner":"evil"}"#, "owner=evil", ""] {
        let reply = submitted(scene, url, media, body).await;
        assert!(reply.status.is_client_error(), "{url} {media}: {reply:?}");
        assert!(!reply.headers.contains_key("set-cookie"));
    }
}

#[tokio::test]
async fn a_form_of_another_origin_can_do_nothing() {
    for scene in [bank().await, Scene::with_accounts().await] {
        let before = scene.get("/v1/accounts").await.json()["position"].clone();
        for (url, media) in URLS.iter().flat_map(|url| FORMS.map(|media| (*url, media))) {
            nothing_comes_of(&scene, url, media).await;
        }
        let after = scene.get("/v1/accounts").await.json()["position"].clone();
        assert_eq!(before, after);
    }
}

/// Flows take forms, and a flow's state is no secret to whoever began it: without this, a page could have a reader's browser
/// send answers of its own choice, from inside the reader's network.
#[tokio::test]
async fn a_flow_takes_no_form_of_another_origin_even_with_a_good_state() {
    let scene = bank().await;
    define(&scene, "flows", &json!({})).await;
    let flow = json!({
        "version": 1,
        "title": "Sign up",
        "steps": [{ "id": "name", "title": "Name",
            "schema": { "type": "object", "properties": { "name": { "type": "string" } } } }],
        "transaction": { "operations": [{ "method": "PUT", "ifNoneMatch": "*",
            "href": { "$cel": "base + '/accounts/' + flow" }, "value": { "$answer": "/name" } }] }
    });
    let made = put_as(
        &scene,
        &super::stage::admin(),
        "/v1/flows/signup",
        &flow.to_string(),
    )
    .await;
    assert_eq!(made.status, 201, "{made:?}");
    let url = "/v1/-/flows/signup";
    let step = scene.get(url).await.json();
    let body = format!("state={}&name=evil", step["state"].as_str().unwrap());
    for site in ["cross-site", "same-site"] {
        let fields = [("content-type", FORMS[0]), ("sec-fetch-site", site)];
        let reply = scene.ask("POST", url, &fields, &body).await;
        assert_eq!(reply.status, 403, "{reply:?}");
    }
    let fields = [
        ("content-type", FORMS[0]),
        ("origin", "https://evil.example"),
    ];
    let reply = scene.ask("POST", url, &fields, &body).await;
    assert_eq!(reply.status, 403, "{reply:?}");
    for fields in [
        &[
            ("content-type", FORMS[0]),
            ("sec-fetch-site", "same-origin"),
            ("origin", "null"),
        ][..],
        &[
            ("content-type", FORMS[0]),
            ("origin", "https://example.org"),
        ],
        &[("content-type", FORMS[0])],
    ] {
        let reply = scene.ask("POST", url, fields, &body).await;
        assert_ne!(reply.status, 403, "{fields:?}: {reply:?}");
    }
}

#[tokio::test]
async fn no_answer_sets_a_cookie_and_none_is_read() {
    let scene = bank().await;
    for url in [
        "/v1/",
        "/v1/accounts",
        "/v1/-/problems",
        "/v1/openapi.json",
        "/nowhere",
    ] {
        let plain = scene.get(url).await;
        let with = scene
            .get_with(url, &[("cookie", "access_token=a.b.c")])
            .await;
        assert_eq!(plain.status, with.status);
        assert!(!with.headers.contains_key("set-cookie"));
        assert!(!with.field("vary").to_lowercase().contains("cookie"));
    }
}
