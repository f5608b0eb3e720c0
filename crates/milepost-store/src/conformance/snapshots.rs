//! Snapshots: a collection exactly as of a position, however much is written meanwhile.

use std::{collections::BTreeMap, sync::Arc};

use milepost_semantics::Position;
use serde_json::{Value, json};

use super::{
    Fixture,
    vocabulary::{
        EVERYTHING, all, below, committed, define, define_open, delete, filters, found, key, page,
        put, walk, written,
    },
};
use crate::{
    Cursor, IndexFilter, ListQuery, Listed, Operation, PageLimit, ParentPath, ResourceKey, Scope,
    Store,
};

/// What stands, by key: the model of a collection.
type Standing = BTreeMap<ResourceKey, Value>;

/// Accounts and their cards, both with an index that changes with every write.
async fn define_accounts(store: &Arc<dyn Store>) {
    let definition =
        json!({ "preconditions": "optional", "indexes": { "n": "/n", "even": "/even" } });
    define(store, "accounts", &definition).await;
    define(store, "accounts.cards", &definition).await;
}

/// A write that is different every time: of twelve accounts and as many cards of two of them.
fn step(number: u64, standing: &Standing) -> Option<Operation> {
    // The step of a linear congruential generator, its low bits left out: no two runs differ.
    let dice = number
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407)
        >> 33;
    let key = match dice % 3 {
        0 => below(
            &key("accounts", "a0"),
            "cards",
            &format!("c{}", dice / 3 % 12),
        ),
        1 => below(
            &key("accounts", "a00"),
            "cards",
            &format!("c{}", dice / 3 % 12),
        ),
        _ => key("accounts", &format!("a{}", 1 + dice / 3 % 12)),
    };
    let is_deleted = (dice / 64).is_multiple_of(4);
    if is_deleted {
        return standing.contains_key(&key).then(|| delete(&key));
    }
    let value = json!({ "n": number % 7, "even": number.is_multiple_of(2), "step": number });
    Some(put(&key, &value))
}

fn apply(standing: &mut Standing, operation: &Operation) {
    match &operation.change {
        crate::Change::Put(document) => {
            standing.insert(operation.key.clone(), document.value.clone())
        }
        _ => standing.remove(&operation.key),
    };
}

/// Makes steps `from..to`, and remembers what stood after each.
async fn make_steps(
    store: &Arc<dyn Store>,
    standing: &mut Standing,
    from: u64,
    to: u64,
) -> Vec<(Position, Standing)> {
    let mut remembered = Vec::new();
    for number in from..to {
        if let Some(operation) = step(number, standing) {
            apply(standing, &operation);
            let position = committed(store, vec![operation]).await.position;
            remembered.push((position, standing.clone()));
        }
    }
    remembered
}

async fn begin(store: &Arc<dyn Store>) -> Standing {
    define_accounts(store).await;
    let mut standing = Standing::new();
    for id in ["a0", "a00"] {
        let operation = put(&key("accounts", id), &json!({ "n": 0, "even": true }));
        apply(&mut standing, &operation);
        written(store, operation).await;
    }
    standing
}

/// The questions that a snapshot is asked, and what their answer is in a model.
fn questions() -> Vec<ListQuery> {
    let everywhere = Scope::Below(ParentPath::top());
    let of_one = Scope::Of(key("accounts", "a0").as_parent());
    let filtered: [Vec<IndexFilter>; 4] = [
        Vec::new(),
        filters(&[("n", &["3"])]),
        filters(&[("n", &["gte:2"]), ("even", &["true"])]),
        filters(&[("even", &["ne:true"])]),
    ];
    let mut questions = Vec::new();
    for filters in filtered {
        let of = |collection, scope: &Scope| ListQuery {
            scope: scope.clone(),
            filters: filters.clone(),
            ..all(collection)
        };
        questions.extend([
            of("accounts", &everywhere),
            of("accounts.cards", &everywhere),
            of("accounts.cards", &of_one),
        ]);
    }
    questions
}

fn is_meant(question: &ListQuery, key: &ResourceKey, value: &Value) -> bool {
    let of_index = |filter: &IndexFilter| {
        let member = milepost_semantics::index::IndexValue::from_json(value.get(&filter.index))
            .expect("a small value");
        filter.any_of.iter().any(|filter| filter.matches(&member))
    };
    key.collection == question.collection
        && question.scope.contains(&key.parent)
        && question.filters.iter().all(of_index)
}

fn shown(listed: &[Listed]) -> Standing {
    let entry = |listed: &Listed| {
        let body = listed
            .version
            .body
            .as_deref()
            .expect("no page shows a tombstone");
        (
            listed.key.clone(),
            serde_json::from_slice(body).expect("JSON"),
        )
    };
    listed.iter().map(entry).collect()
}

