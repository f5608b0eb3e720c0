//! Consistent listings over several pages, and positions that are no longer answered.

use milepost_store::CollectionPath;

use crate::scene::Scene;

#[tokio::test]
async fn all_pages_of_a_listing_show_one_state() {
    let scene = Scene::with_accounts().await;
    scene.fill(5).await;
    let first = scene.get("/v1/accounts?pageSize=2").await;
    let document = first.json();
    let position = document["position"].as_str().unwrap().to_owned();
    assert_eq!(document["replace"], true);
    assert_eq!(
        document["next"],
        format!("/v1/accounts/snapshots/{position}?after=a01&pageSize=2")
    );
    // What happens between two pages is not seen by the second.
    let etag = scene.get("/v1/accounts/a02").await.etag();
    scene
        .ask("DELETE", "/v1/accounts/a02", &[("if-match", &etag)], "")
        .await;
    scene.made("/v1/accounts/a025", "{}").await;
    let second = scene.get(document["next"].as_str().unwrap()).await;
    assert_eq!(second.ids(), ["a02", "a03"]);
    assert_eq!(
        (&second.json()["replace"], &second.json()["position"]),
        (&false.into(), &position.clone().into())
    );
    assert_eq!(
        second.field("cache-control"),
        "public, max-age=31536000, immutable"
    );
    let last = scene.get(second.json()["next"].as_str().unwrap()).await;
    assert_eq!(last.ids(), ["a04"]);
    assert_eq!(
        last.json()["resume"],
        format!("/v1/accounts/changes/{position}?pageSize=2")
    );
    assert!(last.json().get("next").is_none());
}

#[tokio::test]
async fn every_page_has_exactly_one_way_on() {
    let scene = Scene::with_accounts().await;
    scene.fill(7).await;
    let mut url = "/v1/accounts?owner=ada&owner=bob&pageSize=2&select=owner".to_owned();
    let mut seen = Vec::new();
    let resume = loop {
        let page = scene.get(&url).await;
        assert_eq!(page.status, 200, "{url}: {page:?}");
        seen.extend(page.ids());
        let document = page.json();
        assert_eq!(document["self"], url.as_str());
        assert_ne!(document["next"].is_string(), document["resume"].is_string());
        match document["next"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break document["resume"].as_str().unwrap().to_owned(),
        }
    };
    seen.sort_unstable();
    assert_eq!(seen, ["a00", "a01", "a03", "a04", "a06"]);
    assert!(
        resume.ends_with("?owner=ada&owner=bob&pageSize=2&select=owner"),
        "{resume}"
    );
}

#[tokio::test]
async fn a_page_of_a_snapshot_has_one_canonical_url() {
    let scene = Scene::with_accounts().await;
    scene.fill(3).await;
    let position = scene.get("/v1/accounts").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let base = format!("/v1/accounts/snapshots/{position}");
    for (query, canonical) in [
        ("pageSize=2&after=a00", "after=a00&pageSize=2"),
        ("owner=bob&owner=ada", "owner=ada&owner=bob"),
        ("pageSize=02", "pageSize=2"),
        ("owner=%61da", "owner=ada"),
        ("total=false&pageSize=1", "pageSize=1"),
    ] {
        let reply = scene.get(&format!("{base}?{query}")).await;
        assert_eq!(reply.status, 308, "{query}");
        assert_eq!(reply.field("location"), format!("{base}?{canonical}"));
        assert_eq!(scene.get(reply.field("location")).await.status, 200);
    }
    let reply = scene.get(&format!("{base}?")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.field("location")),
        (308, base.as_str())
    );
    assert_eq!(scene.get(&base).await.json()["replace"], true);
}

#[tokio::test]
async fn snapshots_of_a_private_collection_stay_with_their_reader() {
    let scene = Scene::new();
    scene
        .define(
            "notes",
            &serde_json::json!({ "caching": { "visibility": "private" } }),
        )
        .await;
    scene.made("/v1/notes/1", "{}").await;
    let position = scene.get("/v1/notes").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = scene.get(&format!("/v1/notes/snapshots/{position}")).await;
    assert_eq!(
        page.field("cache-control"),
        "private, max-age=31536000, immutable"
    );
}

#[tokio::test]
async fn a_position_that_is_no_longer_answered_is_410_with_the_way_on() {
    let scene = Scene::with_accounts_in_memory().await;
    scene.fill(2).await;
    let old = scene.get("/v1/accounts").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let etag = scene.get("/v1/accounts/a00").await.etag();
    scene
        .put_with("/v1/accounts/a00", &[("if-match", &etag)], "{}")
        .await;
    let head = scene.get("/v1/accounts").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let accounts = CollectionPath::parse("accounts").unwrap();
    scene
        .memory()
        .prune_history(&accounts, head.parse().unwrap());
    let foreign = head.replace(head.split('.').next().unwrap(), "zzzz");
    for position in [old, foreign] {
        let reply = scene
            .get(&format!(
                "/v1/accounts/snapshots/{position}?after=a00&pageSize=1&select=owner"
            ))
            .await;
        let problem = reply.is_problem(410, "positionExpired");
        let resync = format!("/v1/accounts/snapshots/{head}?pageSize=1&select=owner");
        assert_eq!(
            (reply.field("location"), problem["resync"].as_str().unwrap()),
            (resync.as_str(), resync.as_str())
        );
        assert_eq!(reply.field("cache-control"), "public, max-age=60");
        assert_eq!(scene.get(&resync).await.status, 200);
    }
}

#[tokio::test]
async fn a_malformed_position_is_400() {
    let scene = Scene::with_accounts().await;
    for position in [
        "k3",
        "k3.x-0000",
        "K3.1-0000",
        "k3.01-0000",
        "k3.1-000",
        "k3.1-00000",
    ] {
        scene
            .get(&format!("/v1/accounts/snapshots/{position}"))
            .await
            .is_problem(400, "invalidPosition");
    }
}

#[tokio::test]
async fn a_snapshot_is_in_its_default_order() {
    let scene = Scene::with_accounts().await;
    let position = scene.get("/v1/accounts").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    for query in ["sort=owner", "q=x"] {
        scene
            .get(&format!("/v1/accounts/snapshots/{position}?{query}"))
            .await
            .is_problem(400, "invalidQuery");
    }
}

#[tokio::test]
async fn what_is_remembered_of_changes_is_told() {
    let scene = Scene::with_accounts().await;
    scene.fill(1).await;
    let reply = scene.get("/v1/accounts/changes").await;
    let document = reply.json();
    let head = scene.get("/v1/accounts").await.json()["position"].clone();
    assert_eq!(document["head"], head);
    assert_eq!(document["retention"]["history"]["count"], 100_000);
    assert!(document["oldest"].is_string());
    assert_eq!(
        document["resume"],
        format!("/v1/accounts/changes/{}", head.as_str().unwrap())
    );
    let held = scene
        .get_with("/v1/accounts/changes", &[("if-none-match", &reply.etag())])
        .await;
    assert_eq!(held.status, 304);
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_too() {
    let mut limits = milepost_server::Limits::default();
    limits.page_bytes_max = 50;
    let scene = Scene::with_limits(limits);
    scene.define_accounts().await;
    for id in ["a", "b", "c"] {
        scene
            .made(
                &format!("/v1/accounts/{id}"),
                &format!("{{\"x\":\"{}\"}}", "y".repeat(30)),
            )
            .await;
    }
    let page = scene.get("/v1/accounts").await;
    assert_eq!(page.ids(), ["a"]);
    assert!(page.json()["next"].is_string());
}
