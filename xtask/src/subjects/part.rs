//! A subject's part of the page: its row and its section, from the report of its audit.

use serde_json::Value;

use super::subject::Subject;

/// Findings of one check that are listed one by one.
const OF_ONE_CHECK_MAX: usize = 2;
/// Requests of a witness that are spelt out.
const SPELT_MAX: usize = 5;

/// What was seen of a subject.
#[derive(Debug)]
pub(super) struct Part<'p> {
    pub(super) subject: &'p Subject,
    pub(super) version: &'p str,
    pub(super) day: &'p str,
    /// The JSON report.
    pub(super) report: &'p Value,
    /// Whether each witness of the report was seen again, in its order.
    pub(super) again: Vec<bool>,
}

/// A finding, and whether its witness was seen again.
struct Told<'p> {
    finding: &'p Value,
    again: Option<bool>,
}

impl Told<'_> {
    fn text(&self, pointer: &str) -> &str {
        let value = self.finding.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default()
    }

    fn is_serious(&self) -> bool {
        matches!(self.text("/level"), "warn" | "bad")
    }

    /// "`GET /a` 200, `GET /b` 200: #1 is remembered at #2 through …; 3 of 3; replayed".
    fn witness(&self) -> String {
        let Some(witness) = self
            .finding
            .get("witness")
            .filter(|known| known.is_object())
        else {
            return measured(self.finding)
                .unwrap_or_else(|| "none: by names or one look".to_owned());
        };
        let exchanges = witness.get("exchanges").and_then(Value::as_array);
        let spelt: Vec<String> = exchanges.into_iter().flatten().map(spelt).collect();
        let more = spelt.len().saturating_sub(SPELT_MAX);
        let mut text = spelt
            .iter()
            .take(SPELT_MAX)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        if more > 0 {
            text.push_str(&format!(" and {more} more"));
        }
        let number = |pointer: &str| witness.pointer(pointer).and_then(Value::as_u64);
        let through = witness
            .pointer("/remembered/through")
            .and_then(Value::as_str);
        if let (Some(from), Some(at), Some(through)) = (
            number("/remembered/from"),
            number("/remembered/at"),
            through,
        ) {
            let (from, at) = (from + 1, at + 1);
            text.push_str(&format!(
                "; #{from} is remembered at #{at} through {through}"
            ));
        }
        if let (Some(held), Some(of)) = (number("/reproduced/held"), number("/reproduced/of")) {
            text.push_str(&format!("; held {held} of {of}"));
        }
        text.push_str(match self.again {
            Some(true) => "; **replayed**",
            Some(false) => "; not seen again when replayed",
            None => "; not replayed",
        });
        text
    }
}

fn spelt(exchange: &Value) -> String {
    if exchange.get("restart").is_some() {
        return "restart".to_owned();
    }
    let text = |pointer: &str| exchange.pointer(pointer).and_then(Value::as_str);
    let url = text("/url").unwrap_or_default();
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    let status = exchange.pointer("/response/status").map(Value::to_string);
    format!(
        "`{} /{}` {}",
        text("/method").unwrap_or_default(),
        cut(path),
        status.unwrap_or_default()
    )
}

fn cut(path: &str) -> String {
    let short: String = path.chars().take(48).collect();
    if short.len() < path.len() {
        format!("{short}…")
    } else {
        short
    }
}

