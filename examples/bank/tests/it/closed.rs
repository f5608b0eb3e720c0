//! Nobody gets at a balance past the rule, and the store itself keeps accounts from being overdrawn.

use milepost_semantics::Preconditions;
use milepost_store::{Change, Failure, Operation, Outcome, Transaction};
use serde_json::json;

use crate::stage::{Bank, rent};

#[tokio::test]
async fn nobody_writes_past_the_rule() {
    let bank = Bank::open().await;
    assert_eq!(bank.order(&rent("t-1", 500)).await.status, 201);
    let rich = r#"{"owner":"Ada","kind":"customer","currency":"EUR","balance":99999999}"#;
    let entry = r#"{"amount":1,"currency":"EUR","counterparty":"18","balance":1}"#;
    let operation = json!({ "method": "PUT", "href": "/v1/accounts/17", "ifMatch": "*",
        "value": serde_json::from_str::<serde_json::Value>(rich).unwrap() });
    let transaction = json!({ "operations": [operation] }).to_string();
    let transactions = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    for (method, url, body) in [
        ("PUT", "/v1/accounts/17", rich),
        ("PUT", "/v1/accounts/99", rich),
        ("POST", "/v1/accounts", rich),
        ("DELETE", "/v1/accounts/17", ""),
        ("PUT", "/v1/accounts/17/transactions/t-2", entry),
        ("POST", "/v1/accounts/17/transactions", entry),
        ("DELETE", "/v1/accounts/17/transactions/t-1", ""),
        ("PUT", "/v1/transfers/t-2", "{}"),
        ("DELETE", "/v1/transfers/t-1", ""),
        ("PUT", "/v1/transfers", "{}"),
        ("PUT", "/v1/-/collections/accounts", "{}"),
        ("PUT", transactions, &*transaction),
    ] {
        let reply = bank.unchanged_by(bank.ask(method, url, body)).await;
        reply.is_problem(405, "methodNotAllowed");
        assert!(reply.field("allow").starts_with("GET, HEAD"), "{url}");
        let has_post = reply.field("allow").contains("POST");
        assert_eq!(has_post, url == "/v1/transfers", "{url}");
    }
}

#[tokio::test]
async fn a_bug_in_the_rule_would_not_overdraw_an_account_since_the_store_holds_its_schema() {
    let bank = Bank::open().await;
    let overdrawn =
        |kind: &str| json!({ "owner": "Ada", "kind": kind, "currency": "EUR", "balance": -1 });
    let write = |kind: &str| {
        let operation = Operation {
            key: bank::account::account(&"17".parse().unwrap()),
            preconditions: Preconditions::if_match_any(),
            change: Change::Put(overdrawn(kind).into()),
        };
        bank.store.write(Transaction::single(operation))
    };
    match write("customer").await.unwrap() {
        Outcome::Rejected(rejected) => {
            let (_, failure) = &rejected.failures[0];
            assert!(
                matches!(failure, Failure::InvalidDocument(_)),
                "{failure:?}"
            );
        }
        other => panic!("{other:?}"),
    }
    let till = write("till").await.unwrap();
    assert!(matches!(till, Outcome::Committed(_)), "the till may");
}
