//! The service's own documents, as programs and people read them.

use http::header;
use serde_json::json;

use crate::scene::Scene;

const BROWSER: (&str, &str) = (
    "accept",
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
);

#[tokio::test]
async fn the_service_document_leads_to_everything() {
    let scene = Scene::with_accounts().await;
    scene.define("accounts.transactions", &json!({})).await;
    let root = scene.get("/v1/").await;
    let document = root.json();
    assert_eq!(document["conformance"], "stateless");
    assert_eq!(
        document["limits"]["resourceBytesMax"].to_string(),
        "1048576"
    );
    assert_eq!(document["collections"][0]["href"], "/v1/accounts");
    assert_eq!(
        document["collections"][1]["href"],
        "/v1/accounts/-/transactions"
    );
    let links = document["links"].as_object().unwrap();
    let collections = document["collections"].as_array().unwrap();
    let collections = collections
        .iter()
        .flat_map(|it| [&it["href"], &it["definition"]]);
    for link in links
        .values()
        .chain(collections)
        .filter(|link| !link.to_string().contains('{'))
    {
        let answer = scene.get(link.as_str().unwrap()).await;
        assert_eq!(answer.status, 200, "{link}: {answer:?}");
    }
    assert_eq!(scene.get("/v1").await.json(), document);
}

#[tokio::test]
async fn the_catalog_of_the_host_is_a_linkset() {
    let scene = Scene::new();
    let catalog = scene.get("/.well-known/api-catalog").await;
    let media_type = catalog.headers[header::CONTENT_TYPE].to_str().unwrap();
    assert!(media_type.starts_with("application/linkset+json"));
    assert_eq!(
        catalog.json()["linkset"][1]["service-desc"][0]["href"],
        "/v1/openapi.json"
    );
    let head = scene.ask("HEAD", "/.well-known/api-catalog", &[], "").await;
    let link = head.headers[header::LINK].to_str().unwrap();
    assert!(link.contains("rel=\"api-catalog\""), "{link}");
    assert_eq!(head.text(), "");
}

#[tokio::test]
async fn problems_are_explained_to_programs_as_json_and_to_browsers_as_html() {
    let scene = Scene::new();
    for url in ["/v1/-/problems", "/v1/-/problems/notFound"] {
        let json = scene.get(url).await;
        assert_eq!(json.headers[header::CONTENT_TYPE], "application/json");
        let html = scene.get_with(url, &[BROWSER]).await;
        assert_eq!(
            html.headers[header::CONTENT_TYPE],
            "text/html; charset=utf-8"
        );
        assert!(
            html.text()
                .starts_with("<!doctype html>\n<html lang=\"en\">")
        );
        assert!(html.text().contains("<main>\n<h1>"));
        assert!(!html.text().contains("<script"));
        let policy = html.headers[header::CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(
            policy.starts_with("default-src 'none'; style-src 'sha256-"),
            "{policy}"
        );
        assert_ne!(json.etag(), html.etag());
        let vary: Vec<_> = html.headers.get_all(header::VARY).iter().collect();
        assert!(vary.iter().any(|value| *value == "Accept"), "{vary:?}");
    }
    assert_eq!(scene.get("/v1/-/problems/nonsense").await.status, 404);
    assert_eq!(
        scene
            .get_with("/v1/-/problems", &[("accept", "image/png")])
            .await
            .status,
        406
    );
}

#[tokio::test]
async fn every_problem_leads_to_its_explanation() {
    let scene = Scene::new();
    let problem = scene
        .get("/v1/nowhere/at/all/that/exists/today/or/ever")
        .await
        .json();
    let explained = scene.get(problem["href"].as_str().unwrap()).await;
    assert_eq!(explained.json()["type"], problem["type"]);
    assert!(!explained.json()["explanation"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn documents_are_revalidated_cheaply() {
    let scene = Scene::with_accounts().await;
    for url in [
        "/v1/",
        "/v1/openapi.json",
        "/v1/-/problems",
        "/.well-known/api-catalog",
    ] {
        let first = scene.get(url).await;
        let again = scene
            .get_with(url, &[("if-none-match", &first.etag())])
            .await;
        assert_eq!(again.status, 304, "{url}");
        assert_eq!(again.etag(), first.etag());
        assert_eq!(again.text(), "");
        let head = scene.ask("HEAD", url, &[], "").await;
        assert_eq!(head.etag(), first.etag(), "{url}");
    }
}

#[tokio::test]
async fn health_and_metrics_are_never_cached() {
    let scene = Scene::with_accounts_in_memory().await;
    let health = scene.get("/v1/health").await;
    assert_eq!(health.json(), json!({ "status": "UP", "store": "memory" }));
    let metrics = scene.get("/v1/-/metrics").await;
    assert_eq!(
        metrics.headers[header::CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert!(
        metrics
            .text()
            .contains("# TYPE milepost_requests_total counter\n")
    );
    assert!(metrics.text().contains("milepost_store_writable 1\n"));
    for answer in [health, metrics] {
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    }
}
