//! Listings of child collections: of one parent, or across them.

use std::sync::Arc;

use serde_json::json;

use super::{
    Fixture,
    vocabulary::{all, below, committed, define, define_open, filters, key, page, put, sort, walk},
};
use crate::{ListQuery, Listed, ParentPath, Scope, Store};

const EVERYTHING: [&str; 6] = ["1/c/u1", "1/c/u2", "17/c/u1", "17/c/u2", "2/c/u1", "2/c/u2"];

/// Accounts 17, 1 and 2 with a card each, and two uses of each card, numbered as their account is.
async fn define_uses(store: &Arc<dyn Store>) {
    define_open(store, "accounts").await;
    define_open(store, "accounts.cards").await;
    let definition = json!({ "preconditions": "optional", "indexes": { "n": "/n" } });
    define(store, "accounts.cards.uses", &definition).await;
    let mut operations = Vec::new();
    for number in [17, 1, 2] {
        let account = key("accounts", &number.to_string());
        let card = below(&account, "cards", "c");
        operations.extend([put(&account, &json!(1)), put(&card, &json!(1))]);
        for id in ["u1", "u2"] {
            operations.push(put(&below(&card, "uses", id), &json!({ "n": number })));
        }
    }
    committed(store, operations).await;
}

fn within(scope: Scope) -> ListQuery {
    ListQuery {
        scope,
        ..all("accounts.cards.uses")
    }
}

fn names(listed: &[Listed]) -> Vec<String> {
    listed
        .iter()
        .map(|listed| format!("{:?}/{}", listed.key.parent, listed.key.id))
        .collect()
}

async fn found(store: &Arc<dyn Store>, question: &ListQuery) -> Vec<String> {
    names(&page(store, question).await.items)
}

/// The children of one parent, those below one, or all: by parent, then by id.
pub async fn a_scope_shows_one_parents_children_or_all<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_uses(store).await;
    let one = key("accounts", "1");
    assert_eq!(
        found(store, &within(Scope::Below(ParentPath::top()))).await,
        EVERYTHING
    );
    let of_account = within(Scope::Below(one.as_parent()));
    assert_eq!(found(store, &of_account).await, ["1/c/u1", "1/c/u2"]);
    let of_card = within(Scope::Of(below(&one, "cards", "c").as_parent()));
    assert_eq!(found(store, &of_card).await, ["1/c/u1", "1/c/u2"]);
    assert!(
        found(store, &within(Scope::Of(one.as_parent())))
            .await
            .is_empty()
    );
    assert!(
        found(store, &within(Scope::Of(ParentPath::top())))
            .await
            .is_empty()
    );
}

/// Filters, sorts and pages mean within a scope what they mean anywhere.
pub async fn a_scope_can_be_filtered_sorted_and_paged<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_uses(store).await;
    let everywhere = within(Scope::Below(ParentPath::top()));
    let sorted = ListQuery {
        sort: sort(&["-n"]),
        ..everywhere.clone()
    };
    let backwards = ["17/c/u2", "17/c/u1", "2/c/u2", "2/c/u1", "1/c/u2", "1/c/u1"];
    assert_eq!(found(store, &sorted).await, backwards);
    let of_account = within(Scope::Below(key("accounts", "1").as_parent()));
    let of_two = ListQuery {
        filters: filters(&[("n", &["2", "17"])]),
        ..everywhere.clone()
    };
    assert_eq!(
        found(store, &of_two).await,
        ["2/c/u1", "2/c/u2", "17/c/u1", "17/c/u2"]
    );
    for question in [everywhere, sorted, of_account, of_two] {
        let whole = found(store, &question).await;
        for items in 1..=whole.len() {
            assert_eq!(names(&walk(store, &question, items).await), whole);
        }
    }
    let elsewhere = within(Scope::Below(key("accounts", "17").as_parent()));
    let none = ListQuery {
        filters: filters(&[("n", &["2"])]),
        ..elsewhere
    };
    assert!(found(store, &none).await.is_empty());
}
