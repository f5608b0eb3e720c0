//! Collections with rules, a model of those rules, and courses of events.
//!
//! The model says what somebody may read. From it comes the *world of a reader*: the course of events in which only what
//! they may read ever happens, at the same positions. What is hidden from them goes to a collection that nobody reads.

use std::collections::BTreeMap;

use milepost_semantics::Preconditions;
use milepost_server::{Limits, Subject};
use milepost_store::{
    Change, CollectionPath, Document, Operation, Outcome, ParentPath, ResourceKey, Transaction,
};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use serde_json::{Value, json};

use super::somebody;
use crate::scene::{Scene, Serving};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    Ada,
    Bob,
    Root,
}

impl Who {
    pub(super) fn subject(self) -> Subject {
        match self {
            Self::Nobody => Subject::ANONYMOUS,
            Self::Ada => somebody("ada", json!({ "role": "clerk", "teams": ["red", "blue"] })),
            Self::Bob => somebody("bob", json!({ "teams": ["blue"] })),
            Self::Root => somebody("root", json!({ "role": "admin" })),
        }
    }

    fn id(self) -> Option<&'static str> {
        match self {
            Self::Nobody => None,
            Self::Ada => Some("ada"),
            Self::Bob => Some("bob"),
            Self::Root => Some("root"),
        }
    }
}

/// The collections of the world, with what the model says of reading them.
pub(super) const COLLECTIONS: &[&str] =
    &["open", "open.remarks", "notes", "teams", "posts", "vault"];
/// Where what is hidden goes.
const SPARE: &str = "spare";
pub(super) const IDS: &[&str] = &["a", "b", "c", "d"];

/// Whether somebody may read a document: the model.
pub(super) fn may_read(collection: &str, who: Who, document: &Value) -> bool {
    let is =
        |member: &str, value: Option<&str>| value.is_some() && document[member].as_str() == value;
    match collection {
        "open" => true,
        "open.remarks" => is("owner", who.id()) || who == Who::Root,
        "notes" => is("owner", who.id()) || document["shared"] == true,
        "teams" => match who {
            Who::Ada => is("team", Some("red")) || is("team", Some("blue")),
            Who::Bob => is("team", Some("blue")),
            Who::Nobody | Who::Root => false,
        },
        "posts" => document["shared"] == true,
        "vault" => who == Who::Root,
        _ => false,
    }
}

/// The definitions that say the same.
fn definitions() -> Vec<(&'static str, Value)> {
    let with = |rules: Value| {
        json!({
            "indexes": { "owner": "/owner", "n": "/n" }, "text": ["/title"],
            "preconditions": "optional", "rules": rules,
        })
    };
    let mine = "resource.owner == subject.id";
    let admin = "subject.claims.role == 'admin'";
    vec![
        (
            "open",
            json!({ "indexes": { "owner": "/owner", "n": "/n" }, "text": ["/title"], "preconditions": "optional" }),
        ),
        (
            "open.remarks",
            with(json!({ "read": format!("{mine} || {admin}"), "write": mine })),
        ),
        (
            "notes",
            with(json!({ "read": format!("{mine} || resource.shared"), "write": mine })),
        ),
        ("notes.remarks", with(json!({ "default": "true" }))),
        (
            "teams",
            with(json!({ "read": "resource.team in subject.claims.teams", "write": admin })),
        ),
        (
            "posts",
            with(json!({ "read": "resource.shared", "write": admin })),
        ),
        ("vault", with(json!({ "default": admin }))),
        (
            SPARE,
            with(json!({ "read": "resource.step < 0", "write": "false" })),
        ),
    ]
}

/// A world in which nothing has happened yet.
pub(super) async fn beginning() -> Scene {
    let scene = Scene::in_memory(Limits::default(), Serving::TwoInTurns);
    for (name, definition) in definitions() {
        scene.define(name, &definition).await;
    }
    commit(&scene, vec![(key("open", "p"), Some(json!({})))]).await;
    scene
}

