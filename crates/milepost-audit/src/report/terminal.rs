//! The report for people: the verdict, the notes by category, what was not shown.

use super::Report;
use crate::finding::{Confidence, Finding, Level, Verdict};

/// Notes of one category that are printed in full.
const NOTES_MAX: usize = 40;

/// The whole report.
pub(super) fn write(report: &Report, colour: bool) -> String {
    let paint = Paint(colour);
    let mut lines = vec![
        format!(
            "{}  {}",
            paint.verdict(report.verdict, &report.sentence()),
            report.url
        ),
        format!(
            "{} requests, {:.1} s, {} operations",
            report.requests,
            report.seconds,
            report.operations.len()
        ),
    ];
    let mut categories: Vec<&str> = report.checks.iter().map(|check| check.category).collect();
    categories.dedup();
    let mut told: Vec<&str> = Vec::new();
    for category in categories {
        if told.contains(&category) {
            continue;
        }
        told.push(category);
        let of_category = |finding: &&Finding| {
            let check = report.checks.iter().find(|check| check.id == finding.check);
            check.is_some_and(|check| check.category == category)
        };
        let notes: Vec<&Finding> = report.findings.iter().filter(of_category).collect();
        if notes.is_empty() {
            continue;
        }
        lines.push(String::new());
        lines.push(paint.bold(category));
        lines.extend(
            notes
                .iter()
                .take(NOTES_MAX)
                .map(|finding| line(report, finding, paint)),
        );
        if notes.len() > NOTES_MAX {
            lines.push(format!("  and {} more", notes.len() - NOTES_MAX));
        }
    }
    lines.push(String::new());
    lines.push(paint.bold("not shown by this run"));
    if report.not_shown.is_empty() {
        lines.push("  state that shows only in other requests than these".to_owned());
    }
    lines.extend(grouped(&report.not_shown));
    lines.push(String::new());
    lines.join("\n")
}

fn line(report: &Report, finding: &Finding, paint: Paint) -> String {
    let subject = finding
        .operation
        .as_deref()
        .map(|operation| format!("{operation}: "))
        .unwrap_or_default();
    let sure = match finding.confidence {
        Confidence::Proved => match &finding.witness {
            Some(witness) => format!("  [{} of {}]", witness.proof.held, witness.proof.of),
            None => String::new(),
        },
        Confidence::Observed if finding.level == Level::Good => String::new(),
        other => format!("  [{}]", other.name()),
    };
    let waived = finding
        .waived
        .as_ref()
        .map(|waiver| format!("  waived until {}: {}", waiver.expires, waiver.reason));
    let text = report
        .redaction
        .text(&format!("{subject}{}", finding.summary));
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!(
        "  {} {:<5} {text}{sure}{}",
        paint.level(finding.level),
        finding.check,
        waived.unwrap_or_default()
    )
}

/// Reasons with the checks that share them.
fn grouped(not_shown: &[(String, String)]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for (check, reason) in not_shown {
        match groups.iter_mut().find(|(known, _)| known == reason) {
            Some((_, checks)) => checks.push(check),
            None => groups.push((reason, vec![check])),
        }
    }
    let line = |(reason, checks): (&str, Vec<&str>)| format!("  {}: {reason}", checks.join(", "));
    groups.into_iter().map(line).collect()
}

#[derive(Clone, Copy)]
struct Paint(bool);

impl Paint {
    fn code(self, code: &str, text: &str) -> String {
        if self.0 {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    fn bold(self, text: &str) -> String {
        self.code("1", text)
    }

    fn level(self, level: Level) -> String {
        let name = format!("{:<4}", level.name());
        match level {
            Level::Good => self.code("32", &name),
            Level::Info => self.code("36", &name),
            Level::Warn => self.code("33", &name),
            Level::Bad => self.code("31", &name),
        }
    }

    fn verdict(self, verdict: Verdict, text: &str) -> String {
        match verdict {
            Verdict::Stateful => self.code("1;31", text),
            Verdict::Suspect | Verdict::Inconclusive => self.code("1;33", text),
            Verdict::NoEvidence => self.code("1;32", text),
        }
    }
}
