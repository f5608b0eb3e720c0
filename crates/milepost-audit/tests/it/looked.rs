//! What the auditor looks at, and says of it, beside who finds what: streams that are dropped, bodies
//! that come compressed, what only a description names, and what it takes away again.

use std::time::Duration;

use milepost_audit::{Format, Limits, Options, audit};

use crate::{
    matrix::{audited_by, each},
    mutant::{Flaw, Mutant},
};

#[test]
fn what_is_left_of_a_dropped_stream_is_measured_and_what_is_not_left_is_said_to_be() {
    let cases: [(Flaw, &[&str]); 3] = [
        (
            Flaw::StreamForgotten,
            &["nothing stays of a stream", "goes on elsewhere"],
        ),
        (Flaw::StreamForgottenLate, &["is forgotten some time after"]),
        (Flaw::StreamResidue, &["something stays of each stream"]),
    ];
    let wrong = each(&cases, |(flaw, words)| {
        let report = audited_by(*flaw, vec!["SB-1".to_owned()]);
        let missing = words.iter().filter(|words| {
            let mut said = report.findings();
            said.all(|(_, _, _, summary)| !summary.contains(**words))
        });
        let told = |words| {
            format!(
                "{flaw:?}: {words}: {}",
                report.write(Format::Terminal, false)
            )
        };
        missing.map(told).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_comes_compressed_unasked_is_followed_as_if_it_were_not() {
    let count = |flaw| {
        let report = audited_by(flaw, vec!["CC-1".to_owned()]);
        assert!(
            report
                .not_shown()
                .all(|(_, reason)| !reason.contains("coding"))
        );
        report.sentence()
    };
    assert_eq!(count(Flaw::Compressed), count(Flaw::None));
}

#[test]
fn what_was_made_in_the_sandbox_is_deleted_again() {
    let mutant = Mutant::start(Flaw::None, 1);
    let options = Options {
        url: mutant.urls[0].clone(),
        sandbox: Some("/notes".to_owned()),
        only: ["CA-2", "CA-5"].map(str::to_owned).to_vec(),
        limits: Limits {
            clock: Duration::ZERO,
            ..Limits::default()
        },
        ..Options::default()
    };
    let report = audit(&options, |_| {}).unwrap();
    assert!(report.covered().any(|check| check == "CA-5"));
    assert_eq!(mutant.notes(), 0);
}

#[test]
fn what_only_a_linked_description_names_is_asked_too() {
    let report = audited_by(Flaw::None, vec!["CC-1".to_owned()]);
    let report: serde_json::Value =
        serde_json::from_str(&report.write(Format::Json, false)).unwrap();
    let operations = report["coverage"]["operations"].as_array().unwrap();
    assert!(
        operations
            .iter()
            .any(|operation| operation == "GET /described")
    );
}
