//! What a run says, and the forms in which it says it.

mod curl;
mod har;
mod html;
mod json;
mod junit;
mod sarif;
mod terminal;
mod witness;

use std::collections::BTreeMap;

use crate::{
    audit::verdict,
    check::Check,
    engine::Scene,
    finding::{Confidence, Finding, Level, Verdict},
    redact::Redaction,
};

pub(crate) use witness::Recorded;

/// A form of report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people in front of a terminal.
    Terminal,
    /// One page, which needs nothing else and no script.
    Html,
    /// For programs; its schema is published.
    Json,
    /// The exchanges of every witness (HAR 1.2).
    Har,
    /// For code scanning (SARIF 2.1.0).
    Sarif,
    /// For test runners.
    Junit,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 6] = [
        Self::Terminal,
        Self::Html,
        Self::Json,
        Self::Har,
        Self::Sarif,
        Self::Junit,
    ];

    /// As the command line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Terminal => "terminal",
            Self::Html => "html",
            Self::Json => "json",
            Self::Har => "har",
            Self::Sarif => "sarif",
            Self::Junit => "junit",
        }
    }

    /// What a file of it is called after its dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Terminal => "txt",
            Self::Html => "html",
            Self::Json => "json",
            Self::Har => "har",
            Self::Sarif => "sarif",
            Self::Junit => "xml",
        }
    }
}

/// What a run found out, and what it could not show.
#[derive(Debug)]
pub struct Report {
    pub(crate) url: String,
    pub(crate) replicas: Vec<String>,
    pub(crate) profile: Option<&'static str>,
    pub(crate) verdict: Verdict,
    pub(crate) findings: Vec<Finding>,
    /// Check and reason.
    pub(crate) not_shown: Vec<(String, String)>,
    pub(crate) operations: Vec<String>,
    /// How many of them could be read and compared.
    pub(crate) readable: usize,
    pub(crate) checks: Vec<&'static Check>,
    pub(crate) coverage: BTreeMap<(&'static str, String), Level>,
    pub(crate) requests: u64,
    /// Microseconds since 1970.
    pub(crate) began_unix_micros: u64,
    pub(crate) seconds: f64,
    pub(crate) redaction: Redaction,
    /// Why the run ended early.
    pub(crate) over: Option<String>,
}

impl Report {
    pub(crate) fn of(scene: &Scene<'_>, checks: &[&'static Check], over: Option<String>) -> Self {
        let readable = scene.readable();
        let mut not_shown = scene.not_shown.borrow().clone();
        let left_out = scene
            .corpus
            .left_out
            .iter()
            .map(|what| ("crawl".to_owned(), format!("not asked: {what}")));
        not_shown.extend(left_out);
        for operation in scene
            .corpus
            .safe()
            .filter(|operation| !readable.contains(operation))
        {
            not_shown.push(("baseline".to_owned(), unreadable(scene, operation)));
        }
        for operation in scene.corpus.safe() {
            let known = scene.baseline(operation);
            if let Some(reason) = known.and_then(|known| known.response.unread.clone()) {
                let label = scene.label(operation);
                let what = format!("{label}: {reason}; links in its body were not followed");
                not_shown.push(("baseline".to_owned(), what));
            }
        }
        let today = &scene.options.today;
        let expired = scene
            .options
            .waivers
            .iter()
            .filter(|waiver| waiver.is_expired(today));
        not_shown.extend(expired.map(|waiver| {
            (
                "waivers".to_owned(),
                format!(
                    "the waiver of {} expired on {}",
                    waiver.check, waiver.expires
                ),
            )
        }));
        let mut verdict = verdict(scene, &scene.corpus, readable.len());
        if over.is_some() && verdict == Verdict::NoEvidence {
            verdict = Verdict::Inconclusive;
        }
        let mut findings = scene.findings.borrow().clone();
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
        let place = |url: &String| url.clone();
        Self {
            url: scene.options.url.clone(),
            replicas: scene.options.replicas.iter().map(place).collect(),
            profile: scene.options.profile.map(crate::profile::Profile::name),
            verdict,
            findings,
            not_shown,
            operations: scene
                .corpus
                .operations
                .iter()
                .map(crate::corpus::Operation::label)
                .collect(),
            readable: readable.len(),
            checks: checks.to_vec(),
            coverage: scene.coverage.borrow().clone(),
            requests: scene.stage.wire.requests(),
            began_unix_micros: scene.stage.wire.began_unix_micros(),
            seconds: scene.stage.wire.elapsed().as_secs_f64(),
            redaction: Redaction::of(scene.options),
            over,
        }
    }

