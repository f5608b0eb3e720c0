//! A store that can't: what clients are told, and that reads go on.

use std::sync::Arc;

use http_body_util::BodyExt;
use milepost_server::{Occurrence, Service};
use milepost_store::{CollectionPath, ReadError, Store, WriteError, memory::MemoryStore};
use serde_json::Value;
use tower::ServiceExt;

use crate::{meddled::MeddledStore, scene::request};

const ID: &str = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";

/// A service over a store that fails so, with one collection that holds one resource.
async fn service(read: Option<ReadError>, write: Option<WriteError>) -> Service {
    let inside: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let whole = Service::builder(Arc::clone(&inside)).build();
    let fields = [("content-type", "application/json")];
    for url in ["/v1/-/collections/notes", "/v1/notes/1"] {
        let made = whole.clone().oneshot(request("PUT", url, &fields, "{}"));
        assert_eq!(made.await.unwrap().status(), 201);
    }
    let mut failing = MeddledStore::over(inside);
    (failing.read, failing.write) = (read, write);
    Service::builder(Arc::new(failing)).build()
}

fn broken_disk() -> milepost_store::Cause {
    Arc::new(std::io::Error::other("sector 7 of /dev/sda is bad"))
}

/// The problem of an answer, which must say when to come back and nothing of what is inside.
async fn problem(service: &Service, method: &str, url: &str, body: &str) -> (u16, Value, String) {
    let request = request(
        method,
        url,
        &[("content-type", "application/json"), ("if-match", "*")],
        body,
    );
    let response = service.clone().oneshot(request).await.unwrap();
    let cause = response
        .extensions()
        .get::<Occurrence>()
        .and_then(|occurrence| occurrence.cause.clone());
    assert!(
        response.headers().contains_key("retry-after"),
        "{response:?}"
    );
    assert_eq!(response.headers()["cache-control"], "no-store");
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(
        !String::from_utf8_lossy(&body).contains("sector"),
        "causes are for the log"
    );
    let cause = cause.map_or_else(String::new, |cause| cause.to_string());
    (status, serde_json::from_slice(&body).unwrap(), cause)
}

#[tokio::test]
async fn a_write_that_can_not_be_made_is_503_and_reads_go_on() {
    for (error, name) in [
        (WriteError::Overloaded, "overloaded"),
        (WriteError::Full, "storageFull"),
        (WriteError::Poisoned, "outcomeUnknown"),
        (WriteError::Unknown, "outcomeUnknown"),
        (WriteError::Stopped, "storageUnavailable"),
        (WriteError::Unavailable(broken_disk()), "storageUnavailable"),
    ] {
        let service = service(None, Some(error)).await;
        let transaction = r#"{"operations":[{"method":"PUT","href":"/v1/notes/1","value":{}}]}"#;
        for (method, url, body) in [
            ("PUT", "/v1/notes/1", "{\"a\":1}"),
            ("DELETE", "/v1/notes/1", ""),
            ("POST", "/v1/notes", "{}"),
            ("PUT", ID, transaction),
        ] {
            let (status, problem, _) = problem(&service, method, url, body).await;
            assert_eq!(status, 503);
            assert_eq!(problem["type"], format!("urn:problem-type:milepost:{name}"));
        }
        let read = service
            .clone()
            .oneshot(request("GET", "/v1/notes/1", &[], ""))
            .await
            .unwrap();
        assert_eq!(read.status(), 200);
    }
}

#[tokio::test]
async fn a_read_that_fails_is_503_and_its_cause_stays_inside() {
    let service = service(Some(ReadError::Unavailable(broken_disk())), None).await;
    for url in [
        "/v1/notes/1",
        "/v1/notes",
        "/v1/notes/changes",
        "/v1/-/changes",
        "/v1/notes/1/versions",
        ID,
    ] {
        let (status, problem, cause) = problem(&service, "GET", url, "").await;
        assert_eq!(
            (status, &problem["type"]),
            (503, &"urn:problem-type:milepost:storageUnavailable".into()),
            "{url}"
        );
        assert_eq!(cause, "sector 7 of /dev/sda is bad");
    }
}

#[tokio::test]
async fn an_index_that_is_being_built_is_409_for_a_while() {
    let notes = CollectionPath::parse("notes").unwrap();
    let error = ReadError::IndexBuilding {
        collection: notes,
        index: "owner".to_owned(),
    };
    let service = service(Some(error), None).await;
    let (status, problem, _) = problem(&service, "GET", "/v1/notes", "").await;
    assert_eq!(
        (status, &problem["type"]),
        (409, &"urn:problem-type:milepost:indexBuilding".into())
    );
}
