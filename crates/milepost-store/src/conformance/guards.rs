//! Promises about transactions that carry a guard: rules are asked inside the storage transaction, and what may
//! not be read isn't there.
//!
//! The guards here know no language: a document says of itself who may read (`"readers"`) and who may write it
//! (`"owner"`).

use std::sync::Arc;

use milepost_semantics::{Position, precondition::Condition};
use serde_json::{Value, json};

use super::{
    Fixture,
    vocabulary::{When, below, body, check, define, delete, key, merge_patch, put, written},
};
use crate::{
    Definition, Effect, Failure, Guard, Operation, Outcome, Proposed, ResourceKey, Sighted, Store,
    Transaction, Violation,
};

/// Judges for somebody of this name.
#[derive(Debug)]
struct For(&'static str);

impl For {
    fn is_in(&self, member: &str, body: &[u8]) -> bool {
        let value: Value = serde_json::from_slice(body).expect("JSON");
        value
            .get(member)
            .and_then(Value::as_str)
            .is_some_and(|names| names.contains(self.0))
    }
}

impl Guard for For {
    fn may_read(&self, sighted: &Sighted<'_>) -> bool {
        self.is_in("readers", sighted.body)
    }

    fn may_write(&self, proposed: &Proposed<'_>) -> bool {
        let both = [proposed.before, proposed.after];
        both.into_iter()
            .flatten()
            .all(|body| self.is_in("owner", body))
    }

    fn review(&self, definition: &Definition) -> Vec<Violation> {
        let wrong = definition
            .rules
            .iter()
            .filter(|rules| rules.read == "wrong");
        let violation = |_| Violation {
            pointer: "/rules/read".to_owned(),
            detail: "is wrong".to_owned(),
        };
        wrong.map(violation).collect()
    }
}

async fn tried(
    store: &Arc<dyn Store>,
    who: &'static str,
    operation: Operation,
) -> Result<Effect, Failure> {
    let transaction = Transaction::single(operation).guarded(Arc::new(For(who)));
    match store.write(transaction).await.expect("storage that works") {
        Outcome::Committed(committed) => Ok(committed.applied.first().expect("one").effect),
        Outcome::Rejected(rejected) => {
            let first = rejected.failures.into_iter().next();
            Err(first.expect("a failure").1)
        }
        other => panic!("an outcome was expected, but: {other:?}"),
    }
}

/// A failure without what it quotes, and without the resource's name.
fn shape(tried: &Result<Effect, Failure>) -> String {
    format!("{tried:?}").replace("hidden", "absent")
}

async fn define_ruled(store: &Arc<dyn Store>) {
    let rules = json!({ "default": "whatever" });
    let conditions = json!({ "preconditions": "optional", "rules": rules });
    define(store, "notes", &conditions).await;
    define(store, "notes.remarks", &json!({})).await;
}

fn of(owner: &str, readers: &str) -> Value {
    json!({ "owner": owner, "readers": readers })
}

fn note(id: &str) -> ResourceKey {
    key("notes", id)
}

/// A write is judged by what stands at that moment and what would stand.
pub async fn a_guard_is_asked_of_what_stands_and_what_would_stand<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_ruled(store).await;
    let n1 = note("n1");
    let refused = tried(store, "ada", put(&n1, &of("bob", "ada bob"))).await;
    assert!(matches!(refused, Err(Failure::Forbidden)), "{refused:?}");
    let made = tried(store, "ada", put(&n1, &of("ada", "ada bob"))).await;
    assert_eq!(made.expect("it is hers"), Effect::Created);
    let stolen = tried(store, "bob", put(&n1, &of("bob", "ada bob"))).await;
    assert!(matches!(stolen, Err(Failure::Forbidden)), "{stolen:?}");
    let given = tried(store, "ada", merge_patch(&n1, json!({ "owner": "bob" }))).await;
    assert!(matches!(given, Err(Failure::Forbidden)), "{given:?}");
    let gone = tried(store, "bob", delete(&n1)).await;
    assert!(matches!(gone, Err(Failure::Forbidden)), "{gone:?}");
    let gone = tried(store, "ada", delete(&n1)).await;
    assert_eq!(gone.expect("it is hers"), Effect::Deleted);
}

