//! Definitions: resources with a normal form.

use serde_json::json;

use crate::scene::Scene;

const URL: &str = "/v1/-/collections/notes";

#[tokio::test]
async fn a_definition_is_answered_with_what_holds_by_default() {
    let scene = Scene::new();
    let created = scene.put(URL, "{\"title\":\"Notes\"}").await;
    assert_eq!(created.status, 201);
    assert_eq!(created.json()["preconditions"], "required");
    assert_eq!(created.field("content-location"), URL);
    assert!(
        !created.headers.contains_key("etag"),
        "RFC 9110 §9.3.4: not the bytes that were sent"
    );
    let read = scene.get(URL).await;
    assert_eq!(read.body, created.body);
    assert_eq!(read.field("cache-control"), "no-cache");
    assert!(read.headers.contains_key("etag"));
}

#[tokio::test]
async fn putting_the_normal_form_changes_nothing_and_tells_the_tag() {
    let scene = Scene::new();
    scene.put(URL, "{\"title\":\"Notes\"}").await;
    let read = scene.get(URL).await;
    let again = scene
        .put_with(URL, &[("if-match", &read.etag())], read.text())
        .await;
    assert_eq!((again.status.as_u16(), again.etag()), (200, read.etag()));
}

#[tokio::test]
async fn changing_a_definition_is_a_conditional_write() {
    let scene = Scene::new();
    scene.put(URL, "{}").await;
    scene
        .put(URL, "{\"title\":\"x\"}")
        .await
        .is_problem(428, "preconditionRequired");
    let etag = scene.get(URL).await.etag();
    let changed = scene
        .put_with(URL, &[("if-match", &etag)], "{\"title\":\"x\"}")
        .await;
    assert_eq!(
        (changed.status.as_u16(), &changed.json()["title"]),
        (200, &json!("x"))
    );
    scene
        .put_with(URL, &[("if-match", &etag)], "{\"title\":\"y\"}")
        .await
        .is_problem(412, "preconditionFailed");
}

#[tokio::test]
async fn definitions_are_listed_as_any_collection_is() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    scene.define("accounts", &json!({})).await;
    scene.define("accounts.transactions", &json!({})).await;
    let page = scene.get("/v1/-/collections").await;
    assert_eq!(page.ids(), ["accounts", "accounts.transactions", "notes"]);
    assert_eq!(page.json()["items"][2]["href"], URL);
    assert_eq!(
        page.json()["items"][2]["value"]["preconditions"],
        "required"
    );
    assert_eq!(page.field("cache-control"), "no-cache");
    let versions = scene.get("/v1/-/collections/notes/versions").await;
    assert_eq!(versions.json()["items"].as_array().unwrap().len(), 1);
    scene
        .get("/v1/-/collections?owner=x")
        .await
        .is_problem(400, "undeclaredIndex");
}

#[tokio::test]
async fn everything_wrong_with_a_definition_is_told_at_once() {
    let scene = Scene::new();
    let body = r#"{"titel":"x","indexes":{"owner":"owner"},"preconditions":"sometimes"}"#;
    let problem = scene
        .put(URL, body)
        .await
        .is_problem(400, "invalidDefinition");
    let issues = problem["issues"].as_array().unwrap().iter();
    let mut names: Vec<_> = issues
        .map(|issue| issue["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["/indexes/owner", "/preconditions", "/titel"]);
}

#[tokio::test]
async fn a_collection_in_use_keeps_its_definition() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    scene.define("notes.lines", &json!({})).await;
    let etag = scene.get(URL).await.etag();
    let problem = scene
        .ask("DELETE", URL, &[("if-match", &etag)], "")
        .await
        .is_problem(409, "definitionInUse");
    assert_eq!(
        problem["children"],
        json!(["/v1/-/collections/notes.lines"])
    );
    let child = "/v1/-/collections/notes.lines";
    let child_etag = scene.get(child).await.etag();
    scene.made("/v1/notes/1", "{}").await;
    let line = scene.made("/v1/notes/1/lines/1", "{}").await;
    let problem = scene
        .ask("DELETE", child, &[("if-match", &child_etag)], "")
        .await
        .is_problem(409, "definitionInUse");
    assert_eq!(problem["resources"], "/v1/notes/-/lines");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("/v1/notes/-/lines")
    );
    for (url, tag) in [
        ("/v1/notes/1/lines/1", line),
        ("/v1/notes/1", scene.get("/v1/notes/1").await.etag()),
    ] {
        assert_eq!(
            scene
                .ask("DELETE", url, &[("if-match", &tag)], "")
                .await
                .status,
            204
        );
    }
    assert_eq!(
        scene
            .ask("DELETE", child, &[("if-match", &child_etag)], "")
            .await
            .status,
        204
    );
    assert_eq!(
        scene
            .ask("DELETE", URL, &[("if-match", &etag)], "")
            .await
            .status,
        204
    );
    scene
        .get("/v1/notes")
        .await
        .is_problem(404, "collectionNotDefined");
}

#[tokio::test]
async fn names_that_could_never_be_reached_are_refused() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    scene
        .put("/v1/-/collections/notes.versions", "{}")
        .await
        .is_problem(400, "invalidDefinition");
    scene
        .put("/v1/-/collections/Notes", "{}")
        .await
        .is_problem(400, "invalidDefinition");
    scene
        .put("/v1/-/collections/orphans.lines", "{}")
        .await
        .is_problem(404, "collectionNotDefined");
}

#[tokio::test]
async fn a_stricter_schema_holds_for_later_writes_only() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    scene.made("/v1/notes/1", "{}").await;
    let etag = scene.get(URL).await.etag();
    let stricter = json!({ "schema": { "required": ["title"] } }).to_string();
    assert_eq!(
        scene
            .put_with(URL, &[("if-match", &etag)], &stricter)
            .await
            .status,
        200
    );
    assert_eq!(scene.get("/v1/notes/1").await.status, 200);
    scene
        .put("/v1/notes/2", "{}")
        .await
        .is_problem(400, "invalidDocument");
}
