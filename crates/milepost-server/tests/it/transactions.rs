//! Transactions: all or nothing, and safe to repeat.

use milepost_server::Limits;
use serde_json::{Value, json};

use crate::scene::{Reply, Scene};

const ID: &str = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
const OTHER_ID: &str = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0c";

async fn put(scene: &Scene, url: &str, operations: &Value) -> Reply {
    scene
        .put(url, &json!({ "operations": operations }).to_string())
        .await
}

#[tokio::test]
async fn all_operations_share_one_position_and_the_outcome_is_told() {
    let scene = Scene::with_accounts().await;
    let one = scene.made("/v1/accounts/1", "{\"balance\":10}").await;
    let two = scene.made("/v1/accounts/2", "{\"balance\":0}").await;
    let three = scene.made("/v1/accounts/3", "{}").await;
    let reply = put(&scene, ID, &json!([
        { "method": "PUT", "href": "/v1/accounts/1", "ifMatch": one, "value": { "balance": 5 } },
        { "method": "PATCH", "href": "/v1/accounts/2", "ifMatch": two, "value": { "balance": 5 } },
        { "method": "PUT", "href": "/v1/accounts/4", "ifNoneMatch": "*", "value": { "new": true } },
        { "method": "CHECK", "href": "/v1/accounts/3", "ifMatch": three },
    ])).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.field("location"), ID);
    let outcome = reply.json();
    let position = outcome["position"].as_str().unwrap();
    let etag = format!("\"{position}\"");
    let statuses: Vec<_> = outcome["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect();
    assert_eq!(statuses, [200, 200, 201, 200]);
    for id in [1, 2, 4] {
        assert_eq!(scene.get(&format!("/v1/accounts/{id}")).await.etag(), etag);
    }
    assert_eq!(
        outcome["results"][3]["etag"],
        three.as_str(),
        "a check changes nothing"
    );
    let read = scene.get(ID).await;
    assert_eq!((read.status.as_u16(), &read.body), (200, &reply.body));
}

#[tokio::test]
async fn values_are_stored_as_they_were_sent() {
    let scene = Scene::with_accounts().await;
    let body = "{\"operations\":[{\"method\":\"PUT\",\"href\":\"/v1/accounts/1\",\"value\": { \"a\" : 1.0 } }]}";
    assert_eq!(scene.put(ID, body).await.status, 201);
    assert_eq!(scene.get("/v1/accounts/1").await.text(), "{ \"a\" : 1.0 }");
}

#[tokio::test]
async fn repeating_a_transaction_answers_its_recorded_outcome() {
    let scene = Scene::with_accounts().await;
    let operations =
        json!([{ "method": "PUT", "href": "/v1/accounts/1", "ifNoneMatch": "*", "value": {} }]);
    let first = put(&scene, ID, &operations).await;
    let again = put(&scene, ID, &operations).await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(first.body, again.body);
    let pretty = serde_json::to_string_pretty(&json!({ "operations": operations })).unwrap();
    assert_eq!(
        scene.put(ID, &pretty).await.status,
        200,
        "white space makes no other transaction"
    );
    let other = json!([{ "method": "PUT", "href": "/v1/accounts/2", "value": {} }]);
    put(&scene, ID, &other)
        .await
        .is_problem(422, "transactionMismatch");
    scene
        .get("/v1/accounts/2")
        .await
        .is_problem(404, "notFound");
}

#[tokio::test]
async fn nothing_is_written_when_one_operation_fails() {
    let scene = Scene::with_accounts().await;
    let old = scene.made("/v1/accounts/1", "{\"balance\":1}").await;
    let current = scene
        .put_with("/v1/accounts/1", &[("if-match", &old)], "{\"balance\":2}")
        .await
        .etag();
    let reply = put(&scene, ID, &json!([
        { "method": "PUT", "href": "/v1/accounts/9", "value": {} },
        { "method": "PUT", "href": "/v1/accounts/1", "ifMatch": old, "value": { "balance": 3 } },
        { "method": "DELETE", "href": "/v1/accounts/8", "ifMatch": "*" },
    ])).await;
    let problem = reply.is_problem(412, "transactionFailed");
    let failed = problem["failed"].as_array().unwrap();
    assert_eq!(failed.len(), 2);
    assert_eq!(
        (
            &failed[0]["index"],
            &failed[0]["status"],
            &failed[0]["etag"]
        ),
        (&json!(1), &json!(412), &json!(current))
    );
    assert_eq!(
        (&failed[1]["index"], &failed[1]["status"]),
        (&json!(2), &json!(404))
    );
    assert_eq!(failed[0]["href"], "/v1/accounts/1");
    scene
        .get("/v1/accounts/9")
        .await
        .is_problem(404, "notFound");
    scene.get(ID).await.is_problem(404, "transactionNotFound");
    // Corrected, the same id can be used: nothing was recorded.
    let operations = json!([{ "method": "PUT", "href": "/v1/accounts/1", "ifMatch": current, "value": { "balance": 3 } }]);
    assert_eq!(put(&scene, ID, &operations).await.status, 201);
}

#[tokio::test]
async fn a_document_that_breaks_the_schema_fails_with_its_place() {
    let scene = Scene::with_accounts().await;
    let reply = put(
        &scene,
        ID,
        &json!([{ "method": "PUT", "href": "/v1/accounts/1", "value": { "balance": "x" } }]),
    )
    .await;
    let problem = reply.is_problem(422, "transactionFailed");
    assert_eq!(problem["failed"][0]["status"], 400);
    assert_eq!(problem["issues"][0]["name"], "/operations/0/value/balance");
}

