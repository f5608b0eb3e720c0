//! What the bank keeps, as it stands in the store: accounts, and the entries below them.
//!
//! `definitions/` says the same as JSON Schema, which the store holds every write to.

use milepost_semantics::ResourceId;
use milepost_store::{CollectionPath, ResourceKey};
use serde::{Deserialize, Serialize};

use crate::money::{Cents, Currency};

/// `/v1/accounts/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Whose it is.
    pub owner: String,
    /// What it is for.
    pub kind: Kind,
    /// What it is kept in.
    pub currency: Currency,
    /// What its entries add up to.
    pub balance: Cents,
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somebody's: never below zero.
    Customer,
    /// The bank's own, where money comes from and goes to outside: as far below zero as customers
    /// together are above it.
    Till,
}

/// `/v1/accounts/{id}/transactions/{transfer}`: one side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What came, or, below zero, went.
    pub amount: Cents,
    /// In which currency.
    pub currency: Currency,
    /// The account of the other side.
    pub counterparty: String,
    /// The account's balance with this entry.
    pub balance: Cents,
    /// What whoever ordered the transfer wanted both sides to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// Where an account stands.
#[must_use]
pub fn account(id: &ResourceId) -> ResourceKey {
    ResourceKey::top(collection("accounts"), id.clone())
}

/// Where an account's side of a transfer stands.
#[must_use]
pub fn entry(account: &ResourceKey, transfer: &ResourceId) -> ResourceKey {
    ResourceKey {
        collection: collection("accounts.transactions"),
        parent: account.as_parent(),
        id: transfer.clone(),
    }
}

/// Where a transfer stands.
#[must_use]
pub fn transfer(id: &ResourceId) -> ResourceKey {
    ResourceKey::top(collection("transfers"), id.clone())
}

fn collection(name: &str) -> CollectionPath {
    CollectionPath::parse(name).expect("the names above are names")
}
