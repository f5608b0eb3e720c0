//! The service inside an application: `examples/mount.rs`.

#[path = "../../examples/mount.rs"]
#[expect(dead_code, reason = "its main function binds a port")]
mod example;

use std::sync::Arc;

use axum::Router;
use http::Response;
use http_body_util::BodyExt;
use milepost_server::{
    Body, Hosts, Service,
    cors::{Cors, Origins},
};
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

#[tokio::test]
async fn an_own_route_takes_in_requests_as_the_service_does() {
    let service = Service::builder(Arc::new(MemoryStore::new()))
        .hosts(Hosts::local(&[], &["example.org".to_owned()]))
        .build();
    example::define_accounts(&service).await;
    let application = example::application(&service);
    let json = ("content-type", "application/json");
    let long = format!("\"{}\"", "x".repeat(service.limits().resource_bytes_max));
    let two = [json, json];
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (here, elsewhere) = ("/transfers", "http://bank.example/transfers");
    for (url, fields, body, status, name) in [
        (here, &two[..1], "{}", 400, "badRequest"),
        (here, &two[..1], "{\"a\":1,\"a\":2}", 400, "malformedJson"),
        (here, &two[..1], &long, 413, "resourceTooLarge"),
        (here, &form, "{}", 415, "unsupportedMediaType"),
        (here, &two, "{}", 415, "unsupportedMediaType"),
        (elsewhere, &two[..1], "{}", 421, "misdirectedRequest"),
    ] {
        let request = request("POST", url, fields, body);
        let response = application.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), status, "{fields:?} {body:.20}");
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["type"], format!("urn:problem-type:milepost:{name}"));
    }
}

/// A service that takes no writes, over a store with an account.
async fn read_only() -> Service {
    let store = Arc::new(MemoryStore::new());
    let service = Service::builder(store.clone()).build();
    example::define_accounts(&service).await;
    let account = request(
        "PUT",
        "/v1/accounts/ada",
        &[("content-type", "application/json")],
        "{\"balance\":100}",
    );
    assert_eq!(service.respond(account).await.status(), 201);
    let cors = Cors::new(Origins::None);
    Service::builder(store).read_only().cors(cors).build()
}

fn allow(response: &Response<Body>) -> &str {
    response.headers()["allow"].to_str().unwrap()
}

#[tokio::test]
async fn a_service_that_only_reads_carries_out_no_write_and_says_so() {
    let service = read_only().await;
    let before = service.store().head();
    let json = [("content-type", "application/json"), ("if-match", "*")];
    let transaction = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    for (method, url, allowed) in [
        ("PUT", "/v1/accounts/ada", "GET, HEAD, OPTIONS"),
        ("PATCH", "/v1/accounts/ada", "GET, HEAD, OPTIONS"),
        ("DELETE", "/v1/accounts/ada", "GET, HEAD, OPTIONS"),
        ("POST", "/v1/accounts", "GET, HEAD, QUERY, OPTIONS"),
        ("PUT", "/v1/-/collections/accounts", "GET, HEAD, OPTIONS"),
        ("PUT", transaction, "GET, HEAD, OPTIONS"),
        ("POST", "/v1/-/flows/transfer", "GET, HEAD, OPTIONS"),
    ] {
        let response = service.respond(request(method, url, &json, "{}")).await;
        assert_eq!(response.status(), 405, "{method} {url}");
        assert_eq!(allow(&response), allowed, "{method} {url}");
        let options = service.respond(request("OPTIONS", url, &[], "")).await;
        assert_eq!(allow(&options), allowed);
        for field in ["accept-patch", "accept-post"] {
            assert!(!options.headers().contains_key(field), "{url} {field}");
        }
    }
    assert_eq!(service.store().head(), before);
    let response = service.respond(request("GET", "/v1/accounts/ada", &[], ""));
    assert_eq!(response.await.status(), 200);
}

#[tokio::test]
async fn the_openapi_document_of_a_service_that_only_reads_offers_no_write() {
    let response = read_only().await;
    let response = response.respond(request("GET", "/v1/openapi.json", &[], ""));
    let body = response.await.into_body().collect().await.unwrap();
    let document: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.contains_key("/accounts/{id}"), "{:?}", paths.keys());
    for (path, item) in paths {
        let methods = item.as_object().unwrap();
        let has = |method: &str| methods.contains_key(method);
        assert!(has("get"), "{path}");
        for method in ["put", "patch", "post", "delete"] {
            assert!(!has(method), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn an_application_reads_json_as_strictly_as_the_service_does() {
    let service = Service::builder(Arc::new(MemoryStore::new())).build();
    let read = service.parse_json(br#"{"amount":1.10}"#).unwrap();
    assert_eq!(read.to_string(), r#"{"amount":1.10}"#, "digit by digit");
    let twice = service.parse_json(br#"{"a":1,"a":2}"#).unwrap_err();
    assert_eq!(twice.status(), 400, "no member stands there twice");
    let content_type = twice.headers().get("content-type").unwrap();
    assert_eq!(content_type, "application/problem+json");
    let deep = "[".repeat(1000) + &"]".repeat(1000);
    let deep = service.parse_json(deep.as_bytes()).unwrap_err();
    assert_eq!(deep.status(), 413, "depth is bounded");
}
