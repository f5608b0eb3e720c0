//! Problem types: stable names, and something to do about each.

use std::collections::HashSet;

use milepost_semantics::problem::{ISSUES_MAX, Issue, Part};
use milepost_semantics::{Problem, ProblemType};
use serde_json::json;

#[test]
fn every_type_has_a_unique_camel_case_name_a_title_and_an_explanation() {
    let mut names = HashSet::new();
    for kind in ProblemType::ALL {
        let name = kind.name();
        assert!(names.insert(name), "{name}");
        assert!(name.starts_with(|c: char| c.is_ascii_lowercase()), "{name}");
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric()), "{name}");
        assert!((400..600).contains(&kind.status()), "{name}");
        assert!(!kind.title().ends_with('.'), "{name}");
        assert!(kind.explanation().ends_with('.'), "{name}");
        assert_eq!(kind.status_code().as_u16(), kind.status(), "{name}");
        assert_eq!(ProblemType::from_name(name), Some(*kind));
    }
    assert_eq!(ProblemType::from_name("nonsense"), None);
}

#[test]
fn types_are_listed_by_status() {
    assert!(
        ProblemType::ALL
            .iter()
            .map(|kind| kind.status())
            .is_sorted()
    );
}

#[test]
fn a_failed_transaction_may_answer_with_the_status_of_its_first_failure() {
    let problem = Problem::new(
        ProblemType::TransactionFailed,
        "operation 1: precondition is false",
    );
    assert_eq!(problem.status(), 422);
    let problem = problem.with_member("status", 412);
    assert_eq!(problem.status(), 412);
    assert_eq!(problem.to_json("/v1")["status"], json!(412));
    let wrong = Problem::new(ProblemType::NotFound, "").with_member("status", 200);
    assert_eq!(
        (wrong.status(), &wrong.to_json("")["status"]),
        (404, &json!(404))
    );
}

#[test]
fn a_document_lists_a_bounded_number_of_issues() {
    let issues = (0..10_000).map(|n| Issue::new(Part::Body, format!("/{n}"), "bad"));
    let problem = Problem::new(ProblemType::InvalidDocument, "bad").with_issues(issues);
    assert_eq!(
        problem.to_json("/v1")["issues"].as_array().unwrap().len(),
        ISSUES_MAX
    );
}
