//! Prometheus' text format, version 0.0.4.

use std::fmt::Write;

/// What a figure does over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FigureKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// A single figure from elsewhere, e.g. from the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// Its name, as `milepost_store_commits_total`.
    pub name: &'static str,
    /// What it says, in one line without a backslash.
    pub help: &'static str,
    /// What it does over time.
    pub kind: FigureKind,
    /// How it stands.
    pub value: u64,
}

/// A page of metrics being written.
#[derive(Debug, Default)]
pub(super) struct Text(String);

impl Text {
    /// Opens a family of samples.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// One sample; labels as `a="b",c="d"`, already escaped, or nothing.
    pub(super) fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        if labels.is_empty() {
            self.line(format_args!("{name} {value}"));
        } else {
            self.line(format_args!("{name}{{{labels}}} {value}"));
        }
    }

    pub(super) fn figure(&mut self, figure: &Figure) {
        let kind = match figure.kind {
            FigureKind::Counter => "counter",
            FigureKind::Gauge => "gauge",
        };
        self.family(figure.name, kind, figure.help);
        self.sample(figure.name, "", figure.value);
    }

    pub(super) fn into_string(self) -> String {
        self.0
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a string can't fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Microseconds as seconds, exactly.
pub(super) fn seconds(us: u64) -> String {
    let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
