//! The report: one Markdown table a case, with what the figures are held against.

use std::fmt::Write as _;

use super::rounds::Comparison;

/// A row of the table: what Milepost should reach, relative to whom.
#[derive(Debug)]
pub(super) struct Goal {
    /// The contestant that Milepost is held against.
    pub(super) against: &'static str,
    /// The ratio to reach.
    pub(super) ratio: f64,
}

/// The report so far.
#[derive(Debug, Default)]
pub(super) struct Report {
    text: String,
}

impl Report {
    /// Adds a case: medians, Milepost's ratio to each, and whether the goals are reached.
    pub(super) fn add(&mut self, title: &str, comparison: &Comparison, goals: &[Goal]) {
        self.line(&format!("\n### {title}\n"));
        self.line("| server | per second (median) | Milepost is | goal |");
        self.line("|---|---:|---:|---:|");
        let ours = comparison
            .names
            .iter()
            .position(|name| name.starts_with("Milepost"));
        for (index, name) in comparison.names.iter().enumerate() {
            let goal = goals.iter().find(|goal| name.starts_with(goal.against));
            let ratio = ours
                .filter(|ours| *ours != index)
                .map(|ours| comparison.ratio(ours, index));
            let shown = ratio.map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.2} ×"));
            let goal = goal.map_or_else(String::new, |goal| judged(goal.ratio, ratio));
            self.line(&format!(
                "| {name} | {} | {shown} | {goal} |",
                thousands(comparison.median(index))
            ));
        }
        self.kept(comparison);
    }

    /// Adds a case in which each contestant has a goal of its own: so many times the control.
    pub(super) fn add_against_control(&mut self, title: &str, comparison: &Comparison, goal: f64) {
        let control = comparison.names.first().map_or("", String::as_str);
        self.line(&format!("\n### {title}\n"));
        self.line(&format!(
            "| server | per second (median) | times {control} | goal |"
        ));
        self.line("|---|---:|---:|---|");
        for (index, name) in comparison.names.iter().enumerate() {
            let ratio = (index > 0).then(|| comparison.ratio(index, 0));
            let shown = ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}"));
            let goal = ratio.map_or_else(String::new, |_| judged(goal, ratio));
            let rate = thousands(comparison.median(index));
            self.line(&format!("| {name} | {rate} | {shown} | {goal} |"));
        }
        self.kept(comparison);
    }

    fn kept(&mut self, comparison: &Comparison) {
        let (kept, thrown) = (comparison.rounds.len(), comparison.thrown_away);
        self.line(&format!(
            "\n{kept} rounds kept, {thrown} thrown away because the control before and after lay apart."
        ));
    }

    /// Adds a line of text.
    pub(super) fn line(&mut self, text: &str) {
        // Writing to a string does not fail.
        let _infallible = writeln!(self.text, "{text}");
    }

    /// The Markdown.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

fn judged(goal: f64, ratio: Option<f64>) -> String {
    let reached = ratio.is_some_and(|ratio| ratio >= goal);
    let goal = (goal * 100.0).round() / 100.0;
    format!(
        "{goal} × {}",
        if reached {
            "reached"
        } else {
            "**not reached**"
        }
    )
}

/// A whole number with its thousands apart.
fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_that_is_missed_is_said_so() {
        let comparison = Comparison {
            names: vec!["bare axum".to_owned(), "Milepost".to_owned()],
            rounds: vec![vec![100_000.0, 80_000.0]],
            thrown_away: 1,
        };
        let mut report = Report::default();
        let goals = [Goal {
            against: "bare axum",
            ratio: 0.85,
        }];
        report.add("GET", &comparison, &goals);
        assert!(
            report
                .text()
                .contains("| bare axum | 100,000 | 0.80 × | 0.85 × **not reached** |")
        );
        assert!(report.text().contains("1 thrown away"));
    }

    #[test]
    fn each_contestant_is_held_against_the_control() {
        let comparison = Comparison {
            names: ["by hand", "one", "three"].map(str::to_owned).to_vec(),
            rounds: vec![vec![1000.0, 2100.0, 1900.0]],
            thrown_away: 0,
        };
        let mut report = Report::default();
        report.add_against_control("Writes", &comparison, 2.0);
        let text = report.text();
        assert!(text.contains("| by hand | 1,000 |  |  |"), "{text}");
        assert!(text.contains("| one | 2,100 | 2.10 | 2 × reached |"));
        assert!(text.contains("| three | 1,900 | 1.90 | 2 × **not reached** |"));
    }
}
