//! The report as one page: nothing is loaded, and no script is needed.

mod difference;
mod matrix;
mod memory;
mod race;
mod sequence;
mod style;

use super::{Report, curl, junit::escape};
use crate::finding::{Finding, Level, Witness};

/// The whole page.
pub(super) fn write(report: &Report) -> String {
    let mut page =
        String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    page.push_str("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">");
    page.push_str(&format!(
        "<title>{} – audit of {}</title><style>{}</style></head><body><main>",
        report.verdict.name(),
        escape(&report.url),
        style::SHEET
    ));
    page.push_str(&head(report));
    page.push_str(&matrix::write(report));
    page.push_str("<h2>Findings</h2>");
    let (notes, problems): (Vec<&Finding>, Vec<&Finding>) = report
        .findings
        .iter()
        .partition(|finding| finding.level < Level::Warn);
    if problems.is_empty() {
        page.push_str("<p>None at warn or above.</p>");
    }
    for finding in problems {
        page.push_str(&finding_section(report, finding, true));
    }
    page.push_str("<h2>Notes</h2>");
    for finding in notes {
        page.push_str(&finding_section(report, finding, false));
    }
    page.push_str(&not_shown(report));
    page.push_str("</main></body></html>\n");
    page
}

fn head(report: &Report) -> String {
    let counts = [Level::Bad, Level::Warn, Level::Info, Level::Good].map(|level| {
        let count = report
            .findings
            .iter()
            .filter(|finding| finding.level == level)
            .count();
        format!("<span class=\"tag {level}\">{count} {level}</span>")
    });
    format!(
        "<header class=\"{}\"><h1>{}</h1><p><code>{}</code></p><p>{}</p><p>{} requests in {:.1} s · {} of {} operations could be compared</p></header>",
        report.verdict.name(),
        escape(&report.sentence()),
        escape(&report.url),
        counts.join(" "),
        report.requests,
        report.seconds,
        report.readable,
        report.operations.len(),
    )
}

fn finding_section(report: &Report, finding: &Finding, open: bool) -> String {
    let level = finding.level;
    let subject = finding.operation.as_deref().unwrap_or("service");
    let principles: Vec<String> = finding
        .principles
        .iter()
        .map(|principle| {
            format!(
                "<abbr title=\"{}\">{}</abbr>",
                principle.sentence(),
                principle.code()
            )
        })
        .collect();
    let mut section = format!(
        "<details class=\"finding\"{}><summary><span class=\"tag {level}\">{level}</span> <b>{}</b> {} <code>{}</code> {}</summary>",
        if open { " open" } else { "" },
        finding.check,
        principles.join(" "),
        escape(subject),
        prose(&report.redaction.text(&finding.summary)),
    );
    if let Some(waiver) = &finding.waived {
        section.push_str(&format!(
            "<p class=\"waived\">Waived until {}: {}</p>",
            escape(&waiver.expires),
            escape(&waiver.reason)
        ));
    }
    if !finding.detail.is_empty() {
        section.push_str(&format!(
            "<p class=\"detail\">{}</p>",
            prose(&report.redaction.text(&finding.detail)).replace('\n', "<br>")
        ));
    }
    if let Some(measured) = &finding.measured {
        section.push_str(&memory::write(measured));
    }
    if let Some(witness) = &finding.witness {
        section.push_str(&witness_section(report, witness));
    }
    section.push_str("</details>");
    section
}

/// Text with what stands between backticks as code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escape).collect();
    // One without a partner is a letter like others.
    if parts.len().is_multiple_of(2) {
        return escape(text);
    }
    let mut written = String::new();
    for (number, part) in parts.iter().enumerate() {
        match number % 2 {
            0 => written.push_str(part),
            _ => written.push_str(&format!("<code>{part}</code>")),
        }
    }
    written
}

fn witness_section(report: &Report, witness: &Witness) -> String {
    let proof = &witness.proof;
    let is_race = proof
        .played
        .exchanges
        .iter()
        .flatten()
        .any(|exchange| exchange.together.is_some());
    let mut section = format!("<p>Reproduced {} of {} times.</p>", proof.held, proof.of);
    section.push_str(&sequence::write(report, witness));
    if is_race {
        section.push_str(&race::write(witness));
    }
    section.push_str(&difference::write(report, witness));
    let lines = curl::lines(report, witness).join("\n");
    section.push_str(&format!(
        "<details><summary>Again, by hand</summary><pre>{}</pre></details>",
        escape(&lines)
    ));
    section
}

fn not_shown(report: &Report) -> String {
    let mut section = "<h2>Not shown by this run</h2><ul>".to_owned();
    for (check, reason) in &report.not_shown {
        section.push_str(&format!(
            "<li><b>{}</b> {}</li>",
            escape(check),
            escape(&report.redaction.text(reason))
        ));
    }
    section.push_str("<li>State that shows only in other requests than these.</li></ul>");
    section
}

#[cfg(test)]
mod tests {
    use super::prose;

    #[test]
    fn what_stands_between_backticks_is_code_and_nothing_of_it_is_markup() {
        assert_eq!(
            prose("a: `\"<b>\"` against `null`"),
            "a: <code>&quot;&lt;b&gt;&quot;</code> against <code>null</code>"
        );
        assert_eq!(prose("one ` alone"), "one ` alone");
    }
}
