//! Whether clients are remembered: 100,000 that poll once each, against one that polls as often.

use std::fs;

use super::{Milepost, Options, Report, SHAPE, beginning, figures, number};

/// How many polls, and in the second arm clients.
const POLLS: u32 = 100_000;
/// How many different bookmarks they come with.
const BOOKMARKS: usize = 200;
const DOCUMENTS: u32 = 20_000;
/// How often both arms are measured; every second time in the other order.
const ROUNDS: u32 = 4;

/// Measures both arms, each on a fresh process over the same store.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(_: &Options, report: &mut Report) -> Result<(), String> {
    let mut milepost = Milepost::with("polled", DOCUMENTS, SHAPE)?;
    let targets = super::super::folder()?.join("bookmarks");
    fs::write(&targets, bookmarks(&milepost)?.join("\n")).map_err(|error| error.to_string())?;
    let targets = targets.display().to_string();
    let (mut ones, mut manys) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let order = match round % 2 {
            0 => ["one", "many"],
            _ => ["many", "one"],
        };
        for clients in order {
            milepost = milepost.reopened()?;
            let grown = growth(&milepost, clients, &targets)?;
            match clients {
                "one" => ones.push(grown),
                _ => manys.push(grown),
            }
        }
    }
    let (one, many) = (mean(&ones), mean(&manys));
    report.line("\n### Memory that clients cost\n");
    report.line("| | grown by, in KiB, each on a fresh process | mean |");
    report.line("|---|---|---:|");
    report.line(&format!(
        "| one client, {POLLS} polls | {} | {one:.0} |",
        shown(&ones)
    ));
    report.line(&format!(
        "| {POLLS} clients, one poll each | {} | {many:.0} |",
        shown(&manys)
    ));
    report.line(&format!(
        "\nDifference in differences: {:.0} KiB, {:.2} bytes a client.",
        many - one,
        (many - one) * 1024.0 / f64::from(POLLS)
    ));
    Ok(())
}

/// Bookmarks spread over all changes: some far behind, most at the head's side.
fn bookmarks(milepost: &Milepost) -> Result<Vec<String>, String> {
    let start = beginning(milepost)?;
    let mut targets = Vec::new();
    let mut next = Some(format!("{start}?pageSize=100"));
    while let Some(path) = next.take().filter(|_| targets.len() < BOOKMARKS) {
        targets.push(path.clone());
        next = super::told(milepost, &path, "next").ok();
    }
    Ok(targets)
}

fn growth(milepost: &Milepost, clients: &str, targets: &str) -> Result<f64, String> {
    let told = figures(
        "feed_polls",
        &[
            ("server", &milepost.process.address.to_string()),
            ("pid", &milepost.process.id().to_string()),
            ("polls", &POLLS.to_string()),
            ("clients", clients),
            ("targets", targets),
        ],
    )?;
    Ok(number(&told, "after") - number(&told, "before"))
}

fn mean(values: &[f64]) -> f64 {
    let count = u32::try_from(values.len()).unwrap_or(1).max(1);
    values.iter().sum::<f64>() / f64::from(count)
}

fn shown(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(|value| format!("{value:.0}")).collect();
    values.join(", ")
}
