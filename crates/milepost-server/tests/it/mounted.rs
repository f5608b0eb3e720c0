//! The service inside an application: `examples/mount.rs`.

#[path = "../../examples/mount.rs"]
#[expect(dead_code, reason = "its main function binds a port")]
mod example;

use std::sync::Arc;

use axum::Router;
use http_body_util::BodyExt;
use milepost_server::Service;
use milepost_store::memory::MemoryStore;
use serde_json::Value;
use tower::ServiceExt;

use crate::scene::request;

async fn application() -> Router {
    let service = Service::builder(Arc::new(MemoryStore::new())).build();
    example::define_accounts(&service).await;
    let application = example::application(&service);
    for (id, body) in [("ada", "{\"balance\":100}"), ("bob", "{\"balance\":0}")] {
        let (status, _) = ask(&application, "PUT", &format!("/v1/accounts/{id}"), body).await;
        assert_eq!(status, 201);
    }
    application
}

async fn ask(application: &Router, method: &str, url: &str, body: &str) -> (u16, Value) {
    let request = request(method, url, &[("content-type", "application/json")], body);
    let response = application.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap_or_default())
}

#[tokio::test]
async fn an_application_s_own_route_writes_what_the_service_serves() {
    let application = application().await;
    let (status, told) = ask(
        &application,
        "POST",
        "/transfers",
        r#"{"from":"ada","to":"bob","amount":30}"#,
    )
    .await;
    assert_eq!(status, 200, "{told}");
    let (_, page) = ask(&application, "GET", "/v1/accounts", "").await;
    assert_eq!(page["items"][0]["value"]["balance"], 70);
    assert_eq!(page["items"][1]["value"]["balance"], 30);
    assert_eq!(
        page["items"][0]["etag"], page["items"][1]["etag"],
        "one transaction, one position"
    );
    assert_eq!(page["position"], told["position"]);
}

#[tokio::test]
async fn what_goes_wrong_in_an_own_route_is_the_same_problem_document() {
    let application = application().await;
    for (body, status, name) in [
        (
            r#"{"from":"ada","to":"bob","amount":300}"#,
            422,
            "transactionFailed",
        ),
        (r#"{"from":"ada","to":"eve","amount":3}"#, 404, "notFound"),
        (
            r#"{"from":"ada","to":"bob","amount":-3}"#,
            400,
            "badRequest",
        ),
        (r#"{"from":"ada","#, 400, "malformedJson"),
    ] {
        let (told, problem) = ask(&application, "POST", "/transfers", body).await;
        assert_eq!(told, status, "{problem}");
        assert_eq!(problem["type"], format!("urn:problem-type:milepost:{name}"));
    }
    let (_, page) = ask(&application, "GET", "/v1/accounts", "").await;
    assert_eq!(page["items"][0]["value"]["balance"], 100);
}
