//! The arithmetic of the books: what entries add up to, and whether they may stand as they do.
//!
//! Pure: where entries come from is [`crate::books`]'s.

use std::collections::BTreeMap;

use milepost_semantics::ResourceId;

use crate::{
    account::{Account, Entry},
    money::{Cents, Currency, Money},
    order::Order,
};

/// Every entry of the bank, by transfer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    transfers: BTreeMap<String, Vec<(String, Entry)>>,
}

/// What is wrong with the books.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Discrepancy {
    /// What stands there is no entry.
    #[error("{key} is no entry: {why}")]
    NoEntry {
        /// Which.
        key: String,
        /// What is wrong with it.
        why: String,
    },
    /// A transfer isn't two entries, one each way, that add up to nothing.
    #[error("transfer {transfer} is not two sides of the same amount")]
    OneSided {
        /// Which.
        transfer: String,
    },
    /// An account's balance isn't what its entries add up to.
    #[error("account {account} has {balance}, its entries add up to {sum}")]
    Balance {
        /// Which.
        account: String,
        /// What it has.
        balance: String,
        /// What it should have.
        sum: String,
    },
    /// Entries of an account that doesn't exist.
    #[error("there are entries of account {account}, which does not exist")]
    NoAccount {
        /// Which.
        account: String,
    },
    /// A transfer that was acknowledged isn't there, or with other terms.
    #[error("transfer {transfer} was acknowledged, and is not in the books as it was ordered")]
    Lost {
        /// Which.
        transfer: String,
    },
    /// A transfer is there that nobody was told of.
    #[error("transfer {transfer} is in the books, and was not acknowledged")]
    Unasked {
        /// Which.
        transfer: String,
    },
}

impl Ledger {
    /// Takes in an entry: `key` is where it stands below `/v1/accounts/`, `17/transactions/t-1`.
    ///
    /// # Errors
    /// [`Discrepancy::NoEntry`].
    pub fn enter(&mut self, key: &str, value: &str) -> Result<(), Discrepancy> {
        let no_entry = |why: &str| Discrepancy::NoEntry {
            key: key.to_owned(),
            why: why.to_owned(),
        };
        let (account, transfer) = key
            .split_once("/transactions/")
            .ok_or_else(|| no_entry("it is not below an account"))?;
        let entry = serde_json::from_str(value).map_err(|error| no_entry(&error.to_string()))?;
        let sides = self.transfers.entry(transfer.to_owned()).or_default();
        sides.push((account.to_owned(), entry));
        Ok(())
    }

    /// How many transfers there are.
    #[must_use]
    pub fn transfers(&self) -> usize {
        self.transfers.len()
    }

    /// How many entries there are.
    #[must_use]
    pub fn entries(&self) -> usize {
        self.transfers.values().map(Vec::len).sum()
    }

    /// How many entries an account has.
    #[must_use]
    pub fn entries_of(&self, account: &str) -> usize {
        let entries = self.transfers.values().flatten();
        entries.filter(|(id, _)| id == account).count()
    }

    /// What all entries together add up to, in cents: nothing, as long as no money is made or lost.
    #[must_use]
    pub fn sum(&self) -> i128 {
        let entries = self.transfers.values().flatten();
        entries.map(|(_, entry)| i128::from(entry.amount)).sum()
    }

    /// Double entry: every transfer has two sides, which name each other and add up to nothing.
    ///
    /// # Errors
    /// The first transfer that hasn't: [`Discrepancy::OneSided`].
    pub fn check_double_entry(&self) -> Result<(), Discrepancy> {
        for (transfer, sides) in &self.transfers {
            let is_balanced = match &**sides {
                [(one, first), (other, second)] => {
                    one != other
                        && first.counterparty == *other
                        && second.counterparty == *one
                        && first.currency == second.currency
                        && first.amount.checked_add(second.amount) == Some(0)
                }
                _ => false,
            };
            if !is_balanced {
                let transfer = transfer.clone();
                return Err(Discrepancy::OneSided { transfer });
            }
        }
        Ok(())
    }

    /// Reconciles: every account's balance is what its entries add up to, to the cent.
    ///
    /// # Errors
    /// The first account whose isn't: [`Discrepancy::Balance`], [`Discrepancy::NoAccount`].
    pub fn reconcile(&self, accounts: &BTreeMap<String, Account>) -> Result<(), Discrepancy> {
        let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
        for (account, entry) in self.transfers.values().flatten() {
            *sums.entry(account).or_default() += i128::from(entry.amount);
        }
        for (id, account) in accounts {
            let sum = sums.remove(&**id).unwrap_or_default();
            if sum != i128::from(account.balance) {
                return Err(Discrepancy::Balance {
                    account: id.clone(),
                    balance: Money(account.balance, &account.currency).to_string(),
                    sum: format!("{sum} cents"),
                });
            }
        }
        match sums.keys().next() {
            None => Ok(()),
            Some(account) => Err(Discrepancy::NoAccount {
                account: (*account).to_owned(),
            }),
        }
    }

