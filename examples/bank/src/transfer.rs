//! Carrying an order out: one transaction, or nothing.
//!
//! # How it stays right without a lock
//!
//! Accounts are read, the [rule] decides, and one transaction writes five resources: the
//! transfer, both accounts, and an entry below each. Every write has its condition: an account must
//! still be the version that was read (`If-Match`), the transfer and its entries must not be there yet
//! (`If-None-Match: *`). The store judges all conditions where it writes. If somebody else was faster,
//! nothing was written, and it is begun anew, a bounded number of times.
//!
//! # How repeating stays safe
//!
//! The transfer stands under the id that the client chose, in the same transaction as the money moves.
//! So there is nothing else to remember: whoever sends an order again, to whatever process, finds the
//! transfer there. A refusal changes nothing and is not remembered: the same order may be sent again
//! when there is money.
//!
//! The accounts are read *before* the transfer is looked for. The other way round, an order that is
//! repeated while its first try is still being written might not find it yet, then read the balance that
//! it left, and be refused for want of the very money that it has moved.

use milepost_semantics::{Position, Preconditions, ResourceId};
use milepost_store::{
    Change, Operation, Outcome, ReadError, Rejected, ResourceKey, Store, Transaction, Version,
    WriteError,
};
use serde_json::{Value, json};

use crate::{
    account::{self, Account, Entry},
    money::Cents,
    order::Order,
    rule::{self, Objection},
};

/// How often an order is tried while others keep changing its accounts. Each time somebody's transfer
/// was made, so many in a row take a crowd; then the client is asked to come back.
pub const ATTEMPTS_MAX: u32 = 64;

/// A transfer that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
    /// The position of its commit: its entity tag.
    pub position: Position,
    /// Whether it stood before, and this order is a repetition.
    pub is_repeated: bool,
}

/// Why an order was not carried out. Nothing was changed.
#[derive(Debug)]
pub enum Failure {
    /// The accounts don't let it.
    Refused(Vec<Objection>),
    /// Another transfer stands under this id.
    IdTaken,
    /// Others were faster [`ATTEMPTS_MAX`] times.
    Crowded,
    /// The store doesn't take these writes.
    Rejected(Rejected),
    /// What stands there is no account.
    Unreadable(ResourceKey),
    /// The store can't be read.
    Read(ReadError),
    /// The store can't be written, or can't say whether it was.
    Write(WriteError),
}

/// Moves the money, unless that was done before.
///
/// # Errors
/// Why not: [`Failure`].
pub async fn carry_out(store: &dyn Store, order: &Order) -> Result<Carried, Failure> {
    for _ in 0..ATTEMPTS_MAX {
        let (from, from_unchanged) = read_account(store, &order.from).await?;
        let (to, to_unchanged) = read_account(store, &order.to).await?;
        if let Some((version, transfer)) = read(store, &account::transfer(&order.id)).await? {
            return repeated(order, &version, &transfer);
        }
        let after = rule::carried_out(order, from, to).map_err(Failure::Refused)?;
        let operations = operations(order, [from_unchanged, to_unchanged], &after);
        let written = store.write(Transaction::of(operations)).await;
        match written.map_err(Failure::Write)? {
            Outcome::Committed(committed) => {
                return Ok(Carried {
                    position: committed.position,
                    is_repeated: false,
                });
            }
            Outcome::Rejected(rejected) if rejected.is_stale() => {}
            Outcome::Rejected(rejected) => return Err(Failure::Rejected(rejected)),
            Outcome::Recorded(_) | Outcome::RecordMismatch => {
                unreachable!("no record was asked for")
            }
        }
    }
    Err(Failure::Crowded)
}

/// The resources of the transaction's operations, in their order.
#[must_use]
pub fn keys(order: &Order) -> [ResourceKey; 5] {
    let [from, to] = [&order.from, &order.to].map(account::account);
    let [from_entry, to_entry] = [&from, &to].map(|side| account::entry(side, &order.id));
    [account::transfer(&order.id), from, to, from_entry, to_entry]
}

/// An order whose id is taken: by itself, or by another.
fn repeated(order: &Order, version: &Version, transfer: &Value) -> Result<Carried, Failure> {
    if *transfer != order.to_json() {
        return Err(Failure::IdTaken);
    }
    Ok(Carried {
        position: version.position,
        is_repeated: true,
    })
}

/// What is written: `after` are both accounts as they are to be, where they are `unchanged` until then.
fn operations(
    order: &Order,
    unchanged: [Preconditions; 2],
    after: &[Account; 2],
) -> Vec<Operation> {
    let entry = |account: &Account, amount: Cents, counterparty: &ResourceId| Entry {
        amount,
        currency: order.currency.clone(),
        counterparty: counterparty.to_string(),
        balance: account.balance,
        reference: order.reference.clone(),
    };
    let [from, to] = after;
    let values = [
        order.to_json(),
        json!(from),
        json!(to),
        json!(entry(from, -order.amount, &order.to)),
        json!(entry(to, order.amount, &order.from)),
    ];
    let absent = Preconditions::if_none_match_any;
    let [from_unchanged, to_unchanged] = unchanged;
    let conditions = [absent(), from_unchanged, to_unchanged, absent(), absent()];
    let writes = keys(order).into_iter().zip(conditions).zip(values);
    writes
        .map(|((key, preconditions), value)| Operation {
            key,
            preconditions,
            change: Change::Put(value.into()),
        })
        .collect()
}

/// An account, and the condition that it is still the version that was read.
async fn read_account(
    store: &dyn Store,
    id: &ResourceId,
) -> Result<(Option<Account>, Preconditions), Failure> {
    let key = account::account(id);
    let Some((version, value)) = read(store, &key).await? else {
        return Ok((None, Preconditions::if_none_match_any()));
    };
    let unchanged = Preconditions::if_match(version.entity_tag());
    match serde_json::from_value(value) {
        Ok(account) => Ok((Some(account), unchanged)),
        Err(_) => Err(Failure::Unreadable(key)),
    }
}

/// A resource as it stands; `None` where it doesn't, or does no longer.
async fn read(store: &dyn Store, key: &ResourceKey) -> Result<Option<(Version, Value)>, Failure> {
    let version = store.read(key, None).await.map_err(Failure::Read)?;
    let Some(version) = version.filter(|version| !version.is_deleted()) else {
        return Ok(None);
    };
    let body = version.body.as_deref().unwrap_or_default();
    match serde_json::from_slice(body) {
        Ok(value) => Ok(Some((version, value))),
        Err(_) => Err(Failure::Unreadable(key.clone())),
    }
}
