//! Preconditions, held against a decision table that is written down independently of the code.

use http::{HeaderMap, HeaderValue, Method, header};
use milepost_semantics::precondition::{Condition, IfMatch, IfNoneMatch, IfRange};
use milepost_semantics::{EntityTag, Outcome, Preconditions, UnixSeconds, Validators};
use proptest::prelude::*;

const MODIFIED: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

/// RFC 9110 §13.2, as a table. The first row that matches decides.
///
/// A cell lists the states it matches; `any` matches all. Methods: `g` GET, `h` HEAD, `w` others,
/// `x` CONNECT, OPTIONS and TRACE. Resource: `+` exists, `-` doesn't. Fields: `.` absent, `t` the
/// current version (or a date that holds), `f` another version (or a date that doesn't hold), `w`
/// the current version as a weak tag, `*` any, `d` the current version's date, `m` malformed.
const TABLE: &str = "
    method resource if-match if-unmod if-none-match if-mod if-range | outcome
    any    any      m        any      any           any    any      | malformed
    any    any      any      any      m             any    any      | malformed
    any    any      any      any      any           any    m        | malformed
    x      any      any      any      any           any    any      | proceed
    any    +        fw       any      any           any    any      | 412 If-Match
    any    -        tfw*     any      any           any    any      | 412 If-Match
    any    +        .        f        any           any    any      | 412 If-Unmodified-Since
    gh     +        any      any      tw*           any    any      | 304
    w      +        any      any      tw*           any    any      | 412 If-None-Match
    gh     +        any      any      .             f      any      | 304
    g      +        any      any      any           any    fwd      | ignore range
    g      -        any      any      any           any    tfwd     | ignore range
    any    any      any      any      any           any    any      | proceed
";

const COLUMNS: [(&str, &str); 5] = [
    ("if-match", ".tfw*m"),
    ("if-unmodified-since", ".tfm"),
    ("if-none-match", ".tfw*m"),
    ("if-modified-since", ".tfm"),
    ("if-range", ".tfwdm"),
];

fn expected(table: &[(Vec<String>, String)], state: &[char]) -> String {
    let matches = |cell: &String, state: &char| cell == "any" || cell.contains(*state);
    let row = table
        .iter()
        .find(|(cells, _)| cells.iter().zip(state).all(|(c, s)| matches(c, s)));
    row.unwrap().1.clone()
}

fn table() -> Vec<(Vec<String>, String)> {
    let rows = TABLE
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .skip(1);
    let row = |line: &str| {
        let (cells, outcome) = line.split_once('|').unwrap();
        let cells: Vec<_> = cells.split_whitespace().map(str::to_owned).collect();
        assert_eq!(cells.len(), 7);
        (cells, outcome.trim().to_owned())
    };
    rows.map(row).collect()
}

fn field_value(field: &str, state: char) -> Option<&'static str> {
    let is_date = field.ends_with("since");
    match (field, state) {
        (_, '.') => None,
        (_, 'm') if is_date => Some("yesterday"),
        (_, 'm') => Some("abc\""),
        // A date that holds: not modified after it, or modified after it.
        ("if-unmodified-since", 't') | ("if-modified-since", 'f') => Some(MODIFIED),
        ("if-unmodified-since", 'f') | ("if-modified-since", 't') => Some(EARLIER),
        (_, 't') => Some("\"now\""),
        (_, 'f') => Some("\"other\""),
        (_, 'w') => Some("W/\"now\""),
        (_, '*') => Some("*"),
        (_, 'd') => Some(MODIFIED),
        _ => unreachable!("{field} {state}"),
    }
}

fn told(outcome: Outcome) -> String {
    match outcome {
        Outcome::Proceed => "proceed".to_owned(),
        Outcome::ProceedIgnoringRange => "ignore range".to_owned(),
        Outcome::NotModified => "304".to_owned(),
        Outcome::Failed(condition) => format!("412 {}", condition.field()),
    }
}

fn current() -> Validators {
    Validators {
        etag: "\"now\"".parse().unwrap(),
        last_modified: UnixSeconds::parse_http_date(MODIFIED.as_bytes()),
    }
}

/// All combinations of the states of the five fields.
fn combinations() -> Vec<Vec<char>> {
    let mut all = vec![Vec::new()];
    for (_, states) in COLUMNS {
        let extended = all.iter().flat_map(|prefix: &Vec<char>| {
            states
                .chars()
                .map(move |state| [prefix.as_slice(), &[state]].concat())
        });
        all = extended.collect();
    }
    all
}

