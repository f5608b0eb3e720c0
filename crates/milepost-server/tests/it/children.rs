//! Child collections, and reading across all parents.

use serde_json::json;

use crate::scene::Scene;

async fn bank() -> Scene {
    let scene = Scene::with_accounts().await;
    scene
        .define(
            "accounts.transactions",
            &json!({ "indexes": { "amount": "/amount" } }),
        )
        .await;
    scene
        .define("accounts.transactions.notes", &json!({}))
        .await;
    for (url, body) in [
        ("/v1/accounts/1", "{}"),
        ("/v1/accounts/2", "{}"),
        ("/v1/accounts/1/transactions/a", "{\"amount\":1}"),
        ("/v1/accounts/1/transactions/b", "{\"amount\":2}"),
        ("/v1/accounts/2/transactions/a", "{\"amount\":3}"),
        ("/v1/accounts/1/transactions/a/notes/n", "{}"),
        ("/v1/accounts/2/transactions/a/notes/m", "{}"),
    ] {
        scene.made(url, body).await;
    }
    scene
}

#[tokio::test]
async fn a_child_collection_lists_its_parents_resources_only() {
    let scene = bank().await;
    let page = scene.get("/v1/accounts/1/transactions").await;
    assert_eq!(page.ids(), ["a", "b"]);
    assert_eq!(
        page.json()["items"][0]["href"],
        "/v1/accounts/1/transactions/a"
    );
    assert_eq!(
        scene.get("/v1/accounts/1/transactions/a").await.text(),
        "{\"amount\":1}"
    );
    assert_eq!(
        scene.get("/v1/accounts/2/transactions/a").await.text(),
        "{\"amount\":3}"
    );
    assert_eq!(
        scene.get("/v1/accounts/1/transactions/a/notes").await.ids(),
        ["n"]
    );
}

#[tokio::test]
async fn a_hyphen_reads_across_all_parents() {
    let scene = bank().await;
    let hrefs = |page: serde_json::Value| -> Vec<String> {
        page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["href"].as_str().unwrap().to_owned())
            .collect()
    };
    let page = scene.get("/v1/accounts/-/transactions").await;
    assert_eq!(
        hrefs(page.json()),
        [
            "/v1/accounts/1/transactions/a",
            "/v1/accounts/1/transactions/b",
            "/v1/accounts/2/transactions/a"
        ]
    );
    let across = scene
        .get("/v1/accounts/-/transactions/-/notes")
        .await
        .json();
    assert_eq!(
        hrefs(across),
        [
            "/v1/accounts/1/transactions/a/notes/n",
            "/v1/accounts/2/transactions/a/notes/m"
        ]
    );
    let below = scene
        .get("/v1/accounts/1/transactions/-/notes")
        .await
        .json();
    assert_eq!(hrefs(below), ["/v1/accounts/1/transactions/a/notes/n"]);
    let filtered = scene.get("/v1/accounts/-/transactions?amount=gte:2").await;
    assert_eq!(hrefs(filtered.json()).len(), 2);
}

#[tokio::test]
async fn pages_across_parents_lead_through_all_of_them() {
    let scene = bank().await;
    let mut url = "/v1/accounts/-/transactions?pageSize=1".to_owned();
    let mut seen = 0;
    loop {
        let page = scene.get(&url).await;
        assert_eq!(page.status, 200, "{page:?}");
        seen += page.ids().len();
        let document = page.json();
        let Some(next) = document["next"].as_str() else {
            assert!(
                document["resume"]
                    .as_str()
                    .unwrap()
                    .starts_with("/v1/accounts/-/transactions/changes/")
            );
            break;
        };
        assert!(
            next.starts_with("/v1/accounts/-/transactions/snapshots/"),
            "{next}"
        );
        url = next.to_owned();
    }
    assert_eq!(seen, 3);
}

#[tokio::test]
async fn only_hyphens_may_follow_a_hyphen_and_nothing_is_written_across() {
    let scene = bank().await;
    for url in [
        "/v1/accounts/-",
        "/v1/accounts/-/transactions/a",
        "/v1/accounts/-/transactions/a/notes",
        "/v1/accounts/-/transactions/-",
    ] {
        scene.get(url).await.is_problem(404, "notFound");
        scene.put(url, "{}").await.is_problem(404, "notFound");
    }
    let reply = scene.post("/v1/accounts/-/transactions", "{}").await;
    reply.is_problem(405, "methodNotAllowed");
    assert_eq!(reply.field("allow"), "GET, HEAD, QUERY, OPTIONS");
}

#[tokio::test]
async fn nothing_lies_below_what_does_not_exist() {
    let scene = bank().await;
    let problem = scene
        .put("/v1/accounts/9/transactions/x", "{}")
        .await
        .is_problem(404, "parentNotFound");
    assert_eq!(problem["parent"], "/v1/accounts/9");
    scene
        .post("/v1/accounts/9/transactions", "{}")
        .await
        .is_problem(404, "parentNotFound");
    let problem = scene
        .get("/v1/accounts/9/transactions")
        .await
        .is_problem(404, "parentNotFound");
    assert_eq!(problem["parent"], "/v1/accounts/9");
}

#[tokio::test]
async fn a_parent_with_children_can_not_be_deleted_unless_they_go_with_it() {
    let scene = bank().await;
    let etag = scene.get("/v1/accounts/1").await.etag();
    let problem = scene
        .ask("DELETE", "/v1/accounts/1", &[("if-match", &etag)], "")
        .await
        .is_problem(409, "parentHasChildren");
    assert_eq!(problem["children"], "/v1/accounts/1/transactions");
    scene.define("logs", &json!({})).await;
    scene
        .define("logs.lines", &json!({ "onParentDelete": "cascade" }))
        .await;
    let etag = scene.made("/v1/logs/1", "{}").await;
    scene.made("/v1/logs/1/lines/1", "{}").await;
    assert_eq!(
        scene
            .ask("DELETE", "/v1/logs/1", &[("if-match", &etag)], "")
            .await
            .status,
        204
    );
    scene
        .get("/v1/logs/1/lines/1")
        .await
        .is_problem(404, "notFound");
}

#[tokio::test]
async fn three_levels_are_the_most() {
    let scene = bank().await;
    scene
        .get("/v1/accounts/1/transactions/a/notes/n/more")
        .await
        .is_problem(404, "notFound");
    scene
        .put("/v1/-/collections/a.b.c.d", "{}")
        .await
        .is_problem(400, "invalidDefinition");
}