/// Whatever is tried with something that may not be read, the answer is that to something that isn't there.
pub async fn what_may_not_be_read_is_not_there<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_ruled(store).await;
    let hidden = written(store, put(&note("hidden"), &of("ada", "ada"))).await;
    let deleted = written(store, put(&note("deleted"), &of("ada", "ada"))).await;
    written(store, delete(&note("deleted"))).await;
    let conditioned = |operation: Operation| {
        let tag = |position: Position| operation.clone().if_match(position);
        [
            operation.clone(),
            tag(hidden.position),
            tag(deleted.position),
        ]
    };
    for id in ["hidden", "deleted"] {
        let operations = |id: &str| {
            let key = note(id);
            let mine = put(&key, &of("bob", "bob"));
            let [_, one, other] = conditioned(mine);
            let mut all = vec![one, other, put(&key, &of("ada", "bob"))];
            all.extend(conditioned(put(&key, &of("ada", "ada"))));
            all.extend(conditioned(merge_patch(&key, json!({ "owner": "bob" }))));
            all.extend(conditioned(delete(&key)));
            all.extend(conditioned(check(&key)));
            all.push(check(&key).if_absent());
            all
        };
        for (there, nowhere) in operations(id).into_iter().zip(operations("absent")) {
            let asked = format!("{there:?}");
            let told = shape(&tried(store, "bob", there).await);
            assert_eq!(told, shape(&tried(store, "bob", nowhere).await), "{asked}");
        }
    }
    let taken = tried(store, "bob", put(&note("hidden"), &of("bob", "bob"))).await;
    assert!(matches!(taken, Err(Failure::Forbidden)), "{taken:?}");
    assert_eq!(body(store, &note("hidden")).await, hidden.body);
}

/// Rules come before conditions, for whoever may read; and conditions tell the truth to those.
pub async fn rules_are_asked_before_conditions<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_ruled(store).await;
    let first = written(store, put(&note("n1"), &of("ada", "ada bob"))).await;
    written(store, put(&note("n1"), &of("ada", "ada bob eve"))).await;
    let stale = |operation: Operation| operation.if_match(first.position);
    let writes = || {
        let patch = merge_patch(&note("n1"), json!({ "x": 1 }));
        [
            put(&note("n1"), &of("ada", "ada")),
            patch,
            delete(&note("n1")),
        ]
    };
    for write in writes() {
        let told = tried(store, "bob", stale(write)).await;
        assert!(matches!(told, Err(Failure::Forbidden)), "{told:?}");
    }
    for write in writes() {
        let told = tried(store, "ada", stale(write)).await;
        let is_stale = |failure: &Failure| {
            matches!(
                failure,
                Failure::PreconditionFailed {
                    condition: Condition::IfMatch,
                    current: Some(_)
                }
            )
        };
        assert!(told.as_ref().is_err_and(is_stale), "{told:?}");
    }
}

/// What lies below something that may not be read has no parent.
pub async fn below_what_may_not_be_read_nothing_is_made<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    define_ruled(store).await;
    written(store, put(&note("hidden"), &of("ada", "ada"))).await;
    let remark = |parent: &str| put(&below(&note(parent), "remarks", "r1"), &json!({}));
    let there = tried(store, "bob", remark("hidden")).await;
    assert!(
        matches!(there, Err(Failure::ParentNotFound { .. })),
        "{there:?}"
    );
    let nowhere = tried(store, "bob", remark("absent")).await;
    assert_eq!(shape(&there), shape(&nowhere));
    let made = tried(store, "ada", remark("hidden")).await;
    assert_eq!(made.expect("she may read it"), Effect::Created);
}

/// A guard looks through definitions; without one, and where there are no rules, nobody is asked.
pub async fn rules_that_a_guard_refuses_are_not_defined<F: Fixture>() {
    let fixture = F::fresh().await;
    let store = fixture.store();
    let definition = ResourceKey::definition(&super::vocabulary::path("notes")).expect("a name");
    let rules = json!({ "rules": { "read": "wrong" } });
    let refused = tried(store, "ada", put(&definition, &rules).if_absent()).await;
    assert!(
        matches!(refused, Err(Failure::InvalidDefinition(_))),
        "{refused:?}"
    );
    let open = tried(store, "ada", put(&definition, &json!({})).if_absent()).await;
    assert_eq!(open.expect("no rules"), Effect::Created);
    let anyone = tried(store, "bob", put(&note("n1"), &json!({}))).await;
    assert_eq!(anyone.expect("no rules"), Effect::Created);
    let patched = tried(store, "ada", merge_patch(&definition, rules)).await;
    assert!(
        matches!(
            patched,
            Err(Failure::InvalidDefinition(_) | Failure::PreconditionRequired { .. })
        ),
        "{patched:?}"
    );
}
