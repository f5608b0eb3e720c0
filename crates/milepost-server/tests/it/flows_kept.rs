//! Files that were answered under one definition, and are asked for otherwise by the one that holds now.

use serde_json::{Value, json};

use crate::{
    flows_files::{PNG, form, multipart},
    flows_handing::{HANDING, begun, desk, document, filled, flow, next, operations, values},
    scene::Scene,
};

const UNFIT: &str = "is not what is asked for any more: choose another file";

/// Whoever sent a PNG and is at the review: its state.
async fn at_review() -> (Scene, String) {
    let scene = desk(&flow(&operations(), true), None).await;
    let drafts =
        json!({ "indexes": { "draft": "/draft" }, "drafts": { "index": "draft", "age": "P90D" } });
    scene.define("scans", &drafts).await;
    let state = begun(&scene, None).await;
    let sent = scene.send(filled(&state, Some(("scan.png", PNG)))).await;
    let review = next(&scene, &sent).await;
    (scene, review)
}

/// Changes what is asked of the file, and the version, where it is another then.
async fn ask(scene: &Scene, version: u64, member: &str, value: Value) {
    let mut flow = flow(&operations(), true);
    flow["version"] = json!(version);
    flow["steps"][0]["schema"]["properties"]["scan"]["file"][member] = value;
    let any = [("if-match", "*")];
    let url = "/v1/flows/handing";
    let changed = scene.put_with(url, &any, &flow.to_string()).await;
    assert!(changed.status.is_success(), "{changed:?}");
}

/// What may be asked for that the file isn't.
fn others() -> [(&'static str, Value); 3] {
    [
        ("accept", json!(["application/pdf"])),
        ("maxBytes", json!(10)),
        ("collection", json!("scans")),
    ]
}

#[tokio::test]
async fn a_file_that_a_definition_asks_for_otherwise_now_is_not_made_lasting_and_is_asked_for_again()
 {
    for (member, value) in others() {
        let (scene, review) = at_review().await;
        ask(&scene, 1, member, value).await;
        let refused = scene.send(document(&review, &json!({}))).await;
        let problem = refused.is_problem(400, "invalidInput");
        assert_eq!(problem["issues"][0]["name"], "/input/scan", "{member}");
        assert_eq!(problem["issues"][0]["detail"], UNFIT, "{member}");
        assert_eq!(problem["next"]["step"], "one", "{member}");
        assert_eq!(values(&scene, "files").await[0]["draft"], true, "{member}");
        assert!(values(&scene, "notes").await.is_empty(), "{member}");
    }
}

#[tokio::test]
async fn a_file_that_is_kept_at_its_step_is_told_there_once_another_is_asked_for() {
    for (member, value) in others() {
        let (scene, review) = at_review().await;
        let parts = [
            ("state", None, review.as_bytes()),
            ("go", None, b"back".as_slice()),
        ];
        let back = scene.send(form(HANDING, multipart(&parts))).await;
        let state = next(&scene, &back).await;
        ask(&scene, 1, member, value).await;
        let told = scene.send(filled(&state, None)).await;
        assert_eq!(told.status, 400, "{member}");
        assert!(told.text().contains(UNFIT), "{member}: {told:?}");
        assert!(!told.text().contains("scan.png"), "{member}: {told:?}");
    }
}

#[tokio::test]
async fn a_file_of_another_version_that_cannot_be_kept_is_told_where_the_rest_is() {
    for (member, value) in others() {
        let (scene, review) = at_review().await;
        ask(&scene, 2, member, value).await;
        let revised = scene.send(document(&review, &json!({}))).await;
        let revised = revised.is_problem(409, "flowRevised");
        let kept = scene.get(revised["keep"].as_str().unwrap()).await.json();
        assert_eq!(kept["step"], "one", "{member}: {kept}");
        assert_eq!(kept["issues"][0]["detail"], UNFIT, "{member}");
    }
}

#[tokio::test]
async fn a_file_that_still_is_what_is_asked_for_stays_chosen_in_another_version() {
    let (scene, review) = at_review().await;
    ask(&scene, 2, "accept", json!(["image/png"])).await;
    let revised = scene.send(document(&review, &json!({}))).await;
    let revised = revised.is_problem(409, "flowRevised");
    let kept = scene.get(revised["keep"].as_str().unwrap()).await.json();
    assert_eq!(kept["step"], "review", "{kept}");
    let state = kept["state"].as_str().unwrap();
    let done = scene.send(document(state, &json!({}))).await;
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(values(&scene, "files").await[0].get("draft"), None);
}

#[tokio::test]
async fn after_the_end_no_definition_takes_a_file_back() {
    let (scene, review) = at_review().await;
    let done = scene.send(document(&review, &json!({}))).await;
    assert_eq!(done.status, 201, "{done:?}");
    for (member, value) in others() {
        ask(&scene, 1, member, value).await;
        let again = scene.send(document(&review, &json!({}))).await;
        assert_eq!(again.status, 200, "{member}: {again:?}");
        assert_eq!(again.text(), done.text(), "{member}");
    }
}
