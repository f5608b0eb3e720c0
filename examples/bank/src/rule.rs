//! The bank's rule, as a pure function: what a transfer makes of two accounts, or why it may not be.
//!
//! Nothing is read or written here, so all of it can be tested without a store.

use milepost_semantics::ResourceId;

use crate::{
    account::{Account, Kind},
    money::{BALANCE_CENTS_MAX, Cents, Money},
    order::{Giver, Order},
};

/// An account that doesn't let a transfer be made, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// Which account.
    pub account: ResourceId,
    /// The status that this objection alone would be answered with.
    pub status: u16,
    /// What is wrong, for people.
    pub detail: String,
}

/// Both accounts after the transfer, the one that pays first. `None`: there is no such account.
///
/// # Errors
/// Every objection of either account.
pub fn carried_out(
    order: &Order,
    from: Option<Account>,
    to: Option<Account>,
) -> Result<[Account; 2], Vec<Objection>> {
    let sides = [
        (&order.from, from, -order.amount),
        (&order.to, to, order.amount),
    ];
    let mut objections = Vec::new();
    let after = sides.map(|(id, before, amount)| {
        changed(order, before, amount)
            .map_err(|(status, detail)| {
                objections.push(Objection {
                    account: id.clone(),
                    status,
                    detail: format!("account {id} {detail}"),
                });
            })
            .ok()
    });
    match after {
        [Some(from), Some(to)] => Ok([from, to]),
        _ => Err(objections),
    }
}

fn changed(
    order: &Order,
    before: Option<Account>,
    amount: Cents,
) -> Result<Account, (u16, String)> {
    let before = before.ok_or((404, "does not exist".to_owned()))?;
    if amount < 0 && before.kind == Kind::Till && order.giver == Giver::Client {
        return Err((
            403,
            "is the bank's own: nobody else pays from it".to_owned(),
        ));
    }
    if before.currency != order.currency {
        let currency = &before.currency;
        return Err((
            422,
            format!("is kept in {currency}, not {}", order.currency),
        ));
    }
    let held = Money(before.balance, &before.currency);
    let balance = before.balance.checked_add(amount);
    let Some(balance) = balance.filter(|balance| balance.abs() <= BALANCE_CENTS_MAX) else {
        return Err((
            422,
            format!("holds {held}, and no balance may be that large"),
        ));
    };
    if balance < 0 && before.kind == Kind::Customer {
        let asked = Money(order.amount, &order.currency);
        return Err((422, format!("holds {held}, too little for {asked}")));
    }
    Ok(Account { balance, ..before })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(kind: Kind, balance: Cents) -> Account {
        Account {
            owner: "Ada".to_owned(),
            kind,
            currency: "EUR".parse().unwrap(),
            balance,
        }
    }

    fn order(amount: Cents) -> Order {
        Order {
            giver: Giver::Bank,
            id: "t-1".parse().unwrap(),
            from: "17".parse().unwrap(),
            to: "18".parse().unwrap(),
            amount,
            currency: "EUR".parse().unwrap(),
            reference: None,
        }
    }

    fn refused(order: &Order, from: Option<Account>, to: Option<Account>) -> Vec<(String, u16)> {
        let objections = carried_out(order, from, to).unwrap_err();
        let told = objections.into_iter();
        told.map(|objection| (objection.account.to_string(), objection.status))
            .collect()
    }

    #[test]
    fn what_one_account_loses_the_other_gains() {
        let both = [500, 20].map(|balance| Some(account(Kind::Customer, balance)));
        let [from, to] = both;
        let [from, to] = carried_out(&order(500), from, to).unwrap();
        assert_eq!((from.balance, to.balance), (0, 520));
    }

    #[test]
    fn a_customer_s_account_is_never_overdrawn_and_the_till_may_be() {
        let to = || Some(account(Kind::Customer, 0));
        let from = |kind| Some(account(kind, 499));
        let objections = refused(&order(500), from(Kind::Customer), to());
        assert_eq!(objections, [("17".to_owned(), 422)]);
        let [till, _] = carried_out(&order(500), from(Kind::Till), to()).unwrap();
        assert_eq!(till.balance, -1);
    }

    #[test]
    fn nobody_but_the_bank_pays_out_of_its_till_and_everybody_may_pay_into_it() {
        let order = Order {
            giver: Giver::Client,
            ..order(5)
        };
        let till = || Some(account(Kind::Till, -500));
        let customer = || Some(account(Kind::Customer, 500));
        assert_eq!(
            refused(&order, till(), customer()),
            [("17".to_owned(), 403)]
        );
        assert!(carried_out(&order, customer(), till()).is_ok());
    }

    #[test]
    fn every_objection_of_either_side_is_told() {
        let dollars = Account {
            currency: "USD".parse().unwrap(),
            ..account(Kind::Customer, 0)
        };
        let objections = refused(&order(1), None, Some(dollars));
        assert_eq!(objections, [("17".to_owned(), 404), ("18".to_owned(), 422)]);
    }

    #[test]
    fn no_balance_leaves_what_json_carries_exactly() {
        let rich = |more| Some(account(Kind::Customer, BALANCE_CENTS_MAX - more));
        let till = |balance| Some(account(Kind::Till, balance));
        assert!(carried_out(&order(5), till(0), rich(5)).is_ok());
        assert_eq!(
            refused(&order(5), till(0), rich(4)),
            [("18".to_owned(), 422)]
        );
        let deep = till(4 - BALANCE_CENTS_MAX);
        assert_eq!(refused(&order(5), deep, rich(5)), [("17".to_owned(), 422)]);
    }
}