#[tokio::test]
async fn a_parent_and_its_child_can_be_made_together() {
    let scene = Scene::with_accounts().await;
    scene.define("accounts.transactions", &json!({})).await;
    let reply = put(
        &scene,
        ID,
        &json!([
            { "method": "PUT", "href": "/v1/accounts/1", "value": {} },
            { "method": "PUT", "href": "/v1/accounts/1/transactions/t", "value": {} },
        ]),
    )
    .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(scene.get("/v1/accounts/1/transactions").await.ids(), ["t"]);
}

#[tokio::test]
async fn every_mistake_in_a_transaction_is_told_at_once() {
    let scene = Scene::with_accounts().await;
    let reply = put(
        &scene,
        ID,
        &json!([
            { "method": "PUT", "href": "/v1/accounts/1" },
            { "method": "PAINT", "href": "/v1/accounts/1", "value": {} },
            { "method": "PUT", "href": "accounts/1", "value": {}, "ifmatch": "*" },
            { "method": "CHECK", "href": "/v1/accounts/1" },
        ]),
    )
    .await;
    let problem = reply.is_problem(400, "invalidTransaction");
    assert!(
        problem["issues"].as_array().unwrap().len() >= 5,
        "{problem}"
    );
    let reply = put(&scene, ID, &json!([
        { "method": "PUT", "href": "/v1/accounts", "value": {} },
        { "method": "PUT", "href": "/elsewhere/accounts/1", "value": {} },
        { "method": "PUT", "href": "/v1/accounts/a%2Fb", "value": {} },
        { "method": "PUT", "href": "/v1/accounts/%61", "value": {} },
        { "method": "PUT", "href": "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b", "value": {} },
        { "method": "PATCH", "href": "/v1/accounts/1", "contentType": "application/json-patch+json", "value": {} },
    ])).await;
    let problem = reply.is_problem(400, "invalidTransaction");
    let names: Vec<_> = problem["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["name"].clone())
        .collect();
    assert_eq!(names.len(), 6, "{problem}");
    for document in [
        "{}",
        "[]",
        "{\"operations\":[]}",
        "{\"operations\":{}}",
        "{\"operations\":[1],\"more\":2}",
    ] {
        scene
            .put(ID, document)
            .await
            .is_problem(400, "invalidTransaction");
    }
}

#[tokio::test]
async fn one_resource_stands_in_one_operation() {
    let scene = Scene::with_accounts().await;
    let operation = json!({ "method": "PUT", "href": "/v1/accounts/1", "value": {} });
    let problem = put(&scene, ID, &json!([operation, operation]))
        .await
        .is_problem(422, "transactionFailed");
    assert_eq!(problem["failed"][0]["index"], 1);
}

#[tokio::test]
async fn an_id_is_a_uuid_in_one_form() {
    let scene = Scene::with_accounts().await;
    for id in [
        "1",
        "0190A5B8-3c1e-7d2f-9a4b-5c6d7e8f9a0b",
        "0190a5b83c1e7d2f9a4b5c6d7e8f9a0b",
    ] {
        let url = format!("/v1/-/transactions/{id}");
        put(&scene, &url, &json!([]))
            .await
            .is_problem(400, "invalidId");
        scene.get(&url).await.is_problem(400, "invalidId");
    }
    scene
        .get("/v1/-/transactions")
        .await
        .is_problem(404, "notFound");
    scene
        .get(OTHER_ID)
        .await
        .is_problem(404, "transactionNotFound");
}

#[tokio::test]
async fn a_transaction_is_limited_in_operations_and_bytes() {
    let mut limits = Limits::default();
    limits.transaction_operations_max = 2;
    limits.transaction_bytes_max = 400;
    limits.resource_bytes_max = 100;
    let scene = Scene::with_limits(limits);
    scene.define_accounts_small().await;
    let operation = |id: usize, value: &str| json!({ "method": "PUT", "href": format!("/v1/notes/{id}"), "value": value });
    let three: Vec<_> = (0..3).map(|id| operation(id, "")).collect();
    put(&scene, ID, &json!(three))
        .await
        .is_problem(413, "transactionTooLarge");
    put(&scene, ID, &json!([operation(1, &"x".repeat(500))]))
        .await
        .is_problem(413, "transactionTooLarge");
    let problem = put(&scene, ID, &json!([operation(1, &"x".repeat(200))]))
        .await
        .is_problem(400, "invalidTransaction");
    assert_eq!(problem["issues"][0]["name"], "/operations/0/value");
    assert_eq!(
        put(&scene, ID, &json!([operation(1, ""), operation(2, "")]))
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_value_may_be_as_deep_in_a_transaction_as_by_itself() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let document = |value: &str| {
        format!(
            "{{\"operations\":[{{\"method\":\"PUT\",\"href\":\"/v1/notes/1\",\"value\":{value}}}]}}"
        )
    };
    scene
        .put(OTHER_ID, &document(&nested(129)))
        .await
        .is_problem(413, "resourceTooLarge");
    assert_eq!(scene.put(ID, &document(&nested(128))).await.status, 201);
    assert_eq!(scene.get("/v1/notes/1").await.text(), nested(128));
}

#[tokio::test]
async fn a_large_transaction_is_carried_out_whole() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    let text = "x".repeat(1000);
    let operations: Vec<_> = (0..500)
        .map(|id| json!({ "method": "PUT", "href": format!("/v1/notes/n{id:03}"), "value": { "text": text } }))
        .collect();
    let reply = put(&scene, ID, &json!(operations)).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.json()["results"].as_array().unwrap().len(), 500);
    assert_eq!(scene.get("/v1/notes?pageSize=1000").await.ids().len(), 500);
}
