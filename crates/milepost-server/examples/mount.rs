//! Milepost inside an axum application, beside a route of the application's own.
//!
//! `POST /transfers` moves an amount from one account to another: one transaction in the same store
//! that the service serves under `/v1`, with the same preconditions inside it and the same problem
//! documents where it does not hold. Run it, then:
//!
//! ```text
//! json='Content-Type: application/json'
//! curl -X PUT localhost:3000/v1/accounts/ada -H "$json" -d '{"balance":100}'
//! curl -X PUT localhost:3000/v1/accounts/bob -H "$json" -d '{"balance":0}'
//! curl localhost:3000/transfers -H "$json" -d '{"from":"ada","to":"bob","amount":30}'
//! curl localhost:3000/v1/accounts
//! ```

use std::sync::Arc;

use axum::{
    Router,
    extract::{Request, State},
    routing::post,
};
use http::Response;
use milepost_semantics::{Preconditions, Problem, ProblemType, ResourceId};
use milepost_server::{Body, Service};
use milepost_store::{
    Change, CollectionPath, Operation, Outcome, ResourceKey, Transaction, Version,
    memory::MemoryStore,
};
use serde_json::{Value, json};

/// An answer that is a problem.
type Refused = Box<Response<Body>>;

/// The application: its own route, and the service for everything else.
pub(crate) fn application(service: &Service) -> Router {
    Router::new()
        .route("/transfers", post(transfer))
        .fallback_service(service.clone())
        .with_state(service.clone())
}

/// The collection that the application works with. No balance falls below zero: its schema says so.
pub(crate) async fn define_accounts(service: &Service) {
    let balance = json!({ "type": "integer", "minimum": 0 });
    let value = json!({ "title": "Accounts", "schema": { "properties": { "balance": balance } } });
    let accounts = CollectionPath::parse("accounts").expect("it is a name");
    let operation = Operation {
        key: ResourceKey::definition(&accounts).expect("it is short"),
        preconditions: Preconditions::if_none_match_any(),
        change: Change::Put(value.into()),
    };
    let written = service.store().write(Transaction::single(operation));
    written.await.expect("a store in memory can be written");
}

async fn transfer(State(service): State<Service>, request: Request) -> Response<Body> {
    match transferred(&service, request).await {
        Ok(response) => response,
        Err(refused) => *refused,
    }
}

async fn transferred(service: &Service, request: Request) -> Result<Response<Body>, Refused> {
    let document = service.posted(request).await?;
    let keys = [
        account(service, &document, "from")?,
        account(service, &document, "to")?,
    ];
    let amount = document.get("amount").and_then(Value::as_i64);
    let Some(amount) = amount.filter(|amount| *amount > 0) else {
        return Err(Box::new(
            service.bad_member("/amount", "is a whole number above 0"),
        ));
    };
    let mut operations = Vec::new();
    for (key, change) in keys.iter().zip([-amount, amount]) {
        operations.push(changed(service, key, change).await?);
    }
    match service.store().write(Transaction::of(operations)).await {
        Ok(Outcome::Committed(committed)) => {
            let told = json!({ "position": committed.position.to_string() });
            Ok(Response::new(Body::from(told.to_string().into_bytes())))
        }
        // Somebody else was faster, or there is too little: nothing was written.
        Ok(Outcome::Rejected(rejected)) => Err(Box::new(service.rejected(&keys, rejected))),
        Ok(Outcome::Recorded(_) | Outcome::RecordMismatch) => {
            let problem = Problem::new(ProblemType::Internal, "no record was asked for");
            Err(Box::new(service.problem(problem)))
        }
        Err(error) => Err(Box::new(service.write_error(error))),
    }
}

/// The account that a member of the request names.
fn account(service: &Service, document: &Value, member: &str) -> Result<ResourceKey, Refused> {
    let id = document.get(member).and_then(Value::as_str);
    let id: Option<ResourceId> = id.and_then(|id| id.parse().ok());
    match (id, CollectionPath::parse("accounts")) {
        (Some(id), Some(accounts)) => Ok(ResourceKey::top(accounts, id)),
        _ => Err(Box::new(
            service.bad_member(&format!("/{member}"), "is the id of an account"),
        )),
    }
}

/// The write that changes an account's balance, if it still is the version that was read.
async fn changed(service: &Service, key: &ResourceKey, by: i64) -> Result<Operation, Refused> {
    let version = service.store().read(key, None).await;
    let version = version.map_err(|error| Box::new(service.read_error(error)))?;
    let Some((version, balance)) = version.and_then(balance) else {
        let detail = format!(
            "there is no account with a balance at {}",
            service.href(key)
        );
        return Err(Box::new(
            service.problem(Problem::new(ProblemType::NotFound, detail)),
        ));
    };
    Ok(Operation {
        key: key.clone(),
        preconditions: Preconditions::if_match(version.entity_tag()),
        change: Change::Put(json!({ "balance": balance + by }).into()),
    })
}

fn balance(version: Version) -> Option<(Version, i64)> {
    let value: Value = serde_json::from_slice(version.body.as_ref()?).ok()?;
    let balance = value.get("balance")?.as_i64()?;
    Some((version, balance))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let service = Service::builder(Arc::new(MemoryStore::new())).build();
    define_accounts(&service).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, application(&service)).await
}
