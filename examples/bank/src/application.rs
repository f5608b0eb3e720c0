//! The bank's server: Milepost under `/v1`, and one route of the bank's own in front of it.
//!
//! Clients read whatever Milepost offers of accounts, transactions and transfers: lists, changes, old
//! versions. They write nothing but orders: the service is built `read_only`, so that nobody sets a
//! balance past the [rule](crate::rule) with a plain PUT, a transaction, or another definition.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use http::{
    HeaderValue, Response,
    header::{ALLOW, CONTENT_LOCATION, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER},
};
use milepost_semantics::{EntityTag, Issue, Problem, ProblemType, wire::OperationFailure};
use milepost_server::{
    ApiInfo, Body, Hosts, Service,
    cors::{Cors, Origins},
};
use milepost_store::Store;
use serde_json::Value;

use crate::{
    account,
    order::Order,
    rule::Objection,
    transfer::{self, Carried, Failure},
};

/// Milepost over the bank's store, for clients on this machine: nobody is asked for credentials, so no
/// page of another origin gets in, and no other name is answered to.
#[must_use]
pub fn service(store: Arc<dyn Store>, addresses: &[SocketAddr]) -> Service {
    let api = ApiInfo {
        title: "A bank".to_owned(),
        ..ApiInfo::default()
    };
    Service::builder(store)
        .read_only()
        .api_info(api)
        .hosts(Hosts::local(addresses, &[]))
        .cors(Cors::new(Origins::None))
        .build()
}

/// The whole application: the bank's route, and the service for everything else.
pub fn application(service: &Service) -> Router {
    let transfers = format!("{}/transfers", service.base());
    Router::new()
        .route(&transfers, post(order).fallback(other))
        .fallback_service(service.clone())
        .with_state(service.clone())
}

/// `POST /v1/transfers`: 201 where the money was moved now, 200 where it had been moved before.
async fn order(State(service): State<Service>, request: Request) -> Response<Body> {
    let document = match service.posted(request).await {
        Ok(document) => document,
        Err(refused) => return *refused,
    };
    let order = match Order::parse(&document) {
        Ok(order) => order,
        Err(issues) => return service.problem(misread(issues)),
    };
    match transfer::carry_out(&**service.store(), &order).await {
        Ok(carried) => made(&service, &order, carried),
        Err(failure) => refused(&service, &order, failure),
    }
}

/// All the rest about transfers is the service's, which doesn't know that orders are taken here.
async fn other(State(service): State<Service>, request: Request) -> Response<Body> {
    let mut response = service.respond(request).await;
    let fields = response.headers_mut();
    if fields.contains_key(ALLOW) {
        let all = HeaderValue::from_static("GET, HEAD, POST, QUERY, OPTIONS");
        fields.insert(ALLOW, all);
    }
    response
}

/// The transfer, as it now stands at its own URL.
fn made(service: &Service, order: &Order, carried: Carried) -> Response<Body> {
    let href = service.href(&account::transfer(&order.id));
    let response = Response::builder()
        .status(if carried.is_repeated { 200 } else { 201 })
        .header(CONTENT_TYPE, "application/json")
        .header(LOCATION, &href)
        .header(CONTENT_LOCATION, &href)
        .header(ETAG, EntityTag::from(carried.position).to_string())
        .body(Body::from(order.to_json().to_string().into_bytes()));
    response.expect("ids and tags consist of characters that may stand in fields")
}

/// Why nothing was moved. Every status is chosen here.
fn refused(service: &Service, order: &Order, failure: Failure) -> Response<Body> {
    match failure {
        Failure::Refused(objections) => service.problem(objected(service, order, &objections)),
        Failure::IdTaken => service.problem(id_taken(service, order)),
        Failure::Crowded => crowded(service),
        Failure::Rejected(rejected) => service.rejected(&transfer::keys(order), rejected),
        Failure::Unreadable(key) => {
            let detail = format!("what stands at {} can't be read", service.href(&key));
            service.problem(Problem::new(ProblemType::Internal, detail))
        }
        Failure::Read(error) => service.read_error(error),
        Failure::Write(error) => service.write_error(error),
    }
}

fn misread(issues: Vec<Issue>) -> Problem {
    let told = issues
        .iter()
        .map(|issue| format!("{} {}", issue.name, issue.detail));
    let detail = told.collect::<Vec<_>>().join("; ");
    Problem::new(ProblemType::BadRequest, detail).with_issues(issues)
}

/// The problem that Milepost's own transactions fail with, in the bank's words. Its status is that of
/// the first objection.
fn objected(service: &Service, order: &Order, objections: &[Objection]) -> Problem {
    let told: Vec<&str> = objections.iter().map(|one| &*one.detail).collect();
    let keys = transfer::keys(order);
    let failed = objections.iter().map(|objection| {
        let key = account::account(&objection.account);
        let failure = OperationFailure {
            index: keys.iter().position(|of| *of == key).unwrap_or_default(),
            href: service.href(&key),
            status: objection.status,
            etag: None,
            detail: Some(objection.detail.clone()),
        };
        failure.to_json()
    });
    let failed: Vec<Value> = failed.collect();
    let status = objections.first().map_or(422, |first| first.status);
    Problem::new(ProblemType::TransactionFailed, told.join("; "))
        .with_member("failed", failed)
        .with_member("status", status)
}

fn id_taken(service: &Service, order: &Order) -> Problem {
    let href = service.href(&account::transfer(&order.id));
    let detail = format!("another transfer stands at {href}: choose a new id for a new transfer");
    Problem::new(ProblemType::TransactionMismatch, detail).with_member("transfer", href)
}

fn crowded(service: &Service) -> Response<Body> {
    let detail = "others keep changing these accounts; nothing was moved: send the same again";
    let mut response = service.problem(Problem::new(ProblemType::Overloaded, detail));
    let fields = response.headers_mut();
    fields.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