    /// Every order that was acknowledged is in the books exactly once, as it was ordered, and nothing
    /// else is that was ordered by these clients: transfers whose ids `is_theirs` says yes to.
    ///
    /// # Errors
    /// The first that is missing or different, or that nobody was told of.
    pub fn check_acknowledged(
        &self,
        acknowledged: &[Order],
        is_theirs: impl Fn(&str) -> bool,
    ) -> Result<(), Discrepancy> {
        let mut unasked: BTreeMap<&String, _> = self.transfers.iter().collect();
        unasked.retain(|transfer, _| is_theirs(transfer));
        for order in acknowledged {
            let transfer = order.id.to_string();
            // Taken out, so that an order that is acknowledged twice is found, too.
            let sides = unasked.remove(&transfer);
            if !sides.is_some_and(|sides| are_of(order, sides)) {
                return Err(Discrepancy::Lost { transfer });
            }
        }
        match unasked.keys().next() {
            None => Ok(()),
            Some(transfer) => Err(Discrepancy::Unasked {
                transfer: (*transfer).clone(),
            }),
        }
    }
}

/// Whether these are the two sides of the order.
fn are_of(order: &Order, sides: &[(String, Entry)]) -> bool {
    let stands = |account: &ResourceId, amount: Cents| {
        let of_account = sides.iter().filter(|(id, _)| id == account.as_str());
        let amounts: Vec<(Cents, &Currency)> = of_account
            .map(|(_, entry)| (entry.amount, &entry.currency))
            .collect();
        amounts == [(amount, &order.currency)]
    };
    sides.len() == 2 && stands(&order.from, -order.amount) && stands(&order.to, order.amount)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn side(amount: Cents, counterparty: &str) -> Value {
        json!({ "amount": amount, "currency": "EUR", "counterparty": counterparty, "balance": 0 })
    }

    fn ledger(entries: &[(&str, Value)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (key, value) in entries {
            ledger.enter(key, &value.to_string()).unwrap();
        }
        ledger
    }

    fn rent() -> Ledger {
        ledger(&[
            ("17/transactions/t-1", side(-500, "18")),
            ("18/transactions/t-1", side(500, "17")),
        ])
    }

    fn order(id: &str, amount: Cents) -> Order {
        let document =
            json!({ "id": id, "from": "17", "to": "18", "amount": amount, "currency": "EUR" });
        Order::parse(&document).unwrap()
    }

    fn accounts(balances: &[(&str, Cents)]) -> BTreeMap<String, Account> {
        let account = |balance: Cents| json!({ "owner": "Ada", "kind": "till", "currency": "EUR", "balance": balance });
        let accounts = balances.iter();
        accounts
            .map(|(id, balance)| {
                let account = serde_json::from_value(account(*balance)).unwrap();
                ((*id).to_owned(), account)
            })
            .collect()
    }

    #[test]
    fn a_transfer_with_one_side_or_sides_that_differ_is_found() {
        assert_eq!(rent().check_double_entry(), Ok(()));
        for other in [
            ("18/transactions/t-2", side(500, "17")),
            ("18/transactions/t-1", side(499, "17")),
            ("18/transactions/t-1", side(500, "19")),
            ("17/transactions/t-1", side(500, "17")),
        ] {
            let entries = [("17/transactions/t-1", side(-500, "18")), other];
            let transfer = "t-1".to_owned();
            let found = ledger(&entries).check_double_entry();
            assert_eq!(found, Err(Discrepancy::OneSided { transfer }));
        }
    }

    #[test]
    fn a_cent_too_much_or_too_little_is_found() {
        let books = rent();
        assert_eq!(
            books.reconcile(&accounts(&[("17", -500), ("18", 500), ("19", 0)])),
            Ok(())
        );
        for wrong in [
            [("17", -500), ("18", 501)],
            [("17", -499), ("18", 500)],
            [("17", -500), ("19", 0)],
        ] {
            assert!(books.reconcile(&accounts(&wrong)).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_acknowledged_transfer_that_is_lost_changed_or_doubled_is_found() {
        let books = rent();
        let all = |_: &str| true;
        let rent = || order("t-1", 500);
        assert_eq!(books.check_acknowledged(&[rent()], all), Ok(()));
        let lost = |id: &str| {
            Err(Discrepancy::Lost {
                transfer: id.to_owned(),
            })
        };
        let twice = [rent(), rent()];
        assert_eq!(books.check_acknowledged(&twice, all), lost("t-1"));
        assert_eq!(
            books.check_acknowledged(&[order("t-1", 501)], all),
            lost("t-1")
        );
        assert_eq!(
            books.check_acknowledged(&[rent(), order("t-2", 1)], all),
            lost("t-2")
        );
        let unasked = Err(Discrepancy::Unasked {
            transfer: "t-1".to_owned(),
        });
        assert_eq!(books.check_acknowledged(&[], all), unasked);
        assert_eq!(books.check_acknowledged(&[], |_| false), Ok(()));
    }

    #[test]
    fn what_is_no_entry_is_told_with_its_place() {
        let mut ledger = Ledger::default();
        assert!(ledger.enter("17", "{}").is_err());
        assert!(ledger.enter("17/transactions/t-1", "{}").is_err());
    }
}
