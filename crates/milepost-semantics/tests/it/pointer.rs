//! JSON pointers, by the examples of RFC 6901.

use milepost_semantics::JsonPointer;
use milepost_semantics::pointer::{MalformedPointer, array_index};
use proptest::prelude::*;
use serde_json::{Value, json};

#[test]
fn the_examples_of_rfc_6901_5_point_where_it_says() {
    let document = json!({
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5,
        "k\"l": 6, " ": 7, "m~n": 8
    });
    let at = |pointer: &str| {
        JsonPointer::parse(pointer)
            .unwrap()
            .resolve(&document)
            .cloned()
    };
    assert_eq!(at(""), Some(document.clone()));
    assert_eq!(at("/foo"), Some(json!(["bar", "baz"])));
    assert_eq!(at("/foo/0"), Some(json!("bar")));
    let members = [
        "/", "/a~1b", "/c%d", "/e^f", "/g|h", "/i\\j", "/k\"l", "/ ", "/m~0n",
    ];
    for (value, pointer) in members.iter().enumerate() {
        assert_eq!(at(pointer), Some(json!(value)), "{pointer}");
    }
    for nowhere in [
        "/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/foo/", "/bar", "/foo/0/x", "/m~01n",
    ] {
        assert_eq!(at(nowhere), None, "{nowhere}");
    }
}

#[test]
fn a_text_that_is_no_pointer_is_refused() {
    assert_eq!(JsonPointer::parse("a"), Err(MalformedPointer::MissingSlash));
    for bad in ["/~", "/~2", "/a~"] {
        assert_eq!(
            JsonPointer::parse(bad),
            Err(MalformedPointer::Escape),
            "{bad}"
        );
    }
    assert_eq!(array_index("18446744073709551616"), None);
    assert_eq!(array_index(""), None);
}

#[test]
fn what_contains_a_place_is_its_prefix() {
    let pointer = JsonPointer::parse("/a/b~1c").unwrap();
    let (parent, last) = pointer.split_last().unwrap();
    assert_eq!((parent.to_string().as_str(), last), ("/a", "b/c"));
    assert!(parent.is_prefix_of(&pointer) && !pointer.is_prefix_of(&parent));
    assert!(JsonPointer::root().is_prefix_of(&parent) && JsonPointer::root().is_root());
    assert!(
        !JsonPointer::parse("/ab")
            .unwrap()
            .is_prefix_of(&JsonPointer::parse("/abc").unwrap())
    );
}

proptest! {
    #[test]
    fn a_pointer_is_its_text(tokens in prop::collection::vec("[~/01a]{0,4}", 0..5)) {
        let pointer: JsonPointer = tokens.iter().cloned().collect();
        let read = JsonPointer::parse(&pointer.to_string()).unwrap();
        prop_assert_eq!(read.tokens(), tokens.as_slice());
        prop_assert_eq!(Value::Null.pointer(&pointer.to_string()).is_some(), tokens.is_empty());
    }

    #[test]
    fn a_pointer_resolves_as_in_serde_json(
        value in crate::values::any_json(),
        tokens in prop::collection::vec("([a-d~/]{0,2}|[0-3])", 0..4),
    ) {
        let pointer: JsonPointer = tokens.into_iter().collect();
        prop_assert_eq!(pointer.resolve(&value), value.pointer(&pointer.to_string()));
        let mut copy = value.clone();
        prop_assert_eq!(pointer.resolve_mut(&mut copy).cloned(), pointer.resolve(&value).cloned());
    }
}
