//! Who may write what says what others may do, and what nobody in particular may not.

use serde_json::json;

use super::stage::{ada, admin, bank, get_as, put_as};
use crate::scene::Scene;

#[tokio::test]
async fn definitions_and_flows_are_written_by_admins_only() {
    let scene = bank().await;
    for url in ["/v1/-/collections/notes", "/v1/flows/registration"] {
        let reply = scene.put(url, "{}").await;
        reply.is_problem(401, "unauthenticated");
        let challenge = reply.field("www-authenticate");
        assert!(
            challenge.starts_with("Bearer resource_metadata=\""),
            "{challenge}"
        );
        let reply = put_as(&scene, &ada(), url, "{}").await;
        reply.is_problem(403, "notPermitted");
        let challenge = reply.field("www-authenticate");
        assert!(
            challenge.contains("error=\"insufficient_scope\""),
            "{challenge}"
        );
    }
    let made = put_as(&scene, &admin(), "/v1/-/collections/notes", "{}").await;
    assert_eq!(made.status, 201, "{made:?}");
    let read = scene.get("/v1/-/collections/notes").await;
    assert_eq!(read.status, 200);
}

#[tokio::test]
async fn a_transaction_is_no_way_around() {
    let scene = bank().await;
    let url = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    let of = |href: &str| {
        json!({ "operations": [{ "method": "PUT", "href": href, "ifNoneMatch": "*", "value": {} }] })
            .to_string()
    };
    let definition = of("/v1/-/collections/notes");
    scene
        .put(url, &definition)
        .await
        .is_problem(401, "unauthenticated");
    let reply = put_as(&scene, &ada(), url, &definition).await;
    reply.is_problem(403, "notPermitted");
    let account = of("/v1/accounts/1");
    scene
        .put(url, &account)
        .await
        .is_problem(401, "unauthenticated");
    let reply = put_as(&scene, &ada(), url, &account).await;
    assert_eq!(reply.status, 201, "{reply:?}");
}

#[tokio::test]
async fn nobody_in_particular_reads_and_writes_nothing() {
    let scene = bank().await;
    put_as(&scene, &ada(), "/v1/accounts/1", "{}").await;
    assert_eq!(scene.get("/v1/accounts/1").await.status, 200);
    for (method, url) in [
        ("PUT", "/v1/accounts/1"),
        ("PATCH", "/v1/accounts/1"),
        ("DELETE", "/v1/accounts/1"),
        ("POST", "/v1/accounts"),
    ] {
        let fields = [("content-type", "application/json"), ("if-match", "*")];
        let reply = scene.ask(method, url, &fields, "{}").await;
        reply.is_problem(401, "unauthenticated");
    }
    assert_eq!(get_as(&scene, &ada(), "/v1/accounts/1").await.status, 200);
}

#[tokio::test]
async fn without_issuers_whoever_reaches_the_service_may_define() {
    let scene = Scene::new();
    let reply = scene.put("/v1/-/collections/notes", "{}").await;
    assert_eq!(reply.status, 201);
}
