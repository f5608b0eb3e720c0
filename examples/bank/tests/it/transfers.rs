//! The rule over the wire: what is moved, what is refused, and what repeating does.

use axum::body::Body;
use bank::{founding::OPENING_CENTS, money::AMOUNT_CENTS_MAX};
use http::Request;
use serde_json::{Value, json};

use crate::stage::{Bank, rent};

#[tokio::test]
async fn a_transfer_moves_money_and_enters_both_sides_in_one_transaction() {
    let bank = Bank::open().await;
    let mut order = rent("t-1", 45_000);
    order["reference"] = "rent".into();
    let reply = bank.order(&order).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(reply.field("location"), "/v1/transfers/t-1");
    let mut etags = Vec::new();
    for (url, value) in [
        (
            "/v1/transfers/t-1",
            json!({ "from": "17", "to": "18", "amount": 45_000, "currency": "EUR", "reference": "rent" }),
        ),
        (
            "/v1/accounts/17",
            json!({ "owner": "Ada", "kind": "customer", "currency": "EUR", "balance": 55_000 }),
        ),
        (
            "/v1/accounts/18",
            json!({ "owner": "Bob", "kind": "customer", "currency": "EUR", "balance": 145_000 }),
        ),
        (
            "/v1/accounts/17/transactions/t-1",
            json!({ "amount": -45_000, "currency": "EUR", "counterparty": "18", "balance": 55_000, "reference": "rent" }),
        ),
        (
            "/v1/accounts/18/transactions/t-1",
            json!({ "amount": 45_000, "currency": "EUR", "counterparty": "17", "balance": 145_000, "reference": "rent" }),
        ),
    ] {
        let read = bank.ask("GET", url, "").await;
        assert_eq!(read.body, value, "{url}");
        etags.push(read.field("etag").to_owned());
    }
    etags.dedup();
    assert_eq!(
        etags,
        [reply.field("etag")],
        "one transaction, one position"
    );
}

#[tokio::test]
async fn the_same_order_again_is_answered_the_same_and_moves_nothing() {
    let bank = Bank::open().await;
    let order = rent("t-1", 100_000);
    let first = bank.order(&order).await;
    assert_eq!(first.status, 201);
    // In other words, and with an account that has nothing left.
    let again = r#" { "currency":"EUR","amount":100000,"to":"18","from":"17","id":"t-1" } "#;
    let second = bank.ask("POST", "/v1/transfers", again);
    let second = bank.unchanged_by(second).await;
    assert_eq!(second.status, 200, "{second:?}");
    assert_eq!(second.body, first.body);
    for field in ["etag", "location", "content-type"] {
        assert_eq!(second.field(field), first.field(field));
    }
}

#[tokio::test]
async fn an_id_is_never_taken_for_another_order() {
    let bank = Bank::open().await;
    assert_eq!(bank.order(&rent("t-1", 500)).await.status, 201);
    let mut others = vec![rent("t-1", 501), rent("t-1", 500), rent("t-1", 500)];
    others[1]["to"] = "19".into();
    others[2]["reference"] = "rent".into();
    for other in others {
        let reply = bank.unchanged_by(bank.order(&other)).await;
        reply.is_problem(422, "transactionMismatch");
        assert_eq!(reply.body["transfer"], "/v1/transfers/t-1");
    }
}

#[tokio::test]
async fn an_account_is_never_overdrawn_and_the_order_may_come_again_when_there_is_money() {
    let bank = Bank::open().await;
    let order = rent("t-1", OPENING_CENTS + 1);
    let reply = bank.unchanged_by(bank.order(&order)).await;
    reply.is_problem(422, "transactionFailed");
    assert_eq!(
        reply.body["detail"],
        "account 17 holds 1000.00 EUR, too little for 1000.01 EUR"
    );
    assert_eq!(reply.body["failed"][0]["href"], "/v1/accounts/17");
    assert_eq!(reply.body["failed"][0]["status"], 422);
    let cent = json!({ "id": "t-2", "from": "19", "to": "17", "amount": 1, "currency": "EUR" });
    assert_eq!(bank.order(&cent).await.status, 201);
    assert_eq!(bank.order(&order).await.status, 201);
    assert_eq!(bank.balances().await["17"], 0);
}

