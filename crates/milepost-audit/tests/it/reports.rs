//! The forms of a report: each is what it says to be, holds what was found, and no secret.

use milepost_audit::{Format, Options, replay};
use serde_json::Value;

use crate::{
    matrix::{audited, audited_by},
    mutant::{Flaw, Mutant},
};

#[test]
fn the_json_report_is_what_its_published_schema_says() {
    let schema: Value =
        serde_json::from_str(include_str!("../../../../docs/audit/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for flaw in [Flaw::CookieMap, Flaw::NonAtomicSwap, Flaw::None] {
        let report: Value =
            serde_json::from_str(&audited(flaw).write(Format::Json, false)).unwrap();
        let wrong: Vec<String> = validator
            .iter_errors(&report)
            .map(|error| format!("{error} at {}", error.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}

#[test]
fn what_was_found_at_a_cookie_replays_and_does_not_at_a_clean_service() {
    let report = audited(Flaw::CookieMap).write(Format::Json, false);
    let report: Value = serde_json::from_str(&report).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let rewound = findings
        .iter()
        .find(|finding| finding["check"] == "SC-3")
        .unwrap();
    let witness = rewound["witness"].to_string();
    for (flaw, expected) in [(Flaw::CookieMap, true), (Flaw::None, false)] {
        let mutant = Mutant::start(flaw, 2);
        let options = Options {
            url: mutant.urls[0].clone(),
            replicas: mutant.urls[1..].to_vec(),
            bearer: Some("token-a".to_owned()),
            ..Options::default()
        };
        let replayed = replay(&witness, &options).unwrap();
        assert_eq!(replayed.len(), 1);
        assert_eq!(replayed[0].is_reproduced, expected, "{flaw:?}");
    }
    assert!(replay("{}", &Options::default()).is_err());
}

#[test]
fn warnings_replay_where_they_were_given_and_not_at_a_clean_service() {
    let warned = [
        (Flaw::UnsafeGet, "MT-1"),
        (Flaw::BoundLink, "UR-1"),
        (Flaw::DeletedCursor, "PG-3"),
        (Flaw::LinkedCursor, "PG-3"),
        (Flaw::CursorInMemory, "PG-3"),
    ];
    for (flaw, check) in warned {
        let report = audited_by(flaw, vec![check.to_owned()]).write(Format::Json, false);
        for (at, expected) in [(flaw, true), (Flaw::None, false)] {
            let mutant = Mutant::start(at, 1);
            let options = Options {
                url: mutant.urls[0].clone(),
                ..Options::default()
            };
            let replayed = replay(&report, &options).unwrap();
            let mut of_check = replayed.iter().filter(|one| one.check == check);
            // One that begins at a cursor of the audited process leads nowhere at another.
            let is_reproduced = of_check.any(|one| one.is_reproduced);
            assert_eq!(is_reproduced, expected, "{flaw:?} at {at:?}: {replayed:?}");
        }
    }
}

#[test]
fn without_a_look_at_memory_what_becomes_of_a_dropped_stream_is_said_not_to_be_shown() {
    let told = |flaw| audited_by(flaw, vec!["SB-1".to_owned()]).write(Format::Terminal, false);
    let unshown = "SB-1: what is left of a dropped stream: needs --pid N or --metrics";
    assert!(told(Flaw::StreamRegistry).contains(unshown));
    assert!(!told(Flaw::None).contains(unshown));
}

#[test]
fn no_form_of_a_report_tells_a_secret() {
    let report = audited(Flaw::CookieMap);
    for format in Format::ALL {
        let text = report.write(format, true);
        assert!(
            !text.contains("token-a") && !text.contains("token-b"),
            "{}",
            format.name()
        );
        let after_name = text.split("sid=").skip(1);
        for value in after_name {
            let is_secret = value.chars().take(16).all(|c| c.is_ascii_hexdigit());
            assert!(!is_secret, "{} tells a cookie", format.name());
        }
    }
}

#[test]
fn sarif_har_junit_and_html_hold_what_was_found() {
    let report = audited(Flaw::CookieMap);
    let sarif: Value = serde_json::from_str(&report.write(Format::Sarif, false)).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(
        results
            .iter()
            .any(|result| result["ruleId"] == "SC-3" && result["level"] == "error")
    );
    let har: Value = serde_json::from_str(&report.write(Format::Har, false)).unwrap();
    let entries = har["log"]["entries"].as_array().unwrap();
    assert!(
        entries.len() > 10
            && entries
                .iter()
                .all(|entry| entry["request"]["url"].is_string())
    );
    let junit = report.write(Format::Junit, false);
    assert!(junit.starts_with("<?xml") && junit.contains("<failure type=\"bad\""));
    let html = report.write(Format::Html, false);
    assert!(html.contains("remembered at #") && html.contains("<svg") && !html.contains("<script"));
}
