//! How the bank begins: what it keeps is declared, accounts are opened, and money is paid in.
//!
//! Every step is one that may be repeated, so a bank that was killed while it was founded goes on
//! founding when it is started again, and one that stands stays as it is.

use milepost_semantics::Preconditions;
use milepost_store::{
    Change, CollectionPath, Operation, Outcome, ResourceKey, Store, Transaction, WriteError,
};
use serde_json::json;

use crate::{
    account::{self, Account, Kind},
    money::Cents,
    order::{Giver, Order},
    transfer,
};

/// The definitions, a parent before its children.
const DEFINITIONS: [(&str, &str); 3] = [
    ("accounts", include_str!("../definitions/accounts.json")),
    (
        "accounts.transactions",
        include_str!("../definitions/accounts.transactions.json"),
    ),
    ("transfers", include_str!("../definitions/transfers.json")),
];

/// The first customers: id, name, currency.
const CUSTOMERS: [(&str, &str, &str); 12] = [
    ("11", "Ida", "EUR"),
    ("12", "Ben", "EUR"),
    ("13", "Cleo", "EUR"),
    ("14", "Dan", "EUR"),
    ("15", "Eva", "EUR"),
    ("16", "Finn", "EUR"),
    ("17", "Ada", "EUR"),
    ("18", "Bob", "EUR"),
    ("19", "Gus", "EUR"),
    ("20", "Hana", "EUR"),
    ("21", "Jo", "USD"),
    ("22", "Kim", "USD"),
];

/// What each customer pays in.
pub const OPENING_CENTS: Cents = 100_000;

/// Why the bank can't be founded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FoundingError {
    /// The store can't be written.
    #[error("the store can't be written")]
    Write(#[from] WriteError),
    /// The store holds something else.
    #[error("the store doesn't take {what}: {why}")]
    Refused {
        /// What was to be written.
        what: String,
        /// What it said.
        why: String,
    },
}

/// Founds the bank, as far as it isn't yet.
///
/// # Errors
/// Where the store can't be written, or holds something else than a bank.
pub async fn found(store: &dyn Store) -> Result<(), FoundingError> {
    for (name, definition) in DEFINITIONS {
        define(store, name, definition).await?;
    }
    for currency in ["EUR", "USD"] {
        open(store, &till(currency), "the bank", Kind::Till, currency).await?;
    }
    for (id, owner, currency) in CUSTOMERS {
        open(store, id, owner, Kind::Customer, currency).await?;
        pay_in(store, id, currency).await?;
    }
    Ok(())
}

/// The account that money of a currency comes from and goes to outside.
fn till(currency: &str) -> String {
    format!("till-{}", currency.to_ascii_lowercase())
}

async fn define(store: &dyn Store, name: &str, definition: &str) -> Result<(), FoundingError> {
    let collection = CollectionPath::parse(name).expect("it is a name");
    let key = ResourceKey::definition(&collection).expect("it is short");
    let definition = serde_json::from_str(definition).expect("it is JSON");
    create(store, key, definition).await
}

async fn open(
    store: &dyn Store,
    id: &str,
    owner: &str,
    kind: Kind,
    currency: &str,
) -> Result<(), FoundingError> {
    let account = Account {
        owner: owner.to_owned(),
        kind,
        currency: currency.parse().expect("it is a code"),
        balance: 0,
    };
    let id = id.parse().expect("it is an id");
    create(store, account::account(&id), json!(account)).await
}

/// Creates a resource that isn't there; one that is stays as it is.
async fn create(
    store: &dyn Store,
    key: ResourceKey,
    value: serde_json::Value,
) -> Result<(), FoundingError> {
    let what = format!("{} {}", key.collection, key.id);
    let operation = Operation {
        key,
        preconditions: Preconditions::if_none_match_any(),
        change: Change::Put(value.into()),
    };
    match store.write(Transaction::single(operation)).await? {
        Outcome::Rejected(rejected) if !rejected.is_stale() => Err(FoundingError::Refused {
            what,
            why: format!("{:?}", rejected.failures),
        }),
        _ => Ok(()),
    }
}

/// A deposit is a transfer like any other.
async fn pay_in(store: &dyn Store, id: &str, currency: &str) -> Result<(), FoundingError> {
    let order = Order {
        giver: Giver::Bank,
        id: format!("opening-{id}").parse().expect("it is an id"),
        from: till(currency).parse().expect("it is an id"),
        to: id.parse().expect("it is an id"),
        amount: OPENING_CENTS,
        currency: currency.parse().expect("it is a code"),
        reference: Some("paid in".to_owned()),
    };
    match transfer::carry_out(store, &order).await {
        Ok(_) => Ok(()),
        Err(transfer::Failure::Write(error)) => Err(error.into()),
        Err(failure) => Err(FoundingError::Refused {
            what: format!("the transfer {}", order.id),
            why: format!("{failure:?}"),
        }),
    }
}