#[tokio::test]
async fn what_the_accounts_refuse_is_told_of_every_account() {
    let bank = Bank::open().await;
    let with = |member: &str, value: &str| {
        let mut order = rent("t-1", 5);
        order[member] = value.into();
        order
    };
    for (order, status, href) in [
        (with("from", "99"), 404, "/v1/accounts/99"),
        (with("to", "99"), 404, "/v1/accounts/99"),
        (with("from", "till-eur"), 403, "/v1/accounts/till-eur"),
        (with("to", "21"), 422, "/v1/accounts/21"),
        (with("from", "21"), 422, "/v1/accounts/21"),
    ] {
        let reply = bank.unchanged_by(bank.order(&order)).await;
        reply.is_problem(status, "transactionFailed");
        let failed = reply.body["failed"].as_array().unwrap();
        assert_eq!(failed.len(), 1, "{reply:?}");
        assert_eq!(failed[0]["href"], href);
    }
    let reply = bank
        .unchanged_by(bank.order(&with("currency", "USD")))
        .await;
    reply.is_problem(422, "transactionFailed");
    assert_eq!(reply.body["failed"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_that_says_no_sense_is_refused_with_the_place() {
    let bank = Bank::open().await;
    let too_much = AMOUNT_CENTS_MAX + 1;
    for (body, place) in [
        (rent("t-1", 0).to_string(), "/amount"),
        (rent("t-1", -5).to_string(), "/amount"),
        (rent("t-1", too_much).to_string(), "/amount"),
        (rent("t 1", 5).to_string(), "/id"),
        (rent("t-1", 5).to_string().replace("18", "17"), "/to"),
        (
            rent("t-1", 5).to_string().replace("EUR", "eur"),
            "/currency",
        ),
        (rent("t-1", 9).to_string().replace('9', "9.5"), "/amount"),
        (
            rent("t-1", 9).to_string().replace('9', "9e99999"),
            "/amount",
        ),
        (
            rent("t-1", 9)
                .to_string()
                .replace('9', "18446744073709551617"),
            "/amount",
        ),
        ("[]".to_owned(), ""),
    ] {
        let reply = bank.ask("POST", "/v1/transfers", &body);
        let reply = bank.unchanged_by(reply).await;
        reply.is_problem(400, "badRequest");
        assert_eq!(reply.body["issues"][0]["name"], place, "{body}");
    }
    let everything = bank.unchanged_by(bank.order(&json!({ "amont": 5 }))).await;
    assert_eq!(everything.body["issues"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn what_is_not_strict_json_or_not_said_to_be_or_too_much_is_refused() {
    let bank = Bank::open().await;
    let doubled = r#"{"id":"t-1","from":"17","to":"18","amount":5,"amount":9,"currency":"EUR"}"#;
    for body in ["", "{", "amount=5", doubled, "{\"id\":\"\u{feff}"] {
        let reply = bank.ask("POST", "/v1/transfers", body);
        let reply = bank.unchanged_by(reply).await;
        reply.is_problem(400, "malformedJson");
    }
    let long = Value::from("x".repeat(20 << 20)).to_string();
    let reply = bank.ask("POST", "/v1/transfers", &long).await;
    reply.is_problem(413, "resourceTooLarge");
    for (field, value, status, name) in [
        ("content-type", "text/plain", 415, "unsupportedMediaType"),
        ("host", "bank.example", 421, "misdirectedRequest"),
    ] {
        let mut request = Request::post("/v1/transfers")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(rent("t-1", 5).to_string()))
            .unwrap();
        let fields = request.headers_mut();
        fields.insert(field, value.parse().unwrap());
        let reply = bank.unchanged_by(bank.send(request)).await;
        reply.is_problem(status, name);
    }
}

#[tokio::test]
async fn an_account_s_transactions_end_with_the_link_to_come_back_with() {
    let bank = Bank::open().await;
    assert_eq!(bank.order(&rent("t-1", 500)).await.status, 201);
    let list = bank.read("/v1/accounts/17/transactions").await;
    let ids = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| item["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&list), ["opening-17", "t-1"]);
    let resume = list["resume"].as_str().unwrap();
    let other = json!({ "id": "t-2", "from": "11", "to": "12", "amount": 1, "currency": "EUR" });
    assert_eq!(bank.order(&other).await.status, 201);
    assert_eq!(bank.order(&rent("t-3", 500)).await.status, 201);
    let news = bank.read(resume).await;
    assert_eq!(ids(&news), ["t-3"], "only this account's, and only the new");
}