    /// What it amounts to.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The worst level that no waiver covers.
    #[must_use]
    pub fn worst(&self) -> Level {
        let counted = self
            .findings
            .iter()
            .filter(|finding| finding.waived.is_none());
        counted
            .map(|finding| finding.level)
            .max()
            .unwrap_or(Level::Good)
    }

    /// Each finding's check, level and confidence, worst first; waived ones are left out.
    pub fn findings(&self) -> impl Iterator<Item = (&str, Level, Confidence, &str)> {
        let counted = self
            .findings
            .iter()
            .filter(|finding| finding.waived.is_none());
        counted.map(|finding| {
            (
                finding.check,
                finding.level,
                finding.confidence,
                finding.summary.as_str(),
            )
        })
    }

    /// What the run could not show: check and reason.
    pub fn not_shown(&self) -> impl Iterator<Item = (&str, &str)> {
        self.not_shown
            .iter()
            .map(|(check, reason)| (check.as_str(), reason.as_str()))
    }

    /// The checks that looked at something.
    pub fn covered(&self) -> impl Iterator<Item = &str> {
        let mut ids: Vec<&str> = self.coverage.keys().map(|(check, _)| *check).collect();
        ids.dedup();
        ids.into_iter()
    }

    /// Requests that were sent.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// The report in a form; `colour` is for terminals only.
    #[must_use]
    pub fn write(&self, format: Format, colour: bool) -> String {
        match format {
            Format::Terminal => terminal::write(self, colour),
            Format::Html => html::write(self),
            Format::Json => pretty(&json::document(self)),
            Format::Har => pretty(&har::document(self)),
            Format::Sarif => pretty(&sarif::document(self)),
            Format::Junit => junit::write(self),
        }
    }

    /// The verdict as a sentence. Never "is stateless": only what was looked at can be told.
    #[must_use]
    pub fn sentence(&self) -> String {
        let of = self.operations.len();
        match self.verdict {
            Verdict::Stateful => "stateful (proved)".to_owned(),
            Verdict::Suspect => "suspect: something hints at state between requests".to_owned(),
            Verdict::NoEvidence => {
                let missing = self.checks_not_run();
                format!(
                    "no evidence of state (coverage {} of {of} operations; {missing} checks not run)",
                    self.readable
                )
            }
            Verdict::Inconclusive => match &self.over {
                Some(reason) => format!("inconclusive: {reason}"),
                None => format!(
                    "inconclusive: {} of {of} operations could be compared",
                    self.readable
                ),
            },
        }
    }

    fn checks_not_run(&self) -> usize {
        let is_covered = |check: &&&Check| self.coverage.keys().any(|(id, _)| *id == check.id);
        self.checks.len() - self.checks.iter().filter(is_covered).count()
    }
}

fn unreadable(scene: &Scene<'_>, operation: usize) -> String {
    let label = scene.label(operation);
    match scene.baseline(operation) {
        None => format!("{label}: gives no answer"),
        Some(known) if !known.is_steady => {
            format!("{label}: too much of it differs between identical requests")
        }
        Some(known) => format!(
            "{label}: answers {} to who asks cold",
            known.response.status
        ),
    }
}

fn pretty(document: &serde_json::Value) -> String {
    let text = serde_json::to_string_pretty(document).unwrap_or_default();
    format!("{text}\n")
}