/// What one operation makes of a resource; `None`: it is deleted.
pub(super) type Event = (usize, usize, Option<Value>);

/// Commits, one after the other, each of some operations.
pub(super) fn events() -> impl Strategy<Value = Vec<Vec<Event>>> {
    let owner = prop_oneof![Just("ada"), Just("bob"), Just("eve")];
    let team = prop_oneof![Just("red"), Just("blue"), Just("none")];
    let document = (owner, team, any::<bool>(), 0..3_u8).prop_map(|(owner, team, shared, n)| {
        json!({ "owner": owner, "team": team, "shared": shared, "n": n, "title": format!("word {owner}") })
    });
    let value = prop_oneof![5 => document.prop_map(Some), 1 => Just(None)];
    let event = (0..COLLECTIONS.len(), 0..IDS.len(), value);
    proptest::collection::vec(proptest::collection::vec(event, 3..7), 3..6)
}

/// Lets everything happen in one scene, and in the other what somebody may read of it. The position of each commit.
pub(super) async fn happen(
    everything: &Scene,
    readers: &Scene,
    who: Who,
    events: &[Vec<Event>],
) -> Vec<String> {
    let mut positions = vec![everything.store().head().to_string()];
    let mut stands: BTreeMap<(usize, usize), Value> = BTreeMap::new();
    for (step, commit_of) in events.iter().enumerate() {
        let mut all = Vec::new();
        let mut seen = Vec::new();
        let mut named = Vec::new();
        for (collection, id, value) in commit_of {
            let place = (*collection, *id);
            let before = stands.get(&place).cloned();
            if named.contains(&place) || (before.is_none() && value.is_none()) {
                continue;
            }
            named.push(place);
            let name = COLLECTIONS[*collection];
            let value = value.clone().map(|mut value| {
                // Every write changes something.
                value["step"] = step.into();
                value
            });
            let sees =
                |value: &Option<Value>| value.as_ref().is_some_and(|it| may_read(name, who, it));
            let after = value.clone().filter(|_| sees(&value));
            if after.is_some() || sees(&before) {
                seen.push((key(name, IDS[*id]), after));
            }
            match &value {
                Some(value) => stands.insert(place, value.clone()),
                None => stands.remove(&place),
            };
            all.push((key(name, IDS[*id]), value));
        }
        let spare = || vec![(key(SPARE, "s"), Some(json!({ "step": step })))];
        commit(everything, if all.is_empty() { spare() } else { all }).await;
        commit(readers, if seen.is_empty() { spare() } else { seen }).await;
        positions.push(everything.store().head().to_string());
        assert_eq!(positions.last(), Some(&readers.store().head().to_string()));
    }
    positions
}

/// Whether somebody may create here, under names of their own choice.
pub(super) fn may_create(collection: &str, who: Who) -> bool {
    match collection {
        "open" => true,
        "teams" | "posts" | "vault" => who == Who::Root,
        _ => false,
    }
}

pub(super) fn key(collection: &str, id: &str) -> ResourceKey {
    let path = CollectionPath::parse(collection).unwrap();
    let parent = match path.depth() {
        1 => ParentPath::top(),
        _ => ParentPath::top().child(&"p".parse().unwrap()),
    };
    ResourceKey {
        collection: path,
        parent,
        id: id.parse().unwrap(),
    }
}

/// Writes past the rules, as an application does.
pub(super) async fn commit(scene: &Scene, writes: Vec<(ResourceKey, Option<Value>)>) {
    let operations = writes.into_iter().map(|(key, value)| Operation {
        key,
        preconditions: Preconditions::default(),
        change: value.map_or(Change::Delete, |value| Change::Put(Document::from(value))),
    });
    let transaction = Transaction::of(operations.collect());
    let outcome = scene.store().write(transaction).await.unwrap();
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}
