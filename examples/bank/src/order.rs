//! An order to move money, as a client sends it and as it stands at `/v1/transfers/{id}`.
//!
//! What is wrong with one by itself is found here, all at once; what the accounts say to it is
//! [`crate::rule`]'s.

use std::str::FromStr;

use milepost_semantics::{Issue, ResourceId, problem::Part};
use serde_json::{Map, Value, json};

use crate::money::{AMOUNT_CENTS_MAX, Cents, Currency};

/// The longest reference, in characters.
pub const REFERENCE_CHARS_MAX: usize = 140;

/// Who gives an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giver {
    /// Whoever can reach the bank.
    Client,
    /// The bank itself, which alone pays out of its tills.
    Bank,
}

/// So much from one account to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Who gives it; no document says so.
    pub giver: Giver,
    /// The transfer's id, which the client chose: the same id is the same transfer, however often it
    /// is sent.
    pub id: ResourceId,
    /// The account that pays.
    pub from: ResourceId,
    /// The account that is paid; another one.
    pub to: ResourceId,
    /// From 1 to [`AMOUNT_CENTS_MAX`].
    pub amount: Cents,
    /// What both accounts are kept in.
    pub currency: Currency,
    /// What both sides are to read, at most [`REFERENCE_CHARS_MAX`] characters.
    pub reference: Option<String>,
}

impl Order {
    /// Reads a client's order.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(document: &Value) -> Result<Self, Vec<Issue>> {
        let Some(members) = document.as_object() else {
            return Err(vec![Issue::new(Part::Body, "", "must be a JSON object")]);
        };
        let mut reader = Reader {
            members,
            issues: Vec::new(),
        };
        let id = reader.parsed::<ResourceId>("id");
        let from = reader.parsed::<ResourceId>("from");
        let to = reader.parsed("to").filter(|to| reader.is_other(&from, to));
        let amount = reader.amount();
        let currency = reader.parsed("currency");
        let reference = reader.reference();
        reader.refuse_unknown(&["id", "from", "to", "amount", "currency", "reference"]);
        match (id, from, to, amount, currency) {
            (Some(id), Some(from), Some(to), Some(amount), Some(currency))
                if reader.issues.is_empty() =>
            {
                Ok(Self {
                    giver: Giver::Client,
                    id,
                    from,
                    to,
                    amount,
                    currency,
                    reference,
                })
            }
            _ => Err(reader.issues),
        }
    }

    /// The order as it stands at its own URL: without its id, which the URL tells.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = json!({
            "from": self.from.as_str(),
            "to": self.to.as_str(),
            "amount": self.amount,
            "currency": self.currency,
        });
        if let (Some(reference), Some(members)) = (&self.reference, document.as_object_mut()) {
            members.insert("reference".to_owned(), reference.as_str().into());
        }
        document
    }
}

/// Reads members, and notes what is wrong with them.
struct Reader<'d> {
    members: &'d Map<String, Value>,
    issues: Vec<Issue>,
}

impl Reader<'_> {
    fn parsed<T: FromStr<Err: ToString>>(&mut self, name: &str) -> Option<T> {
        let text = self.members.get(name).and_then(Value::as_str);
        let parsed = match text {
            Some(text) => text.parse().map_err(|error: T::Err| error.to_string()),
            None => Err("must be there, as a string".to_owned()),
        };
        parsed.map_err(|detail| self.note(name, detail)).ok()
    }

    fn is_other(&mut self, from: &Option<ResourceId>, to: &ResourceId) -> bool {
        let is_other = from.as_ref() != Some(to);
        if !is_other {
            self.note("to", "must be another account than \"from\"");
        }
        is_other
    }

    fn amount(&mut self) -> Option<Cents> {
        let amount = self.members.get("amount").and_then(Value::as_i64);
        let amount = amount.filter(|amount| (1..=AMOUNT_CENTS_MAX).contains(amount));
        if amount.is_none() {
            let detail = format!("must be a whole number of cents, from 1 to {AMOUNT_CENTS_MAX}");
            self.note("amount", detail);
        }
        amount
    }

    fn reference(&mut self) -> Option<String> {
        let given = self.members.get("reference")?;
        let text = given.as_str();
        let text = text.filter(|text| text.chars().count() <= REFERENCE_CHARS_MAX);
        if text.is_none() {
            let detail = format!("must be a string of at most {REFERENCE_CHARS_MAX} characters");
            self.note("reference", detail);
        }
        text.map(str::to_owned)
    }

    /// A misspelt member would otherwise be silently without effect.
    fn refuse_unknown(&mut self, known: &[&str]) {
        let members = self.members;
        for name in members.keys().filter(|name| !known.contains(&&***name)) {
            self.note(name, format!("is unknown; there are {}", known.join(", ")));
        }
    }

    fn note(&mut self, name: &str, detail: impl Into<String>) {
        let issue = Issue::new(Part::Body, format!("/{name}"), detail);
        self.issues.push(match self.members.get(name) {
            Some(value) => issue.with_value(value.clone()),
            None => issue,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        json!({ "id": "t-1", "from": "17", "to": "18", "amount": 500, "currency": "EUR" })
    }

    fn wrong(document: &Value) -> Vec<String> {
        let issues = Order::parse(document).unwrap_err();
        issues.into_iter().map(|issue| issue.name).collect()
    }

    #[test]
    fn an_order_is_read_and_written_as_the_same() {
        let mut document = document();
        document["reference"] = "rent".into();
        let order = Order::parse(&document).unwrap();
        assert_eq!(order.id.as_str(), "t-1");
        document.as_object_mut().unwrap().shift_remove("id");
        assert_eq!(order.to_json(), document);
    }

    #[test]
    fn only_whole_amounts_within_bounds_are_moved() {
        for amount in [
            "0",
            "-1",
            "1.5",
            "1e2",
            "100000000001",
            "9223372036854775808",
            "1e999",
            "\"5\"",
            "null",
        ] {
            let mut document = document();
            document["amount"] = serde_json::from_str(amount).unwrap();
            assert_eq!(wrong(&document), ["/amount"], "{amount}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let document =
            json!({ "id": "a/b", "from": "17", "to": "17", "currency": "euro", "memo": 1 });
        assert_eq!(
            wrong(&document),
            ["/id", "/to", "/amount", "/currency", "/memo"]
        );
        assert_eq!(wrong(&json!([])), [""]);
        assert_eq!(wrong(&json!({})).len(), 5);
    }

    #[test]
    fn a_reference_is_bounded_by_what_its_readers_see() {
        let mut document = document();
        document["reference"] = "é".repeat(REFERENCE_CHARS_MAX).into();
        assert!(Order::parse(&document).is_ok());
        document["reference"] = "é".repeat(REFERENCE_CHARS_MAX + 1).into();
        assert_eq!(wrong(&document), ["/reference"]);
    }
}
