//! The service keeps nothing: one, two in turns, or a new one for each request answer alike.

use milepost_server::Limits;
use serde_json::json;

use crate::scene::{Scene, Serving};

/// A client's day: every answer, with what is different in each store made the same.
async fn transcript(serving: Serving) -> String {
    let scene = Scene::serving(Limits::default(), serving);
    let mut transcript = String::new();
    let mut urls = Vec::new();
    scene.define_accounts().await;
    scene.fill(5).await;
    let position = scene.get("/v1/accounts").await.json()["position"]
        .as_str()
        .unwrap()
        .to_owned();
    let history = position.split('.').next().unwrap().to_owned();
    let tag = scene.get("/v1/accounts/a00").await.etag();
    let transaction =
        json!({ "operations": [{ "method": "PUT", "href": "/v1/accounts/t", "value": {} }] })
            .to_string();
    let id = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    for _ in 0..2 {
        urls.push(
            scene
                .put_with(
                    "/v1/accounts/a00",
                    &[("if-match", &tag)],
                    "{\"owner\":\"zoe\"}",
                )
                .await,
        );
        urls.push(scene.put(id, &transaction).await);
        urls.push(scene.put("/v1/accounts/a01", "{}").await);
    }
    let mut url = "/v1/accounts?pageSize=2".to_owned();
    loop {
        let page = scene.get(&url).await;
        let next = page.json()["next"].as_str().map(str::to_owned);
        urls.push(page);
        match next {
            Some(next) => url = next,
            None => break,
        }
    }
    for reply in urls {
        let text = if reply.status.is_success() {
            reply.text().to_owned()
        } else {
            reply.json()["type"].to_string()
        };
        transcript.push_str(&format!(
            "{} {}\n",
            reply.status,
            text.replace(&history, "history")
        ));
    }
    without_checks(&transcript)
}

/// Positions without the check at their end, which differs from store to store.
fn without_checks(text: &str) -> String {
    let mut pieces = text.split("history.");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let (sequence, rest) = piece.split_once('-').unwrap();
        plain.push_str(&format!("P{sequence}{}", &rest[4..]));
    }
    plain
}

#[tokio::test]
async fn answers_do_not_depend_on_which_service_gives_them() {
    let one = transcript(Serving::One).await;
    assert!(
        one.contains("428") && one.contains("204") && one.contains("\"resume\""),
        "{one}"
    );
    assert_eq!(transcript(Serving::TwoInTurns).await, one);
    assert_eq!(transcript(Serving::FreshEachTime).await, one);
}
