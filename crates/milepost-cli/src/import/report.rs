//! What an import did: the counts, and each record that is not in.

use serde_json::{Value, json};

/// The most records that are named; after that they are only counted.
const NAMED_MAX: usize = 100;

/// The counts of one import.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Written as new resources.
    pub(crate) imported: u64,
    /// Written over resources that were there.
    pub(crate) replaced: u64,
    /// Written by an earlier run of the same import, whose outcome was recorded.
    pub(crate) recorded: u64,
    /// Left out because the resource was there already.
    pub(crate) skipped: u64,
    /// Left out because the record was not acceptable.
    pub(crate) refused: u64,
    /// Transactions that were carried out.
    pub(crate) chunks: u64,
    named: Vec<(u64, String)>,
}

impl Report {
    /// Notes a record that is left out.
    pub(crate) fn refuse(&mut self, line: u64, detail: String) {
        self.refused += 1;
        if self.named.len() < NAMED_MAX {
            // What the server refuses is known later than what is no record at all.
            let place = self.named.partition_point(|(earlier, _)| *earlier <= line);
            self.named.insert(place, (line, detail));
        }
    }

    /// How many records have been dealt with.
    pub(crate) fn records(&self) -> u64 {
        self.imported + self.replaced + self.recorded + self.skipped + self.refused
    }

    /// How many are in, by this run or an earlier one.
    pub(crate) fn is_in(&self) -> u64 {
        self.imported + self.replaced + self.recorded
    }

    /// The records left out, as lines.
    pub(crate) fn refusals(&self) -> Vec<String> {
        let mut lines: Vec<String> = self
            .named
            .iter()
            .map(|(line, detail)| format!("line {line}: {detail}"))
            .collect();
        let unnamed = self.refused - u64::try_from(self.named.len()).unwrap_or(self.refused);
        if unnamed > 0 {
            lines.push(format!("… and {unnamed} more"));
        }
        lines
    }

    /// One sentence for people.
    pub(crate) fn summary(&self) -> String {
        let counts = [
            (self.imported, "imported"),
            (self.replaced, "replaced"),
            (self.recorded, "already in by an earlier run"),
            (self.skipped, "left as they were"),
            (self.refused, "refused"),
        ];
        let told: Vec<String> = counts
            .iter()
            .filter(|(count, what)| *count > 0 || *what == "imported")
            .map(|(count, what)| format!("{count} {what}"))
            .collect();
        told.join(", ")
    }

    /// The same for programs.
    pub(crate) fn to_json(&self, seconds: f64) -> Value {
        let refusals: Vec<Value> = self
            .named
            .iter()
            .map(|(line, detail)| json!({ "line": line, "detail": detail }))
            .collect();
        json!({
            "imported": self.imported,
            "replaced": self.replaced,
            "recorded": self.recorded,
            "skipped": self.skipped,
            "refused": self.refused,
            "chunks": self.chunks,
            "seconds": (seconds * 1_000.0).round() / 1_000.0,
            "refusals": refusals,
        })
    }
}