#[test]
fn every_combination_of_fields_methods_and_states_is_answered_as_the_table_says() {
    let table = table();
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "QUERY"]
        .iter()
        .chain(&["CONNECT", "OPTIONS", "TRACE"])
        .map(|name| {
            let class = match *name {
                "GET" => 'g',
                "HEAD" => 'h',
                "CONNECT" | "OPTIONS" | "TRACE" => 'x',
                _ => 'w',
            };
            (class, Method::from_bytes(name.as_bytes()).unwrap())
        });
    let methods: Vec<_> = methods.collect();
    let current = current();
    let mut used = std::collections::HashSet::new();
    for fields in combinations() {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-1"));
        for ((field, _), state) in COLUMNS.iter().zip(&fields) {
            if let Some(value) = field_value(field, *state) {
                headers.insert(*field, HeaderValue::from_static(value));
            }
        }
        let parsed = Preconditions::from_headers(&headers);
        for (class, method) in &methods {
            for (existence, selected) in [('+', Some(&current)), ('-', None)] {
                let state = [&[*class, existence], fields.as_slice()].concat();
                let outcome = match &parsed {
                    Ok(preconditions) => told(preconditions.evaluate(method, selected)),
                    Err(_) => "malformed".to_owned(),
                };
                assert_eq!(outcome, expected(&table, &state), "{method} {state:?}");
                used.insert(outcome);
            }
        }
    }
    assert_eq!(used.len(), 7, "every outcome occurs: {used:?}");
}

#[test]
fn malformed_dates_are_ignored_even_where_they_would_guard() {
    let mut headers = HeaderMap::new();
    for value in [MODIFIED, MODIFIED] {
        headers.append(header::IF_UNMODIFIED_SINCE, HeaderValue::from_static(value));
    }
    headers.insert(
        header::IF_MODIFIED_SINCE,
        HeaderValue::from_static("06 Nov 1994"),
    );
    let preconditions = Preconditions::from_headers(&headers).unwrap();
    assert_eq!(preconditions, Preconditions::default());
    assert!(preconditions.is_empty() && !preconditions.is_guarded());
}

#[test]
fn all_three_forms_of_an_http_date_are_read() {
    let forms = [
        MODIFIED,
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ];
    for form in forms {
        let date = UnixSeconds::parse_http_date(form.as_bytes());
        assert_eq!(date, Some(UnixSeconds::new(784_111_777)), "{form}");
    }
    assert_eq!(UnixSeconds::new(784_111_777).to_header_value(), MODIFIED);
    assert_eq!(
        UnixSeconds::new(u64::MAX).to_string(),
        "Fri, 31 Dec 9999 23:59:59 GMT"
    );
    assert_eq!(UnixSeconds::parse_http_date(b"\xFF"), None);
}

#[test]
fn if_range_without_range_is_ignored_however_malformed() {
    let mut headers = HeaderMap::new();
    headers.insert(header::IF_RANGE, HeaderValue::from_static("nonsense"));
    assert!(Preconditions::from_headers(&headers).unwrap().is_empty());
}

#[test]
fn a_resource_without_a_modification_date_ignores_conditions_on_it() {
    let undated = Validators {
        last_modified: None,
        ..current()
    };
    let preconditions = Preconditions {
        if_unmodified_since: Some(UnixSeconds::new(0)),
        if_modified_since: Some(UnixSeconds::MAX),
        ..Preconditions::default()
    };
    assert_eq!(
        preconditions.evaluate(&Method::GET, Some(&undated)),
        Outcome::Proceed
    );
}

#[test]
fn all_malformed_fields_are_told_at_once_and_with_what_would_be_right() {
    let mut headers = HeaderMap::new();
    headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
    headers.insert(header::IF_MATCH, HeaderValue::from_static("k3f7.1-abcd"));
    headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static("*, \"a\""));
    headers.insert(header::IF_RANGE, HeaderValue::from_static("soon"));
    let malformed = Preconditions::from_headers(&headers).unwrap_err();
    let told: Vec<_> = malformed.iter().map(ToString::to_string).collect();
    assert_eq!(told.len(), 3);
    assert!(
        told[0].contains("write \"k3f7.1-abcd\", quotes included"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("if-none-match"), "{}", told[1]);
    assert!(told[2].contains("if-range"), "{}", told[2]);
}

#[test]
fn a_star_stands_alone_over_all_lines() {
    for lines in [["*", "\"a\""], ["\"a\"", "*"]] {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::IF_MATCH, HeaderValue::from_static(line));
        }
        assert!(Preconditions::from_headers(&headers).is_err(), "{lines:?}");
    }
}

