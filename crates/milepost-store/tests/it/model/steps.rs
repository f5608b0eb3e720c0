//! What can happen to a store: small alphabets, so that steps meet.

use milepost_semantics::{EntityTag, Position, Preconditions};
use milepost_store::{Change, CollectionPath, Document, Operation, ResourceKey};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use serde_json::{Value, json};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Write(Vec<Op>),
    /// A transaction with an id, from a few.
    Recorded {
        id: u8,
        digest: u8,
        ops: Vec<Op>,
    },
    Define {
        child: bool,
        shape: Shape,
    },
    Undefine,
    Pass {
        seconds: u64,
    },
    Reopen,
    BackUp,
    Restore,
    List(Asked),
    /// The same as of an earlier position.
    Snapshot {
        asked: Asked,
        back: usize,
    },
    Read {
        key: Key,
        back: usize,
    },
    Changes {
        asked: Asked,
        feed: Told,
        back: usize,
    },
}

/// How changes are asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told {
    /// Of every collection; the filters don't count then.
    pub(super) everything: bool,
    pub(super) versions: bool,
    pub(super) bytes: usize,
}

/// An operation, before it is known what stands.
#[derive(Clone, Debug)]
pub(super) struct Op {
    pub(super) key: Key,
    pub(super) change: What,
    pub(super) condition: Condition,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Put(Value),
    Merge(Value),
    Delete,
    Check,
}

#[derive(Clone, Debug)]
pub(super) enum Condition {
    None,
    Absent,
    Present,
    /// The tag of what stands.
    Current,
    /// The tag of a position some commits ago.
    Earlier(usize),
}

/// One of a few resources: `a/{id}`, or `a/{id}/b/{child}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    id: u8,
    child: Option<u8>,
}

/// What a definition declares.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    indexes: Vec<u8>,
    text: bool,
    retention: u8,
    required: bool,
    cascade: bool,
    strict: bool,
}

/// A question, by places in the tables below.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) child: bool,
    pub(super) below: Option<u8>,
    pub(super) filters: Vec<usize>,
    pub(super) sort: Vec<usize>,
    pub(super) text: Option<usize>,
    pub(super) items: usize,
}

/// Index, and alternatives.
pub(super) const FILTERS: &[(&str, &[&str])] = &[
    ("n", &["1"]),
    ("n", &["2", "null"]),
    ("n", &["gt:1"]),
    ("n", &["exists:false"]),
    ("n", &["gte:1", "lt:2"]),
    ("s", &["prefix:b"]),
    ("s", &["ne:bb"]),
    ("s", &["lte:bb", "c"]),
    ("s", &["a"]),
    ("m", &["gte:0"]),
];
pub(super) const SORTS: &[&str] = &["n", "-n", "s", "-s", "m"];
pub(super) const TEXTS: &[&str] = &["red", "blue red", "Green"];
const INDEXES: &[(&str, &str)] = &[("n", "/n"), ("s", "/s"), ("m", "/deep/m"), ("n", "/deep/m")];

impl Key {
    /// Every resource there can be.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let children = || [None, Some(0), Some(1), Some(2)];
        (0..4).flat_map(move |id| children().map(|child| Self { id, child }))
    }

    pub(super) fn resource(self) -> ResourceKey {
        let top = ResourceKey::top(
            collection(false),
            format!("r{}", self.id).parse().expect("an id"),
        );
        match self.child {
            None => top,
            Some(child) => ResourceKey {
                collection: collection(true),
                parent: top.as_parent(),
                id: format!("c{child}").parse().expect("an id"),
            },
        }
    }
}

pub(super) fn collection(child: bool) -> CollectionPath {
    CollectionPath::parse(if child { "a.b" } else { "a" }).expect("a name")
}

impl Shape {
    pub(super) fn first() -> Self {
        Self {
            indexes: vec![0, 1],
            text: true,
            retention: 0,
            required: false,
            cascade: true,
            strict: false,
        }
    }

    pub(super) fn definition(&self) -> Value {
        let retention = match self.retention {
            0 => json!({ "history": {}, "tombstones": {} }),
            1 => json!({ "history": { "count": 4 }, "tombstones": {} }),
            2 => json!({ "history": { "bytes": 60 }, "tombstones": {} }),
            _ => json!({ "history": { "age": "PT10S" }, "tombstones": { "age": "PT20S" } }),
        };
        let indexes = self
            .indexes
            .iter()
            .filter_map(|place| INDEXES.get(usize::from(*place)));
        let indexes: serde_json::Map<String, Value> = indexes
            .map(|(name, pointer)| ((*name).to_owned(), json!(pointer)))
            .collect();
        let mut definition = json!({
            "indexes": indexes,
            "text": if self.text { json!(["/t"]) } else { json!([]) },
            "retention": retention,
            "preconditions": if self.required { "required" } else { "optional" },
            "onParentDelete": if self.cascade { "cascade" } else { "restrict" },
        });
        if self.strict
            && let Some(definition) = definition.as_object_mut()
        {
            definition.insert("schema".to_owned(), json!({ "required": ["n"] }));
        }
        definition
    }
}

