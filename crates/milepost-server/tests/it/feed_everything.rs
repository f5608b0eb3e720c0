//! Following all collections at once.

use serde_json::json;

use crate::{
    follower::{Follower, listed},
    scene::Scene,
};

const ID: &str = "0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";

async fn scene() -> Scene {
    let scene = Scene::with_accounts().await;
    scene.define("notes", &json!({})).await;
    scene.define("notes.lines", &json!({})).await;
    scene.fill(5).await;
    for number in 0..5 {
        scene.made(&format!("/v1/notes/n{number}"), "{}").await;
        scene
            .made(&format!("/v1/notes/n{number}/lines/l"), "{}")
            .await;
    }
    scene
}

#[tokio::test]
async fn a_transaction_is_told_on_one_page_however_small() {
    let scene = scene().await;
    let start = scene.get("/v1/-/changes").await.json()["resume"].clone();
    let start = start.as_str().unwrap();
    let operations: Vec<_> = (0..5)
        .map(|number| json!({ "method": "PUT", "href": format!("/v1/accounts/t{number}"), "value": {} }))
        .chain([json!({ "method": "DELETE", "href": "/v1/notes/n0/lines/l", "ifMatch": "*" })])
        .collect();
    let body = json!({ "operations": operations }).to_string();
    let reply = scene.put(&format!("/v1/-/transactions/{ID}"), &body).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    scene.write("/v1/accounts/after", "{}").await;
    let page = scene.get(&format!("{start}?pageSize=1")).await.json();
    let hrefs: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["href"].as_str().unwrap())
        .collect();
    assert_eq!(hrefs.len(), 6, "{page:#}");
    assert!(hrefs.contains(&"/v1/notes/n0/lines/l"));
    assert!(page["next"].is_string());
}

async fn other_collections_change(scene: &Scene, round: u32) {
    if round == 5 {
        scene.define("later", &json!({})).await;
        scene.made("/v1/later/1", "{\"late\":true}").await;
        scene.delete("/v1/notes/n3/lines/l").await;
    }
}

#[tokio::test]
async fn everything_is_followed_from_one_url_also_while_it_changes() {
    for size in [1, 3, 1000] {
        let scene = scene().await;
        let document = scene.get("/v1/-/changes").await.json();
        let start = format!("{}?pageSize={size}", document["snapshot"].as_str().unwrap());
        let mut follower = Follower::starting_at(&start);
        for round in 0..20 {
            follower.step(&scene).await;
            scene.write(&format!("/v1/accounts/w{round}"), "{}").await;
            other_collections_change(&scene, round).await;
        }
        follower.catch_up(&scene).await;
        let mut all = listed(&scene, "/v1/accounts").await;
        for url in [
            "/v1/notes",
            "/v1/notes/-/lines",
            "/v1/later",
            "/v1/-/collections",
        ] {
            all.extend(listed(&scene, url).await);
        }
        assert_eq!(follower.held, all, "pages of {size}");
    }
}

#[tokio::test]
async fn a_page_of_everything_has_one_url_and_strange_keys_are_refused() {
    let scene = scene().await;
    let base = scene.get("/v1/-/changes").await.json()["snapshot"]
        .as_str()
        .unwrap()
        .to_owned();
    let reply = scene.get(&format!("{base}?pageSize=03")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.field("location")),
        (308, &*format!("{base}?pageSize=3"))
    );
    for query in ["pageSize=0", "after=x", "after=accounts:%21", "owner=ada"] {
        scene
            .get(&format!("{base}?{query}"))
            .await
            .is_problem(400, "invalidQuery");
    }
    scene
        .get("/v1/-/snapshots/x")
        .await
        .is_problem(400, "invalidPosition");
    scene
        .ask(
            "QUERY",
            &base,
            &[("content-type", "application/json")],
            "{}",
        )
        .await
        .is_problem(405, "methodNotAllowed");
    let page = scene.get(&base).await;
    assert_eq!(
        page.field("cache-control"),
        "public, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn everything_is_the_same_for_ever_only_while_the_same_is_defined() {
    let scene = scene().await;
    let url = scene.get("/v1/-/changes").await.json()["snapshot"].clone();
    let url = url.as_str().unwrap();
    let before = scene.get(url).await;
    assert!(before.field("cache-control").ends_with("immutable"));
    scene.define("later", &json!({})).await;
    let after = scene.get(url).await;
    assert!(!after.field("cache-control").contains("immutable"));
    assert_ne!(after.etag(), before.etag());
}
