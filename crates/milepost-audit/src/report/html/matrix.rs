//! Coverage: operations down, checks across; what was not looked at stays empty.

use super::{super::Report, escape};

/// Rows that are shown.
const ROWS_MAX: usize = 300;

pub(super) fn write(report: &Report) -> String {
    let mut subjects: Vec<&String> = report.coverage.keys().map(|(_, subject)| subject).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let mut table =
        "<h2>Coverage</h2><div class=\"scroll\"><table class=\"matrix\"><tr><th></th>".to_owned();
    for check in &report.checks {
        table.push_str(&format!(
            "<th class=\"check\" title=\"{}\">{}</th>",
            escape(check.title),
            check.id
        ));
    }
    table.push_str("</tr>");
    for subject in subjects.iter().take(ROWS_MAX) {
        table.push_str(&format!("<tr><th>{}</th>", escape(subject)));
        for check in &report.checks {
            let key = (check.id, (*subject).clone());
            table.push_str(&match report.coverage.get(&key) {
                None => "<td></td>".to_owned(),
                Some(level) => format!(
                    "<td class=\"{level}\" title=\"{} {level}\">{}</td>",
                    check.id,
                    sign(level.name())
                ),
            });
        }
        table.push_str("</tr>");
    }
    table.push_str("</table></div><p>· looked at and fine, i worth knowing, ! warning, ✗ breaks a principle, empty: not looked at.</p>");
    table
}

fn sign(level: &str) -> &'static str {
    match level {
        "good" => "·",
        "info" => "i",
        "warn" => "!",
        _ => "✗",
    }
}