#[test]
fn an_empty_list_is_a_condition_that_nothing_meets_and_no_guard() {
    let mut headers = HeaderMap::new();
    headers.insert(header::IF_MATCH, HeaderValue::from_static(" , ,"));
    headers.insert(header::IF_NONE_MATCH, HeaderValue::from_static(""));
    let preconditions = Preconditions::from_headers(&headers).unwrap();
    let outcome = preconditions.evaluate(&Method::PUT, Some(&current()));
    assert_eq!(outcome, Outcome::Failed(Condition::IfMatch));
    let only_none = Preconditions {
        if_match: None,
        ..preconditions
    };
    assert!(!only_none.is_guarded());
}

#[test]
fn what_guards_a_write_is_told() {
    let tag: EntityTag = "\"a\"".parse().unwrap();
    assert!(Preconditions::if_match(tag.clone()).is_guarded());
    assert!(Preconditions::if_match_any().is_guarded());
    assert!(Preconditions::if_none_match(tag).is_guarded());
    assert!(Preconditions::if_none_match_any().is_guarded());
    let since = Some(UnixSeconds::new(1));
    assert!(
        Preconditions {
            if_unmodified_since: since,
            ..Default::default()
        }
        .is_guarded()
    );
    assert!(
        !Preconditions {
            if_modified_since: since,
            ..Default::default()
        }
        .is_guarded()
    );
}

#[test]
fn a_write_compares_tags_without_their_variants() {
    let tag = |text: &str| text.parse::<EntityTag>().unwrap();
    let read = Preconditions {
        if_match: Some(IfMatch::Tags(vec![
            tag("\"k3f7.7-abcd+gzip\""),
            tag("\"x+y\""),
        ])),
        if_none_match: Some(IfNoneMatch::Tags(vec![tag("W/\"k3f7.8-abcd+br\"")])),
        if_range: Some(IfRange::Tag(tag("\"k3f7.9-abcd+zstd\""))),
        ..Preconditions::default()
    };
    let write = read.without_variants();
    assert_eq!(
        write.if_match,
        Some(IfMatch::Tags(vec![tag("\"k3f7.7-abcd\""), tag("\"x+y\"")]))
    );
    assert_eq!(
        write.if_none_match,
        Some(IfNoneMatch::Tags(vec![tag("W/\"k3f7.8-abcd\"")]))
    );
    assert_eq!(write.if_range, Some(IfRange::Tag(tag("\"k3f7.9-abcd\""))));
    let now = Validators {
        etag: tag("\"k3f7.7-abcd\""),
        last_modified: None,
    };
    let guard = Preconditions {
        if_match: write.if_match,
        ..Preconditions::default()
    };
    assert_eq!(guard.evaluate(&Method::PUT, Some(&now)), Outcome::Proceed);
}

fn any_tag() -> impl Strategy<Value = EntityTag> {
    ("[!#-~]{0,8}", any::<bool>()).prop_map(|(opaque, weak)| {
        if weak {
            EntityTag::weak(&opaque).unwrap()
        } else {
            EntityTag::strong(&opaque).unwrap()
        }
    })
}

proptest! {
    #[test]
    fn a_list_of_tags_is_the_same_however_it_is_split_over_lines(
        tags in prop::collection::vec((any_tag(), any::<bool>(), "[ \t,]{0,3}"), 1..6),
    ) {
        let mut lines = vec![String::new()];
        for (tag, starts_line, space) in &tags {
            if *starts_line {
                lines.push(String::new());
            }
            let line = lines.last_mut().unwrap();
            if !line.is_empty() {
                line.push(',');
            }
            line.push_str(&format!("{space}{tag}{space}"));
        }
        let mut headers = HeaderMap::new();
        for line in &lines {
            headers.append(header::IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        let expected: Vec<_> = tags.into_iter().map(|(tag, _, _)| tag).collect();
        let parsed = Preconditions::from_headers(&headers).unwrap();
        prop_assert_eq!(parsed.if_match, Some(IfMatch::Tags(expected)));
    }

    #[test]
    fn any_bytes_in_conditional_fields_are_read_or_refused(
        value in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        if let Ok(value) = HeaderValue::from_bytes(&value) {
            let mut headers = HeaderMap::new();
            for (field, _) in COLUMNS {
                headers.insert(field, value.clone());
            }
            headers.insert(header::RANGE, HeaderValue::from_static("bytes=0-"));
            drop(Preconditions::from_headers(&headers));
        }
    }
}
