//! Many at once: money is conserved, an order is carried out once, and trying again ends.

use std::{collections::BTreeMap, sync::Arc};

use bank::{
    founding::OPENING_CENTS,
    order::Order,
    transfer::{ATTEMPTS_MAX, Failure, carry_out},
};
use milepost_semantics::Preconditions;
use milepost_store::{
    Change, Operation, Store as _, Transaction, WriteError,
    embedded::{Embedded, Options},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::stage::{Bank, Meddled, MeddledStore, Step, rent};

/// Gives all orders at once; how many were answered with each status.
async fn at_once(bank: &Bank, orders: impl Iterator<Item = Value>) -> BTreeMap<u16, usize> {
    let mut given = JoinSet::new();
    for order in orders {
        let bank = bank.clone();
        given.spawn(async move { bank.order(&order).await.status });
    }
    let mut counts = BTreeMap::new();
    for status in given.join_all().await {
        *counts.entry(status).or_default() += 1;
    }
    counts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn orders_that_race_for_one_account_conserve_money_and_never_overdraw_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Embedded::open(folder.path(), Options::default()).unwrap();
    let bank = Bank::over(Arc::new(store)).await;
    let before: i64 = bank.balances().await.values().sum();
    // There is money for ten of them.
    let tenth = OPENING_CENTS / 10;
    let orders = (0..40).map(|n| {
        let mut order = rent(&format!("t-{n}"), tenth);
        order["to"] = (18 + n % 3).to_string().into();
        order
    });
    let counts = at_once(&bank, orders).await;
    assert_eq!(counts, BTreeMap::from([(201, 10), (422, 30)]));
    let balances = bank.balances().await;
    assert_eq!(balances["17"], 0);
    assert_eq!(balances.values().sum::<i64>(), before);
    assert_eq!(before, 0, "what customers have, the tills owe");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_order_sent_many_times_at_once_is_carried_out_once_and_never_refused() {
    let bank = Bank::open().await;
    for n in 0..20 {
        // All the money there is, back and forth: whoever looks late sees none.
        let mut order = rent(&format!("t-{n}"), OPENING_CENTS);
        if n % 2 == 1 {
            (order["from"], order["to"]) = ("18".into(), "17".into());
        }
        let orders = std::iter::repeat_n(order, 16);
        let counts = at_once(&bank, orders).await;
        assert_eq!(counts, BTreeMap::from([(200, 15), (201, 1)]), "round {n}");
    }
}

/// The write that an order, carried out by another process, makes of a freshly founded bank.
fn carried_out_elsewhere(order: &Order) -> Transaction {
    let euros = |balance: i64, amount: i64, counterparty: &str| json!({ "amount": amount, "currency": "EUR", "counterparty": counterparty, "balance": balance });
    let account = |owner: &str, balance: i64| json!({ "owner": owner, "kind": "customer", "currency": "EUR", "balance": balance });
    let (left, right) = (OPENING_CENTS - order.amount, OPENING_CENTS + order.amount);
    let values = [
        order.to_json(),
        account("Ada", left),
        account("Bob", right),
        euros(left, -order.amount, "18"),
        euros(right, order.amount, "17"),
    ];
    let keys = bank::transfer::keys(order).into_iter().zip(values);
    let operations = keys.map(|(key, value)| {
        let is_account = key.collection.as_str() == "accounts";
        Operation {
            key,
            preconditions: match is_account {
                true => Preconditions::if_match_any(),
                false => Preconditions::if_none_match_any(),
            },
            change: Change::Put(value.into()),
        }
    });
    Transaction::of(operations.collect())
}

#[tokio::test]
async fn a_repetition_that_overtakes_its_first_try_anywhere_is_answered_that_it_was_carried_out() {
    let order = Order::parse(&rent("t-1", OPENING_CENTS)).unwrap();
    // Before each of the three reads, and before the write.
    for moment in 0..4 {
        let first = order.clone();
        let store = MeddledStore::founded(Box::new(move |step| match step.number == moment {
            true => Meddled::After(carried_out_elsewhere(&first)),
            false => Meddled::GoOn,
        }))
        .await;
        let carried = carry_out(&store, &order).await;
        let carried = carried.unwrap_or_else(|failure| panic!("at {moment}: {failure:?}"));
        assert!(carried.is_repeated, "at {moment}");
    }
}

#[tokio::test]
async fn an_order_that_others_overtake_is_begun_anew_and_a_crowd_ends_with_503() {
    // Somebody changes the account before every write.
    let crowd = |step: &Step| {
        if !step.is_write {
            return Meddled::GoOn;
        }
        let balance = 1_000 + step.number;
        let account =
            json!({ "owner": "Ada", "kind": "customer", "currency": "EUR", "balance": balance });
        Meddled::After(Transaction::single(Operation {
            key: bank::account::account(&"17".parse().unwrap()),
            preconditions: Preconditions::if_match_any(),
            change: Change::Put(account.into()),
        }))
    };
    let store = Arc::new(MeddledStore::founded(Box::new(crowd)).await);
    let bank = Bank::over(store.clone()).await;
    let before = store.calls();
    let reply = bank.order(&rent("t-1", 5)).await;
    reply.is_problem(503, "overloaded");
    assert_eq!(reply.field("retry-after"), "1");
    // Three reads and a write each time.
    assert_eq!(store.calls() - before, ATTEMPTS_MAX as usize * 4);
    assert_eq!(bank.balances().await["18"], OPENING_CENTS);
}

#[tokio::test]
async fn whether_money_was_moved_is_never_made_up_where_the_store_does_not_know() {
    let order = Order::parse(&rent("t-1", 5)).unwrap();
    let store = MeddledStore::founded(Box::new(|step| match step.is_write {
        true => Meddled::Fail(WriteError::Poisoned),
        false => Meddled::GoOn,
    }))
    .await;
    let before = store.head();
    let carried = carry_out(&store, &order).await;
    assert!(matches!(carried, Err(Failure::Write(WriteError::Poisoned))));
    assert_eq!(store.head(), before);
}
