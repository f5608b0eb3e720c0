//! Entity tags, positions and names: one text for one value, and nothing else.

use milepost_semantics::position::{MalformedPosition, POSITION_BYTES_MAX};
use milepost_semantics::{Check, Coding, CollectionName, EntityTag, History, Position, ResourceId};
use proptest::prelude::*;

fn tag(text: &str) -> EntityTag {
    text.parse().unwrap()
}

#[test]
fn the_comparisons_are_those_of_rfc_9110_8_8_3_2() {
    let table = [
        ("W/\"1\"", "W/\"1\"", false, true),
        ("W/\"1\"", "W/\"2\"", false, false),
        ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
    ];
    for (left, right, strong, weak) in table {
        assert_eq!(tag(left).strong_eq(&tag(right)), strong, "{left} {right}");
        assert_eq!(tag(left).weak_eq(&tag(right)), weak, "{left} {right}");
    }
}

#[test]
fn a_tag_may_contain_a_comma_and_bytes_beyond_ascii() {
    let tags = EntityTag::parse_list(b"\"a,b\" , W/\"\xE9!#\",\"\"").unwrap();
    let opaque: Vec<_> = tags.iter().map(EntityTag::opaque).collect();
    assert_eq!(opaque, [&b"a,b"[..], b"\xE9!#", b""]);
    assert_eq!(tags[1].to_header_value().as_bytes(), b"W/\"\xE9!#\"");
}

#[test]
fn what_is_no_tag_is_refused() {
    let bad = [
        "",
        "a",
        "\"",
        "\"a",
        "a\"",
        "\"a b\"",
        "w/\"a\"",
        "W/ \"a\"",
        "W/a",
        "\"a\"b",
        "\"a\"\"b\"",
        "\"\u{7f}\"",
        "*",
    ];
    for text in bad {
        assert!(text.parse::<EntityTag>().is_err(), "{text}");
    }
    assert!(EntityTag::parse_list(b"\"a\" \"b\"").is_err());
    assert!(EntityTag::strong("a\"b").is_err());
    assert!(EntityTag::strong("a\r\nb").is_err());
}

#[test]
fn a_variant_is_named_after_the_position_and_taken_off_again() {
    let plain = tag("\"k3f7.1042-x7qa\"");
    let coded = plain.with_variant(Coding::Gzip);
    assert_eq!(coded.to_string(), "\"k3f7.1042-x7qa+gzip\"");
    assert_eq!(
        coded.with_variant(Coding::Brotli).to_string(),
        "\"k3f7.1042-x7qa+br\""
    );
    assert_eq!(coded.with_variant(Coding::Identity), plain);
    assert_eq!(coded.without_variant(), plain);
    assert_eq!(Position::from_tag(&coded), Position::from_tag(&plain));
    assert_eq!(tag("\"hash+zstd\"").without_variant(), tag("\"hash\""));
    assert_eq!(tag("\"a+b\"").without_variant(), tag("\"a+b\""));
    assert_eq!(Position::from_tag(&tag("\"a+b\"")), None);
}

#[test]
fn a_malformed_position_is_refused_with_what_is_wrong() {
    let table = [
        ("", MalformedPosition::MissingDot),
        ("k3f7", MalformedPosition::MissingDot),
        ("k3f7.1042", MalformedPosition::MissingCheck),
        (".1-abcd", MalformedPosition::History),
        ("K3.1-abcd", MalformedPosition::History),
        ("123456789.1-abcd", MalformedPosition::History),
        ("k\u{e9}.1-abcd", MalformedPosition::History),
        ("k.-abcd", MalformedPosition::Sequence),
        ("k.01-abcd", MalformedPosition::Sequence),
        ("k.+1-abcd", MalformedPosition::Sequence),
        ("k.18446744073709551616-abcd", MalformedPosition::Sequence),
        ("k.1.2-abcd", MalformedPosition::Sequence),
        ("k.1-abc", MalformedPosition::Check),
        ("k.1-abcde", MalformedPosition::Check),
        ("k.1-abcl", MalformedPosition::Check),
        ("k.1-ABCD", MalformedPosition::Check),
        ("k.1--abc", MalformedPosition::Check),
    ];
    for (text, expected) in table {
        assert_eq!(text.parse::<Position>(), Err(expected), "{text}");
    }
}

#[test]
fn the_longest_position_is_as_long_as_said() {
    let longest = Position::new(
        "abcdefgh".parse().unwrap(),
        u64::MAX,
        Check::from_hash(u32::MAX),
    );
    assert_eq!(longest.to_string().len(), POSITION_BYTES_MAX);
}

#[test]
fn names_are_refused_with_what_is_wrong() {
    let long = "a".repeat(64);
    for (name, part) in [
        ("", "is empty"),
        (long.as_str(), "64 bytes"),
        ("1a", "starts with"),
        ("a_b", "'_'"),
        ("aB", "'B'"),
        ("a.b", "'.'"),
    ] {
        let error = name.parse::<CollectionName>().unwrap_err().to_string();
        assert!(error.contains(part), "{name}: {error}");
    }
    let long = "a".repeat(129);
    for (id, part) in [
        ("", "is empty"),
        (long.as_str(), "129 bytes"),
        (".", "reserved"),
        ("..", "reserved"),
        ("-", "reserved"),
        ("a/b", "'/'"),
        ("a%2F", "'%'"),
        ("a\u{e9}", "'\u{e9}'"),
        ("a\0", "'\\0'"),
    ] {
        let error = id.parse::<ResourceId>().unwrap_err().to_string();
        assert!(error.contains(part), "{id}: {error}");
    }
    assert_eq!(
        "accounts-2".parse::<CollectionName>().unwrap().as_str(),
        "accounts-2"
    );
    assert_eq!("...".parse::<ResourceId>().unwrap().to_string(), "...");
}

proptest! {
    #[test]
    fn a_position_is_its_text(random: u64, sequence: u64, hash: u32) {
        let position =
            Position::new(History::from_random(random), sequence, Check::from_hash(hash));
        let text = position.to_string();
        prop_assert_eq!(text.parse::<Position>(), Ok(position));
        let is_unreserved = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~');
        prop_assert!(text.chars().all(is_unreserved));
        prop_assert!(text.parse::<CollectionName>().is_err());
        let tag = EntityTag::from(position);
        prop_assert_eq!(tag.to_string(), format!("\"{text}\""));
        prop_assert_eq!(Position::from_tag(&tag), Some(position));
    }

    #[test]
    fn a_text_that_is_read_as_a_position_is_its_only_text(text in "[a-z0-9]{1,9}\\.[0-9+]{1,21}-[0-9a-z]{3,5}") {
        if let Ok(position) = text.parse::<Position>() {
            prop_assert_eq!(position.to_string(), text);
        }
    }

    #[test]
    fn a_tag_is_its_field_value(opaque in "[!#-~]{0,12}", weak: bool) {
        let tag = if weak { EntityTag::weak(&opaque) } else { EntityTag::strong(&opaque) }.unwrap();
        prop_assert_eq!(EntityTag::parse(tag.to_header_value().as_bytes()).unwrap(), tag.clone());
        prop_assert_eq!(tag.to_string().parse::<EntityTag>().unwrap(), tag);
    }
}
