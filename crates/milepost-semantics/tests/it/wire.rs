//! The wire documents are exactly their golden fixtures, read and written.

use milepost_semantics::json::{Limits, parse};
use milepost_semantics::problem::{Issue, Part, Problem, ProblemType};
use milepost_semantics::wire::{
    ListPage, OperationFailure, OperationKind, PageEnd, PageItem, PageTail, PageWriter,
    TransactionDocument, TransactionOutcome,
};
use milepost_semantics::{JsonPointer, Preconditions};
use serde_json::{Value, json};

const PAGES: [&str; 4] = [
    include_str!("../../fixtures/page-snapshot.json"),
    include_str!("../../fixtures/page-snapshot-last.json"),
    include_str!("../../fixtures/page-sorted.json"),
    include_str!("../../fixtures/page-changes.json"),
];

fn document(text: &str) -> Value {
    parse(text.as_bytes(), Limits::default()).unwrap()
}

fn rewritten(page: &ListPage) -> Vec<u8> {
    let mut writer = PageWriter::new(&page.self_href, page.kind, page.replace, 0);
    for item in &page.items {
        match item {
            PageItem::Live {
                href,
                id,
                etag,
                value,
            } => {
                writer.live(href, id, etag, value.get().as_bytes());
            }
            PageItem::Deleted { href, id, position } => writer.deleted(href, id, *position),
        }
    }
    assert_eq!(writer.items(), page.items.len());
    let mut tail = PageTail::new(page.end(), page.position);
    tail.oldest = page.oldest;
    tail.total = page.total;
    tail.digest = page.digest.clone();
    writer.finish(&tail)
}

#[test]
fn a_page_is_read_and_written_byte_for_byte_as_its_fixture() {
    for fixture in PAGES {
        let page: ListPage = serde_json::from_str(fixture).unwrap();
        assert_eq!(serde_json::to_string(&page).unwrap(), fixture.trim_end());
        assert_eq!(
            String::from_utf8(rewritten(&page)).unwrap(),
            fixture.trim_end()
        );
    }
}

#[test]
fn a_page_says_how_it_goes_on() {
    let ends = PAGES.map(|fixture| serde_json::from_str::<ListPage>(fixture).unwrap().end());
    assert!(matches!(&ends[0], PageEnd::Next(href) if href.contains("/snapshots/")));
    assert!(matches!(&ends[1], PageEnd::Resume(href) if href.contains("/changes/")));
    assert_eq!(ends[2], PageEnd::Closed);
    assert!(matches!(&ends[3], PageEnd::Resume(_)));
}

#[test]
fn an_item_that_is_neither_live_nor_deleted_is_refused() {
    for item in [
        r#"{"href":"/a","id":"a"}"#,
        r#"{"href":"/a","id":"a","deleted":true}"#,
    ] {
        assert!(serde_json::from_str::<PageItem>(item).is_err(), "{item}");
    }
}

#[test]
fn a_transaction_is_read_and_written_as_its_fixture() {
    let fixture = include_str!("../../fixtures/transaction.json");
    let transaction = TransactionDocument::parse(document(fixture)).unwrap();
    assert_eq!(transaction.to_json().to_string(), fixture.trim_end());
    let methods: Vec<_> = transaction
        .operations
        .iter()
        .map(|op| op.kind.method())
        .collect();
    assert_eq!(methods, ["PUT", "PATCH", "PATCH", "PUT", "DELETE", "CHECK"]);
    assert_eq!(
        transaction.operations[3].preconditions,
        Preconditions::if_none_match_any()
    );
    assert_eq!(
        transaction.operations[4].preconditions,
        Preconditions::if_match_any()
    );
    assert_eq!(
        transaction.operations[3].kind,
        OperationKind::Put { value: Value::Null }
    );
}

#[test]
fn everything_wrong_with_a_transaction_is_told_at_once() {
    let bad = json!({
        "operation": 1,
        "operations": [
            { "method": "PUT", "href": "accounts/17" },
            { "method": "PUT", "href": "/v1/a/1", "value": 1, "ifmatch": "\"x\"" },
            { "method": "PUT", "href": "/v1/a/1", "value": 1, "ifMatch": "x", "contentType": "a/b" },
            { "method": "PATCH", "href": "/v1/a/1", "value": 1, "contentType": "application/json" },
            { "method": "DELETE", "href": "/v1/a/1", "value": null },
            { "method": "CHECK", "href": "/v1/a/1" },
            { "method": "post" },
            { "method": "PUT", "href": "//evil.example/x", "value": 1, "ifNoneMatch": "" },
            17,
        ]
    });
    let issues = TransactionDocument::parse(bad).unwrap_err();
    let names: Vec<_> = issues.iter().map(|issue| issue.name.as_str()).collect();
    let expected = [
        "/operation",
        "/operations/0/href",
        "/operations/0",
        "/operations/1/ifmatch",
        "/operations/2/ifMatch",
        "/operations/2/contentType",
        "/operations/3/contentType",
        "/operations/4/value",
        "/operations/5",
        "/operations/6",
        "/operations/6/method",
        "/operations/7/href",
        "/operations/7/ifNoneMatch",
        "/operations/8",
    ];
    assert_eq!(names, expected);
    assert!(
        issues
            .iter()
            .all(|issue| JsonPointer::parse(&issue.name).is_ok())
    );
}

#[test]
fn a_transaction_without_operations_is_refused() {
    for bad in [
        json!({}),
        json!({ "operations": [] }),
        json!({ "operations": 1 }),
        json!([]),
    ] {
        assert_eq!(TransactionDocument::parse(bad).unwrap_err().len(), 1);
    }
}

#[test]
fn an_outcome_is_read_and_written_as_its_fixture() {
    let fixture = include_str!("../../fixtures/transaction-outcome.json");
    let outcome: TransactionOutcome = serde_json::from_str(fixture).unwrap();
    assert_eq!(outcome.to_json().to_string(), fixture.trim_end());
}

#[test]
fn the_failures_of_a_transaction_are_read_and_written_as_their_fixture() {
    let fixture = include_str!("../../fixtures/transaction-failed.json");
    let failed: Vec<OperationFailure> = serde_json::from_str(fixture).unwrap();
    let written = Value::Array(failed.iter().map(OperationFailure::to_json).collect());
    assert_eq!(written.to_string(), fixture.trim_end());
}

#[test]
fn a_problem_is_written_as_its_fixture() {
    let problem = Problem::new(ProblemType::InvalidQuery, "2 parameters cannot be used")
        .with_instance("urn:uuid:0190f5a4-6e2f-7000-8000-000000000001")
        .with_issue(
            Issue::new(Part::Query, "pageSize", "it is a number from 1 to 1000").with_value("0"),
        )
        .with_issue(Issue::new(
            Part::Query,
            "colour",
            "there is no such parameter",
        ))
        .with_member("limits", json!({ "pageSize": 1000 }))
        .with_member("title", "an extra member never replaces another");
    let fixture = include_str!("../../fixtures/problem.json");
    assert_eq!(
        String::from_utf8(problem.to_bytes("/v1")).unwrap(),
        fixture.trim_end()
    );
}
