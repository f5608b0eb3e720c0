//! PATCH in both formats.

use crate::scene::{Reply, Scene};

const URL: &str = "/v1/accounts/17";
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";

async fn patch(scene: &Scene, media: &str, etag: &str, body: &str) -> Reply {
    scene
        .ask(
            "PATCH",
            URL,
            &[("content-type", media), ("if-match", etag)],
            body,
        )
        .await
}

#[tokio::test]
async fn a_merge_patch_changes_what_it_names() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1,\"b\":{\"c\":2,\"d\":3}}").await;
    let patched = patch(&scene, MERGE, &etag, "{\"a\":null,\"b\":{\"c\":4}}").await;
    assert_eq!(patched.status, 204);
    let read = scene.get(URL).await;
    assert_eq!(
        (read.text(), read.etag()),
        ("{\"b\":{\"c\":4,\"d\":3}}", patched.etag())
    );
}

#[tokio::test]
async fn a_json_patch_is_applied_in_order() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":[1,2]}").await;
    let body = r#"[{"op":"test","path":"/a/0","value":1},{"op":"add","path":"/a/-","value":3},{"op":"remove","path":"/a/0"}]"#;
    let fields = [
        ("content-type", PATCH),
        ("if-match", etag.as_str()),
        ("prefer", "return=representation"),
    ];
    let patched = scene.ask("PATCH", URL, &fields, body).await;
    assert_eq!(
        (patched.status.as_u16(), patched.text()),
        (200, "{\"a\":[2,3]}")
    );
}

#[tokio::test]
async fn a_repeated_patch_is_applied_once() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":[]}").await;
    let body = r#"[{"op":"add","path":"/a/-","value":1}]"#;
    let first = patch(&scene, PATCH, &etag, body).await;
    let again = patch(&scene, PATCH, &etag, body).await;
    assert_eq!((again.status.as_u16(), again.etag()), (204, first.etag()));
    assert_eq!(scene.get(URL).await.text(), "{\"a\":[1]}");
}

#[tokio::test]
async fn a_patch_that_does_not_fit_changes_nothing() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let body = r#"[{"op":"replace","path":"/a","value":2},{"op":"test","path":"/a","value":9}]"#;
    let problem = patch(&scene, PATCH, &etag, body)
        .await
        .is_problem(409, "patchFailed");
    assert_eq!(problem["issues"][0]["name"], "/1");
    let problem = patch(&scene, PATCH, &etag, r#"[{"op":"paint","path":"/a"}]"#)
        .await
        .is_problem(400, "invalidPatch");
    assert_eq!(problem["issues"][0]["name"], "/0");
    assert_eq!(scene.get(URL).await.text(), "{\"a\":1}");
}

#[tokio::test]
async fn a_patch_of_nothing_is_404() {
    let scene = Scene::with_accounts().await;
    patch(&scene, MERGE, "*", "{}")
        .await
        .is_problem(404, "notFound");
}

#[tokio::test]
async fn a_patch_in_another_format_is_415_with_those_that_are_taken() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{}").await;
    for media in [
        "application/json",
        "text/plain",
        "application/merge-patch+json; charset=latin1",
    ] {
        let reply = patch(&scene, media, &etag, "{}").await;
        reply.is_problem(415, "unsupportedMediaType");
        assert_eq!(
            reply.field("accept-patch"),
            "application/merge-patch+json, application/json-patch+json"
        );
    }
}

#[tokio::test]
async fn a_patch_can_not_make_what_could_not_be_put() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"balance\":1}").await;
    patch(&scene, MERGE, &etag, "{\"balance\":\"x\"}")
        .await
        .is_problem(400, "invalidDocument");
    let big = format!("{{\"a\":\"{}\"}}", "x".repeat(700_000));
    let etag = patch(&scene, MERGE, &etag, &big).await.etag();
    let big = big.replace("\"a\"", "\"b\"");
    patch(&scene, MERGE, &etag, &big)
        .await
        .is_problem(413, "resourceTooLarge");
}
