//! Whether flows in progress are remembered: 100,000 of them, against one whose step is sent as often.

use std::fs;

use super::{Milepost, Options, Report, load::binary, pinned::load};
use crate::cargo::{self, read};

/// How many steps, and in the second arm flows in progress.
const STEPS: u32 = 100_000;
/// The demo's definitions, from the workspace's root: of its collections, and of the flow.
const DEMO: &str = "crates/milepost-cli/demo";
const COLLECTIONS: [&str; 3] = ["flows", "documents", "registrations"];
const FLOW: &str = "registration";
/// What is answered at the flow's first step.
const INPUT: &str = r#"{ "name": "Ada Lovelace", "email": "ada@example.org" }"#;

/// Measures both arms, each on a fresh process over the same store, every second round in the other order.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    if !options.wants("flow-memory") {
        return Ok(());
    }
    let mut milepost = Milepost::empty("flows")?;
    define(&milepost)?;
    let (mut ones, mut manys) = (Vec::new(), Vec::new());
    for round in 0..options.rounds {
        let order = match round % 2 {
            0 => ["one", "many"],
            _ => ["many", "one"],
        };
        for walks in order {
            milepost = milepost.reopened()?;
            let grown = growth(&milepost, walks)?;
            match walks {
                "one" => ones.push(grown),
                _ => manys.push(grown),
            }
        }
    }
    let (one, many) = (mean(&ones), mean(&manys));
    report.line("\n### Memory that flows in progress cost\n");
    report.line("| | grown by, in KiB, each on a fresh process | mean |");
    report.line("|---|---|---:|");
    report.line(&format!(
        "| one flow, a step sent {STEPS} times | {} | {one:.0} |",
        shown(&ones)
    ));
    report.line(&format!(
        "| {STEPS} flows in progress | {} | {many:.0} |",
        shown(&manys)
    ));
    report.line(&format!(
        "\nDifference in differences: {:.0} KiB, {:.2} bytes a flow.",
        many - one,
        (many - one) * 1024.0 / f64::from(STEPS)
    ));
    Ok(())
}

/// The demo's registration, in an empty store.
fn define(milepost: &Milepost) -> Result<(), String> {
    let collections = COLLECTIONS.map(|name| {
        (
            format!("/v1/-/collections/{name}"),
            format!("definitions/{name}.json"),
        )
    });
    let flow = (format!("/v1/flows/{FLOW}"), format!("flows/{FLOW}.json"));
    for (path, file) in collections.into_iter().chain([flow]) {
        let file = cargo::root().join(DEMO).join(file);
        let document = fs::read(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let json = [("Content-Type", "application/json")];
        let answer = milepost.send("PUT", &path, &json, &document)?;
        if answer.status != 201 {
            let said = String::from_utf8_lossy(&answer.body).into_owned();
            return Err(format!("{path}: {said}"));
        }
    }
    Ok(())
}

/// By how much the server's memory grew, in KiB.
fn growth(milepost: &Milepost, walks: &str) -> Result<f64, String> {
    let input = super::folder()?.join("flow-input.json");
    fs::write(&input, INPUT).map_err(|error| error.to_string())?;
    let mut command = load(binary("flow_steps"));
    let process = &milepost.process;
    command
        .args(["--server", &process.address.to_string()])
        .args(["--pid", &process.id().to_string()])
        .args(["--steps", &STEPS.to_string(), "--walks", walks])
        .args(["--flow", &format!("/v1/-/flows/{FLOW}"), "--input"])
        .arg(input);
    let said = read(&mut command)?;
    let told: serde_json::Value =
        serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
    let figure = |name: &str| told.get(name).and_then(serde_json::Value::as_f64);
    let grown = figure("after").zip(figure("before"));
    grown
        .map(|(after, before)| after - before)
        .ok_or_else(|| format!("flow_steps said {said}"))
}

fn mean(values: &[f64]) -> f64 {
    let count = u32::try_from(values.len()).unwrap_or(1).max(1);
    values.iter().sum::<f64>() / f64::from(count)
}

fn shown(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
    values.join(", ")
}
