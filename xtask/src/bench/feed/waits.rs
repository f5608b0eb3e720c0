//! What an open wait and an open stream cost, and what waking all of them does.

use super::{Milepost, Options, Report, SHAPE, figures, judged, number, told};

const WAITS: u32 = 10_000;
/// The most that one may cost, in KiB.
const KIB_MAX: f64 = 20.0;
const LIMITS: &[&str] = &[
    "--limit",
    "waitsMax=10000",
    "--limit",
    "streamsMax=10000",
    "--limit",
    "connectionsMax=20100",
];

/// Measures both.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(_: &Options, report: &mut Report) -> Result<(), String> {
    let mut milepost = Milepost::with("waited", 1_000, SHAPE)?;
    report.line(&format!("\n### {WAITS} open at once\n"));
    report.line("| | memory each | goal | waking all of them | reads of the store for that |");
    report.line("|---|---:|---|---:|---:|");
    for (what, accept) in [
        ("waits", "application/json"),
        ("streams", "text/event-stream"),
    ] {
        milepost = milepost.reopened_with(LIMITS)?;
        let at = told(&milepost, "/v1/documents/changes", "head")?;
        let target = match what {
            "waits" => format!("/v1/documents/changes/{at}?wait=60"),
            _ => format!("/v1/documents/changes/{at}"),
        };
        let figures = figures(
            "feed_waits",
            &[
                ("server", &milepost.process.address.to_string()),
                ("pid", &milepost.process.id().to_string()),
                ("waits", &WAITS.to_string()),
                ("target", &target),
                ("accept", accept),
                ("write", &format!("/v1/documents/news-for-{what}")),
            ],
        )?;
        let kib = number(&figures, "bytesEach") / 1024.0;
        report.line(&format!(
            "| {what} | {kib:.1} KiB | at most {KIB_MAX:.0} KiB {} | {:.0} ms | {:.0} |",
            judged(kib <= KIB_MAX),
            number(&figures, "wokenMs"),
            number(&figures, "reads"),
        ));
    }
    Ok(())
}
