//! The report for test runners: a suite for each check, a case for each operation it looked at.

use super::Report;
use crate::finding::{Finding, Level};

/// The whole report.
pub(super) fn write(report: &Report) -> String {
    let mut suites = String::new();
    let (mut tests, mut failures) = (0, 0);
    for check in &report.checks {
        let subjects: Vec<&String> = report
            .coverage
            .keys()
            .filter(|(id, _)| *id == check.id)
            .map(|(_, subject)| subject)
            .collect();
        let mut cases = String::new();
        let mut failed = 0;
        for subject in &subjects {
            let problem = report
                .findings
                .iter()
                .find(|finding| is_problem(finding, check.id, subject));
            failed += usize::from(problem.is_some());
            cases.push_str(&case(report, check.id, subject, problem));
        }
        let skipped = if subjects.is_empty() { 1 } else { 0 };
        if subjects.is_empty() {
            let reason = report
                .not_shown
                .iter()
                .find(|(id, _)| id == check.id)
                .map_or("nothing to look at", |(_, reason)| reason);
            cases.push_str(&format!("    <testcase classname=\"{}\" name=\"not run\"><skipped message=\"{}\"/></testcase>\n", check.id, escape(reason)));
        }
        tests += subjects.len() + skipped;
        failures += failed;
        let name = escape(&format!("{} {}", check.id, check.title));
        suites.push_str(&format!(
            "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"{skipped}\">\n{cases}  </testsuite>\n",
            subjects.len() + skipped
        ));
    }
    let time = report.seconds;
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"milepost audit\" tests=\"{tests}\" failures=\"{failures}\" errors=\"0\" time=\"{time:.3}\">\n{suites}</testsuites>\n"
    )
}

/// Whether a finding fails a case: warnings and worse that nobody waived.
fn is_problem(finding: &Finding, check: &str, subject: &str) -> bool {
    finding.check == check
        && finding.level >= Level::Warn
        && finding.waived.is_none()
        && finding.operation.as_deref() == Some(subject)
}

fn case(report: &Report, check: &str, subject: &str, problem: Option<&Finding>) -> String {
    let name = escape(subject);
    match problem {
        None => format!("    <testcase classname=\"{check}\" name=\"{name}\"/>\n"),
        Some(finding) => {
            let message = escape(&report.redaction.text(&finding.summary));
            let curl = finding
                .witness
                .as_ref()
                .map(|witness| super::curl::lines(report, witness).join("\n"));
            let text = escape(&curl.unwrap_or_default());
            let level = finding.level.name();
            format!(
                "    <testcase classname=\"{check}\" name=\"{name}\"><failure type=\"{level}\" message=\"{message}\">{text}</failure></testcase>\n"
            )
        }
    }
}

/// Text for XML; what XML can't hold is replaced.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            letter if letter.is_control() || matches!(letter, '\u{fffe}' | '\u{ffff}') => {
                escaped.push('\u{fffd}')
            }
            letter => escaped.push(letter),
        }
    }
    escaped
}
