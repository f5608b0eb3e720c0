//! QUERY (RFC 10008).

use crate::scene::{Reply, Scene};

async fn query(scene: &Scene, url: &str, body: &str) -> Reply {
    scene
        .ask("QUERY", url, &[("content-type", "application/json")], body)
        .await
}

#[tokio::test]
async fn query_asks_what_a_url_would_and_tells_that_url() {
    let scene = Scene::with_accounts().await;
    scene.fill(6).await;
    let body = r#"{"owner":["bob","ada"],"balance":"gte:10","pageSize":2,"total":true,"select":["owner"]}"#;
    let reply = query(&scene, "/v1/accounts", body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let url = "/v1/accounts?balance=gte:10&owner=ada&owner=bob&pageSize=2&select=owner&total=true";
    assert_eq!(
        (reply.field("location"), reply.field("content-location")),
        (url, url)
    );
    assert_eq!(reply.body, scene.get(url).await.body);
    assert_eq!(
        scene
            .get(reply.json()["next"].as_str().unwrap())
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_question_that_fits_no_url_is_answered_and_continued_with_query() {
    let scene = Scene::with_accounts().await;
    scene.fill(6).await;
    let mut owners: Vec<String> = (0..900)
        .map(|index| format!("\"somebody-{index}\""))
        .collect();
    owners.push("\"ada\"".to_owned());
    let body = format!("{{\"owner\":[{}],\"pageSize\":1}}", owners.join(","));
    let reply = query(&scene, "/v1/accounts", &body).await;
    assert_eq!(reply.ids(), ["a00"], "{reply:?}");
    assert!(!reply.headers.contains_key("location"));
    let next = reply.json()["next"].as_str().unwrap().to_owned();
    assert!(next.len() < 200, "{next}");
    assert_eq!(query(&scene, &next, &body).await.ids(), ["a03"]);
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_400() {
    let scene = Scene::with_accounts().await;
    for body in [
        "[]",
        "1",
        r#"{"owner":{"a":1}}"#,
        r#"{"pageSize":0}"#,
        r#"{"owner":[["a"]]}"#,
    ] {
        query(&scene, "/v1/accounts", body)
            .await
            .is_problem(400, "invalidQuery");
    }
    query(&scene, "/v1/accounts", "{")
        .await
        .is_problem(400, "malformedJson");
    query(&scene, "/v1/accounts", r#"{"colour":"red"}"#)
        .await
        .is_problem(400, "undeclaredIndex");
    let reply = scene
        .ask(
            "QUERY",
            "/v1/accounts",
            &[("content-type", "text/plain")],
            "{}",
        )
        .await;
    reply.is_problem(415, "unsupportedMediaType");
    assert_eq!(reply.field("accept-query"), "\"application/json\"");
}

#[tokio::test]
async fn a_filter_has_a_bounded_number_of_values() {
    let scene = Scene::with_accounts().await;
    let owners: Vec<String> = (0..1001).map(|index| index.to_string()).collect();
    let body = serde_json::json!({ "owner": owners }).to_string();
    let problem = query(&scene, "/v1/accounts", &body)
        .await
        .is_problem(400, "invalidQuery");
    assert_eq!(problem["issues"].as_array().unwrap().len(), 1);
}
