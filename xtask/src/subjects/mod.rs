//! `cargo xtask subjects`: services that others made, installed, started on loopback, audited, and
//! every witness played again. The outcome is `docs/audited.md`.
//!
//! Each subject leaves its report under the target folder with the day on which it was seen; the page
//! is written when every subject has one. The page says what was seen and nothing
//! else; only what was expected of a subject, and who is right where that differs, is written here
//! beforehand (`cast`).

mod cast;
mod furnish;
mod part;
mod running;
mod subject;

use std::{fs, path::PathBuf, process::Command};

use serde_json::{Value, json};

use self::{running::Running, subject::Subject};
use crate::{
    cargo::{self, build_milepost, program},
    say,
};

/// Where the page is.
const PAGE: &str = "docs/audited.md";
/// What is left of a run beside its report: version, day, and which witnesses were seen again.
const SEEN: &str = "seen.json";
/// Exit code of an audit that could not be run at all.
const USAGE: i32 = 2;

/// Audits the named subjects, or all.
///
/// # Errors
/// A name that is none, or the first subject that could not be installed, started or audited.
pub(crate) fn run_all(names: &[&str]) -> Result<(), String> {
    let unknown = names
        .iter()
        .find(|name| cast::ALL.iter().all(|subject| subject.name != **name));
    if let Some(name) = unknown {
        let known: Vec<&str> = cast::ALL.iter().map(|subject| subject.name).collect();
        return Err(format!(
            "no subject is called {name}; there are {}",
            known.join(", ")
        ));
    }
    build_milepost()?;
    let wanted = |subject: &&Subject| names.is_empty() || names.contains(&subject.name);
    let mut failed = Vec::new();
    for subject in cast::ALL.iter().filter(wanted) {
        say::talk(&format!("── {}", subject.name));
        if let Err(reason) = one(subject) {
            say::talk(&format!("{}: {reason}", subject.name));
            failed.push(subject.name);
        }
    }
    page()?;
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("not audited: {}", failed.join(", ")))
    }
}

/// Everything that a subject leaves is below this folder.
fn folder(subject: &Subject) -> PathBuf {
    cargo::target().join("subjects").join(subject.name)
}

/// One subject, from its installation to what is left of it.
fn one(subject: &Subject) -> Result<(), String> {
    let version = subject.install()?;
    let running = Running::start(subject, &folder(subject))?;
    let report = audit(subject, &running)?;
    let again = replayed(&running)?;
    let today = cargo::read(program("date").args(["-u", "+%F"]))?;
    let seen = json!({ "version": version, "day": today.trim(), "again": again });
    write(&running.folder.join(SEEN), &seen.to_string())?;
    say::talk(&part::Part::of(subject, &seen, &report).row());
    Ok(())
}

fn milepost() -> Command {
    let mut command = program(cargo::target().join("debug/milepost"));
    command.arg("audit");
    command
}

/// Audits a running subject; its report.
fn audit(subject: &Subject, running: &Running) -> Result<Value, String> {
    let report = running.folder.join("report");
    let mut command = milepost();
    command.args(running.words(subject)?);
    for form in ["json", "html", "har"] {
        command.args(["--format", form]);
    }
    command.arg("--output").arg(&report);
    let status = command.status().map_err(|error| error.to_string())?;
    let json = report.with_extension("json");
    if status.code() == Some(USAGE) || !json.exists() {
        return Err(format!("{command:?} ended with {status}"));
    }
    let text = fs::read_to_string(&json).map_err(|error| error.to_string())?;
    serde_json::from_str(&text).map_err(|error| error.to_string())
}

/// Plays each witness of a report again, in the report's order; whether each was seen again.
fn replayed(running: &Running) -> Result<Vec<bool>, String> {
    let mut command = milepost();
    command
        .arg("replay")
        .arg(running.folder.join("report.json"))
        .args(running.restarting());
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = said.lines();
    Ok(lines.map(|line| line.starts_with("again")).collect())
}

/// The page, when every subject was seen.
fn page() -> Result<(), String> {
    let mut rows = String::new();
    let mut parts = String::new();
    for subject in cast::ALL {
        let left = |name: &str| {
            let text = fs::read_to_string(folder(subject).join(name)).ok()?;
            serde_json::from_str::<Value>(&text).ok()
        };
        let (Some(seen), Some(report)) = (left(SEEN), left("report.json")) else {
            say::talk(&format!(
                "{PAGE} is left as it is: {} was not audited yet",
                subject.name
            ));
            return Ok(());
        };
        let part = part::Part::of(subject, &seen, &report);
        rows.push_str(&part.row());
        rows.push('\n');
        parts.push_str(&part.text());
    }
    write(&cargo::root().join(PAGE), &part::page(&rows, &parts))?;
    say::talk(&format!("{PAGE} is written"));
    Ok(())
}

fn write(path: &std::path::Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}