fn measured(finding: &Value) -> Option<String> {
    let measured = finding.get("measured").filter(|known| known.is_object())?;
    let figure = |name: &str| measured.get(name).and_then(Value::as_f64);
    Some(format!(
        "measured: {:.0} bytes a client (95 %: {:.0} to {:.0})",
        figure("bytesPerClient")?,
        figure("low")?,
        figure("high")?
    ))
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

impl<'p> Part<'p> {
    /// A subject's part, from what is left of its run.
    pub(super) fn of(subject: &'p Subject, seen: &'p Value, report: &'p Value) -> Self {
        let text = |name: &str| seen.get(name).and_then(Value::as_str).unwrap_or_default();
        let again = seen.get("again").and_then(Value::as_array);
        let again = again.into_iter().flatten().filter_map(Value::as_bool);
        Self {
            subject,
            version: text("version"),
            day: text("day"),
            report,
            again: again.collect(),
        }
    }
}

impl Part<'_> {
    fn told(&self) -> Vec<Told<'_>> {
        let findings = self.report.get("findings").and_then(Value::as_array);
        let mut again = self.again.iter();
        let all = findings.into_iter().flatten().map(|finding| {
            let has_witness = finding.get("witness").is_some_and(Value::is_object);
            let again = if has_witness {
                again.next().copied()
            } else {
                None
            };
            Told { finding, again }
        });
        all.collect()
    }

    fn verdict(&self) -> &str {
        let verdict = self.report.get("verdict").and_then(Value::as_str);
        verdict.unwrap_or("none")
    }

    /// Checks with findings at warn or above, the worst first, each once.
    fn checks(&self) -> Vec<String> {
        let mut checks: Vec<String> = Vec::new();
        for told in self.told().iter().filter(|told| told.is_serious()) {
            let name = match told.text("/level") {
                "bad" => format!("**{}**", told.text("/check")),
                _ => told.text("/check").to_owned(),
            };
            if !checks.contains(&name) {
                checks.push(name);
            }
        }
        checks
    }

    /// What of the expectation was not seen.
    fn differing(&self) -> Vec<String> {
        let expected = &self.subject.expected;
        let found = self.checks();
        let mut differing = Vec::new();
        if !expected.verdicts.contains(&self.verdict()) {
            differing.push(format!("the verdict is {}", self.verdict()));
        }
        let missing = expected
            .by
            .iter()
            .filter(|check| found.iter().all(|name| name.trim_matches('*') != **check));
        differing.extend(missing.map(|check| format!("{check} finds nothing")));
        let bad = found
            .iter()
            .filter(|name| name.starts_with('*'))
            .map(|name| name.trim_matches('*'));
        let more: Vec<&str> = bad.filter(|check| !expected.by.contains(check)).collect();
        if !more.is_empty() {
            differing.push(format!("{} beyond that", more.join(", ")));
        }
        differing
    }

    /// How many witnesses of findings at warn or above were seen again, of how many.
    fn replayed(&self) -> (usize, usize) {
        let told = self.told();
        let played: Vec<bool> = told
            .iter()
            .filter(|told| told.is_serious())
            .filter_map(|told| told.again)
            .collect();
        (played.iter().filter(|again| **again).count(), played.len())
    }

    /// The row of the table.
    pub(super) fn row(&self) -> String {
        let subject = self.subject;
        let (again, of) = self.replayed();
        let checks = self.checks();
        let checks = if checks.is_empty() {
            "none".to_owned()
        } else {
            checks.join(", ")
        };
        let differing = self.differing();
        let met = if differing.is_empty() {
            "as expected".to_owned()
        } else {
            differing.join("; ")
        };
        format!(
            "| [{name}](#{anchor}) | {} | {} | {} | {checks} | {again} of {of} | {} | {} |",
            self.version,
            self.day,
            self.verdict(),
            cell(subject.expected.sentence),
            cell(&met),
            name = subject.name,
            anchor = subject.name,
        )
    }

    /// The section.
    pub(super) fn text(&self) -> String {
        let subject = self.subject;
        let mut text = format!("\n## {}\n\n", subject.name);
        text.push_str(&format!(
            "{} {}, {}. Seen on {}: {}, {} requests in {:.0} s.\n",
            subject.name,
            self.version,
            subject.setting,
            self.day,
            self.sentence(),
            self.figure("requests"),
            self.figure("seconds"),
        ));
        text.push_str(&self.findings());
        text.push_str(&self.not_shown());
        text.push_str(&format!("\nExpected: {}. ", subject.expected.sentence));
        let differing = self.differing();
        if differing.is_empty() {
            text.push_str("Seen as expected.\n");
        } else {
            text.push_str(&format!("Seen otherwise: {}.\n", differing.join("; ")));
        }
        if !subject.expected.remark.is_empty() {
            text.push_str(&format!("\n{}\n", subject.expected.remark));
        }
        text
    }

    fn sentence(&self) -> &str {
        let sentence = self.report.get("sentence").and_then(Value::as_str);
        sentence.unwrap_or_default()
    }

    fn figure(&self, name: &str) -> f64 {
        let figure = self.report.get(name).and_then(Value::as_f64);
        figure.unwrap_or_default()
    }

    fn findings(&self) -> String {
        let told = self.told();
        let serious: Vec<&Told<'_>> = told.iter().filter(|told| told.is_serious()).collect();
        if serious.is_empty() {
            return "\nNo finding at warn or above.\n".to_owned();
        }
        let mut text =
            "\n| check | level | operation | finding | witness |\n|---|---|---|---|---|\n"
                .to_owned();
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for told in serious {
            let check = told.text("/check");
            let known = counts.iter_mut().find(|(name, _)| *name == check);
            let count = match known {
                Some((_, count)) => {
                    *count += 1;
                    *count
                }
                None => {
                    counts.push((check, 1));
                    1
                }
            };
            if count <= OF_ONE_CHECK_MAX {
                text.push_str(&format!(
                    "| [{check}](audit/{}.md) | {} | {} | {} | {} |\n",
                    check.to_lowercase(),
                    told.text("/level"),
                    cell(&format!("`{}`", told.text("/operation"))),
                    cell(told.text("/summary")),
                    cell(&told.witness())
                ));
            }
        }
        let more = counts.iter().filter(|(_, count)| *count > OF_ONE_CHECK_MAX);
        for (check, count) in more {
            text.push_str(&format!(
                "\n{check} says the same of {} more.\n",
                count - OF_ONE_CHECK_MAX
            ));
        }
        text
    }

    fn not_shown(&self) -> String {
        let all = self.report.get("notShown").and_then(Value::as_array);
        let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
        for entry in all.into_iter().flatten() {
            let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
            let (check, reason) = (text("check").to_owned(), text("reason").to_owned());
            if reason.starts_with("not applicable") {
                continue;
            }
            match reasons.iter_mut().find(|(known, _)| *known == reason) {
                Some((_, checks)) if checks.contains(&check) => {}
                Some((_, checks)) => checks.push(check),
                None => reasons.push((reason, vec![check])),
            }
        }
        let line =
            |(reason, checks): (String, Vec<String>)| format!("{}: {reason}", checks.join(", "));
        let lines: Vec<String> = reasons.into_iter().map(line).collect();
        if lines.is_empty() {
            return String::new();
        }
        format!("\nNot shown by this run: {}.\n", lines.join("; "))
    }
}

/// The page of all parts.
pub(super) fn page(rows: &str, parts: &str) -> String {
    format!("{OPENING}{rows}{LEGEND}{parts}")
}

const OPENING: &str = "\
# Services that were audited

What `milepost audit` said of services that others made, each installed in the version that is named, started on loopback
and audited by `cargo xtask subjects`, which wrote this page. It states what was seen in those runs and nothing more; a
service can be set up in other ways than the one that is described.

| subject | version | seen on | verdict | findings at warn or above | witnesses replayed | expected | seen |
|---|---|---|---|---|---|---|---|
";

const LEGEND: &str = "
Checks in bold fail a principle (`bad`), the others warn. *Witnesses replayed*: how many of these findings' witnesses
`milepost audit replay` saw again afterwards, of those that have one. P6 (caching) and P7 (conditional writes) leave the
verdict alone: they say nothing about sessions.
";