/// Asks everything of a snapshot, page by page, and compares with what stood then.
async fn is_shown(store: &Arc<dyn Store>, at: Position, standing: &Standing) {
    for question in questions() {
        let listed = walk(
            store,
            &ListQuery {
                at: Some(at),
                ..question.clone()
            },
            3,
        )
        .await;
        let mut expected = standing.clone();
        expected.retain(|key, value| is_meant(&question, key, value));
        assert_eq!(listed.len(), expected.len(), "at {at} of {question:?}");
        assert_eq!(shown(&listed), expected, "at {at} of {question:?}");
    }
}

/// At every position that ever was, and for every question, the answer is what stood then.
pub async fn every_retained_position_shows_what_stood_then<F: Fixture>() {
    let fixture = F::fresh().await;
    let mut standing = begin(fixture.store()).await;
    let remembered = make_steps(fixture.store(), &mut standing, 0, 150).await;
    let fixture = fixture.reopened().await;
    for (position, standing) in remembered.iter().step_by(7) {
        is_shown(fixture.store(), *position, standing).await;
    }
    let (position, standing) = remembered.last().expect("some steps");
    is_shown(fixture.store(), *position, standing).await;
}

/// A walk over many pages of one snapshot sees none of what is written between them.
pub async fn a_snapshot_walked_while_being_written_is_the_state_at_its_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let mut standing = begin(store).await;
    make_steps(store, &mut standing, 0, 60).await;
    let mut number = 60;
    for question in questions() {
        let then = standing.clone();
        let first = ListQuery {
            limit: PageLimit {
                items: 2,
                ..EVERYTHING
            },
            ..question.clone()
        };
        let mut shown_page = page(store, &first).await;
        let at = shown_page.position;
        let mut listed = shown_page.items;
        while let Some(after) = shown_page.next {
            make_steps(store, &mut standing, number, number + 5).await;
            number += 5;
            let next = ListQuery {
                at: Some(at),
                after: Some(after),
                ..first.clone()
            };
            shown_page = page(store, &next).await;
            assert_eq!(shown_page.position, at);
            listed.append(&mut shown_page.items);
        }
        let mut expected = then;
        expected.retain(|key, value| is_meant(&question, key, value));
        assert_eq!(shown(&listed), expected, "{question:?}");
        assert_eq!(listed.len(), expected.len());
    }
}

/// The same order now and at a position, so that the cursor of the first page goes on in the snapshot.
pub async fn a_listing_has_the_same_order_now_and_as_of_its_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let mut standing = begin(store).await;
    make_steps(store, &mut standing, 0, 80).await;
    for question in questions() {
        let now = page(store, &question).await;
        let then = page(
            store,
            &ListQuery {
                at: Some(now.position),
                ..question
            },
        )
        .await;
        let keys = |listed: &[Listed]| {
            listed
                .iter()
                .map(|listed| listed.key.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(keys(&now.items), keys(&then.items));
        let cursors: [Option<Cursor>; 2] = [now.next, then.next];
        assert_eq!(cursors, [None, None]);
    }
}

/// A resource as of a position is the version that stood then, or nothing, or its tombstone.
pub async fn a_resource_can_be_read_as_of_a_position<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    let one = key("things", "one");
    let before = store.head();
    let first = written(store, put(&one, &json!(1))).await;
    let between = written(store, put(&key("things", "two"), &json!(1))).await;
    let gone = written(store, delete(&one)).await;
    let again = written(store, put(&one, &json!(2))).await;
    let read = async |at: Position| {
        store
            .read(&one, Some(at))
            .await
            .expect("a retained position")
    };
    assert_eq!(read(before).await, None);
    assert_eq!(read(first.position).await.as_ref(), Some(&first));
    assert_eq!(read(between.position).await.as_ref(), Some(&first));
    assert_eq!(read(gone.position).await, Some(gone));
    assert_eq!(read(again.position).await, Some(again));
}

/// The head of a collection moves with its own changes only, and names its state now.
pub async fn the_head_of_a_collection_moves_with_its_own_changes<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_open(store, "things").await;
    define_open(store, "others").await;
    let made = written(store, put(&key("things", "one"), &json!(1))).await;
    for number in 0..5 {
        written(store, put(&key("others", "x"), &json!(number))).await;
    }
    let state = super::vocabulary::state(store, "things").await;
    assert_eq!(state.head, made.position);
    let at_head = ListQuery {
        at: Some(state.head),
        ..all("things")
    };
    assert_eq!(found(store, &at_head).await, ["one"]);
    let gone = written(store, delete(&key("things", "one"))).await;
    assert_eq!(
        super::vocabulary::state(store, "things").await.head,
        gone.position
    );
}
