//! The feed: what its readers cost, how fast they catch up, and fifty of them on real edits.

mod catch_up;
mod history;
mod memory;
mod news;
mod waits;

use serde_json::Value;

use super::{Milepost, load::binary, options::Options, pinned::load, report::Report};
use crate::cargo::read;

/// Documents of a hundred bytes.
const SHAPE: &str = "small.ndjson";

/// Measures all parts that are wanted.
///
/// # Errors
/// When a measurement of Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    if options.wants("feed-memory") {
        memory::measure(options, report)?;
    }
    if options.wants("feed-waits") {
        waits::measure(options, report)?;
    }
    if options.wants("feed-news") || options.wants("feed-closed") {
        news::measure(options, report)?;
    }
    if options.wants("feed-catch-up") {
        catch_up::measure(options, report)?;
    }
    if options.wants("feed-history") {
        history::measure(options, report)?;
    }
    Ok(())
}

/// Runs one of the bench's programs on the loads' core; the JSON object that it prints.
fn figures(program: &str, arguments: &[(&str, &str)]) -> Result<Value, String> {
    let mut command = load(binary(program));
    for (name, value) in arguments {
        command.arg(format!("--{name}")).arg(value);
    }
    let said = read(&mut command)?;
    serde_json::from_str(&said).map_err(|error| format!("{program}: {error}: {said}"))
}

/// A figure of such an object; 0 where there is none.
fn number(figures: &Value, name: &str) -> f64 {
    figures
        .get(name)
        .and_then(Value::as_f64)
        .unwrap_or_default()
}

/// A member of the document at a path.
fn told(milepost: &Milepost, path: &str, name: &str) -> Result<String, String> {
    let answer = milepost.send("GET", path, &[], b"")?;
    let document: Value =
        serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))?;
    let member = document.get(name).and_then(Value::as_str);
    member
        .map(str::to_owned)
        .ok_or_else(|| format!("{path} has no {name}"))
}

/// The URL of all changes of the documents since the store was empty.
fn beginning(milepost: &Milepost) -> Result<String, String> {
    let oldest = told(milepost, "/v1/documents/changes", "oldest")?;
    Ok(format!("/v1/documents/changes/{oldest}"))
}

/// What a goal came to.
fn judged(is_reached: bool) -> &'static str {
    if is_reached {
        "reached"
    } else {
        "**not reached**"
    }
}