impl Op {
    /// The operation, given what stands and what was.
    pub(super) fn operation(&self, current: Option<Position>, known: &[Position]) -> Operation {
        let change = match &self.change {
            What::Put(value) => Change::Put(document(value)),
            What::Merge(patch) => Change::MergePatch(patch.clone()),
            What::Delete => Change::Delete,
            What::Check => Change::Check,
        };
        let of = |position: Option<Position>| {
            position.map_or_else(Preconditions::if_match_any, |position| {
                Preconditions::if_match(EntityTag::from(position))
            })
        };
        let preconditions = match self.condition {
            Condition::None => Preconditions::default(),
            Condition::Absent => Preconditions::if_none_match_any(),
            Condition::Present => Preconditions::if_match_any(),
            Condition::Current => of(current),
            Condition::Earlier(back) => of(earlier(known, back)),
        };
        Operation {
            key: self.key.resource(),
            preconditions,
            change,
        }
    }
}

/// The position some commits ago.
pub(super) fn earlier(known: &[Position], back: usize) -> Option<Position> {
    known
        .len()
        .checked_sub(1)
        .and_then(|last| known.get(last.saturating_sub(back)))
        .copied()
}

pub(super) fn document(value: &Value) -> Document {
    Document {
        bytes: value.to_string().into(),
        value: value.clone(),
    }
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let ops = || prop::collection::vec(op(), 1..4);
    prop_oneof![
        12 => ops().prop_map(Step::Write),
        2 => (0..3_u8, 0..2_u8, ops()).prop_map(|(id, digest, ops)| Step::Recorded { id, digest, ops }),
        3 => (any::<bool>(), shape()).prop_map(|(child, shape)| Step::Define { child, shape }),
        1 => Just(Step::Undefine),
        2 => (1..15_u64).prop_map(|seconds| Step::Pass { seconds }),
        1 => Just(Step::Reopen),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        6 => asked().prop_map(Step::List),
        6 => (asked(), 0..20_usize).prop_map(|(asked, back)| Step::Snapshot { asked, back }),
        3 => (key(), 0..20_usize).prop_map(|(key, back)| Step::Read { key, back }),
        8 => (asked(), told(), 0..30_usize).prop_map(|(asked, feed, back)| Step::Changes { asked, feed, back }),
    ]
}

fn told() -> impl Strategy<Value = Told> {
    let bytes = prop_oneof![2 => Just(1 << 20), 1 => 1..100_usize];
    (any::<bool>(), prop::bool::weighted(0.3), bytes).prop_map(|(everything, versions, bytes)| {
        Told {
            everything,
            versions,
            bytes,
        }
    })
}

fn key() -> impl Strategy<Value = Key> {
    (0..4_u8, prop::option::of(0..3_u8)).prop_map(|(id, child)| Key { id, child })
}

fn op() -> impl Strategy<Value = Op> {
    let change = prop_oneof![
        6 => value().prop_map(What::Put),
        2 => value().prop_map(What::Merge),
        3 => Just(What::Delete),
        1 => Just(What::Check),
    ];
    let condition = prop_oneof![
        4 => Just(Condition::None),
        1 => Just(Condition::Absent),
        1 => Just(Condition::Present),
        4 => Just(Condition::Current),
        1 => (0..6_usize).prop_map(Condition::Earlier),
    ];
    (key(), change, condition).prop_map(|(key, change, condition)| Op {
        key,
        change,
        condition,
    })
}

fn value() -> impl Strategy<Value = Value> {
    let n = prop_oneof![
        Just(Value::Null),
        (0..3).prop_map(Value::from),
        Just(json!(1.5)),
        Just(json!("1"))
    ];
    let s = prop_oneof![Just("a"), Just("bb"), Just("b"), Just("c")];
    let t = prop_oneof![Just("red"), Just("Blue, red"), Just("greenish green")];
    let long = prop_oneof![9 => Just(0_usize), 1 => Just(600_usize)];
    (
        prop::option::of(n),
        prop::option::of(s),
        prop::option::of(t),
        long,
    )
        .prop_map(|(n, s, t, long)| {
            let mut members = serde_json::Map::new();
            let mut member = |name: &str, value: Option<Value>| {
                value.map(|value| members.insert(name.to_owned(), value))
            };
            member("n", n);
            member("s", s.map(Value::from));
            member("t", t.map(Value::from));
            let deep = (long > 0).then(|| json!({ "m": "x".repeat(long) }));
            member("deep", deep);
            Value::Object(members)
        })
}

fn shape() -> impl Strategy<Value = Shape> {
    let indexes = prop::sample::subsequence(vec![0_u8, 1, 2, 3], 0..=3).prop_shuffle();
    let often = |percent: f64| prop::bool::weighted(percent);
    (
        indexes,
        any::<bool>(),
        0..4_u8,
        often(0.2),
        any::<bool>(),
        often(0.1),
    )
        .prop_map(
            |(indexes, text, retention, required, cascade, strict)| Shape {
                indexes,
                text,
                retention,
                required,
                cascade,
                strict,
            },
        )
}

fn asked() -> impl Strategy<Value = Asked> {
    (
        any::<bool>(),
        prop::option::weighted(0.3, 0..4_u8),
        prop::collection::vec(0..FILTERS.len(), 0..3),
        prop::collection::vec(0..SORTS.len(), 0..3),
        prop::option::weighted(0.15, 0..TEXTS.len()),
        1..8_usize,
    )
        .prop_map(|(child, below, filters, sort, text, items)| Asked {
            child,
            below,
            filters,
            sort,
            text,
            items,
        })
}
