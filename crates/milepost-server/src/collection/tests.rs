//! Cursors, canonical queries and selections.

use milepost_store::{CollectionPath, Cursor, Definition, ParentPath, Scope};
use serde_json::json;

use super::{cursor, params::Params, select::Selection};
use crate::route::Address;

fn address(scope: Scope) -> Address {
    Address {
        collection: CollectionPath::parse("a.b").unwrap(),
        scope,
    }
}

fn end(values: &[&[u8]]) -> Cursor {
    Cursor {
        values: values.iter().map(|value| value.to_vec()).collect(),
        parent: ParentPath::from_stored("1"),
        id: "x".parse().unwrap(),
    }
}

#[test]
fn a_cursor_comes_back_as_it_was() {
    let (one, all) = (
        address(Scope::Of(ParentPath::from_stored("1"))),
        address(Scope::Below(ParentPath::top())),
    );
    for values in [&[][..], &[&b""[..]], &[b"\x50a\x00\x01", &[0xFF; 1027]]] {
        for (address, plain) in [(&one, false), (&all, true), (&all, false)] {
            let text = cursor::encode(&end(values), address, plain);
            assert_eq!(cursor::decode(&text, address, plain), Some(end(values)));
        }
    }
    assert_eq!(cursor::encode(&end(&[]), &one, true), "x");
    assert_eq!(cursor::decode("x", &one, true), Some(end(&[])));
}

#[test]
fn a_cursor_that_was_made_up_is_refused() {
    let all = address(Scope::Below(ParentPath::top()));
    for text in [
        "", "x", "*", "AA", "AAA", "____", "AQAF", "AC8AeA", "AAB4AHk",
    ] {
        assert_eq!(cursor::decode(text, &all, false), None, "{text}");
    }
    assert_eq!(
        cursor::decode("..", &address(Scope::Of(ParentPath::top())), true),
        None
    );
}

#[test]
fn a_canonical_query_reads_as_what_it_was_written_from() {
    for query in [
        "",
        "a=1&b=2",
        "b=2&a=1",
        "a=1&a=1",
        "a=%26%3D&%20=+",
        "q=ü%20x",
        "a",
        "a=b=c",
    ] {
        let params = Params::of_query(Some(query)).unwrap();
        let canonical = params.to_query();
        assert_eq!(
            Params::of_query(Some(&canonical)).unwrap().to_query(),
            canonical,
            "{query}"
        );
    }
    let params = Params::of_query(Some("b=x/y:z,1&a=%2b+%C3%BC")).unwrap();
    assert_eq!(params.to_query(), "a=%2B%20%C3%BC&b=x/y:z,1");
}

#[test]
fn what_is_selected_keeps_its_bytes() {
    let definition =
        Definition::parse(&json!({ "indexes": { "city": "/address/city", "tag": "/tags/0" } }))
            .unwrap();
    let select = |names: &[&str], document: &str| {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let selection = Selection::of(&names, &definition).unwrap();
        String::from_utf8(selection.apply(document.as_bytes())).unwrap()
    };
    let document =
        r#" { "a" : 1.00 , "address":{"city":"\u00fc","zip":1}, "tags":[1, 2], "k\u0065y":null } "#;
    assert_eq!(
        select(&["city"], document),
        r#"{"address":{"city":"\u00fc"}}"#
    );
    assert_eq!(
        select(&["tag", "a"], document),
        r#"{"a":1.00,"tags":[1, 2]}"#
    );
    assert_eq!(
        select(&["city", "address"], document),
        r#"{"address":{"city":"\u00fc","zip":1}}"#
    );
    assert_eq!(select(&["key"], document), r#"{"key":null}"#);
    for other in ["[1]", "1", "null", "\"a\""] {
        assert_eq!(select(&["a"], other), "{}");
    }
}
