//! The three-way merge, over generated documents.

use milepost_sync::merge::{Merged, merge};
use proptest::prelude::*;
use serde_json::{Map, Value};

fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..4_u8).prop_map(Value::from),
        "[ab]".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Whether both are equal but for the order of members.
fn same(one: &Merged, other: &Merged) -> bool {
    match (one, other) {
        (Merged::Whole(one), Merged::Whole(other)) => one == other,
        (Merged::Overlapping(one), Merged::Overlapping(other)) => {
            let sorted = |places: &[String]| {
                let mut places = places.to_vec();
                places.sort();
                places
            };
            sorted(one) == sorted(other)
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::stage::cases(1_000), ..ProptestConfig::default() })]

    #[test]
    fn who_changed_nothing_changes_nothing(base in document(), other in document()) {
        prop_assert_eq!(merge(Some(&base), &base, &other), Merged::Whole(other.clone()));
        prop_assert_eq!(merge(Some(&base), &other, &base), Merged::Whole(other));
    }

    #[test]
    fn what_both_did_alike_is_done_once(base in document(), both in document()) {
        prop_assert_eq!(merge(Some(&base), &both, &both), Merged::Whole(both.clone()));
        prop_assert_eq!(merge(None, &both, &both), Merged::Whole(both));
    }

    #[test]
    fn it_does_not_matter_who_is_who(base in document(), ours in document(), theirs in document()) {
        let one = merge(Some(&base), &ours, &theirs);
        let other = merge(Some(&base), &theirs, &ours);
        prop_assert!(same(&one, &other), "{:?} {:?}", one, other);
    }

    #[test]
    fn changes_of_different_members_never_meet(
        base in prop::collection::btree_map("[a-f]", document(), 0..6),
        ours in prop::collection::btree_map("[abc]", prop::option::of(document()), 0..3),
        theirs in prop::collection::btree_map("[def]", prop::option::of(document()), 0..3),
    ) {
        let object = |sides: &[&std::collections::BTreeMap<String, Option<Value>>]| {
            let mut members = base.clone();
            for (name, value) in sides.iter().copied().flatten() {
                match value {
                    Some(value) => members.insert(name.clone(), value.clone()),
                    None => members.remove(name),
                };
            }
            Value::Object(members.into_iter().collect())
        };
        let merged = merge(Some(&object(&[])), &object(&[&ours]), &object(&[&theirs]));
        prop_assert_eq!(merged, Merged::Whole(object(&[&ours, &theirs])));
    }
}
