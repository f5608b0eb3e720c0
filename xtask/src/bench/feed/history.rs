//! Real edits, written at full speed while fifty followers of all kinds follow: are all of them exact?

use super::{Milepost, Options, Report, figures, news::empty, number};
use crate::bench::load::binary;

/// Writes the data set that was named; says so where none was, or where it isn't there.
///
/// # Errors
/// When a follower ends with anything else than what was written.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    report.line("\n### Fifty followers of real edits\n");
    let Some(history) = &options.history else {
        report.line(
            "Left out: no data set was named. `--history FILE` names one: gzip, a line for each revision, \
             `{\"operations\": [{\"id\", \"value\"} or {\"id\", \"deleted\": true}]}`.",
        );
        return Ok(());
    };
    if !history.is_file() {
        let file = history.display();
        return Err(format!("--history {file}: the data set is not there"));
    }
    let milepost = Milepost::empty("followed")?;
    let figures = figures(
        "follow_history",
        &[
            ("server", &format!("http://{}/v1", milepost.process.address)),
            ("milepost", &binary("milepost").display().to_string()),
            ("folder", &empty("followers")?.display().to_string()),
            ("history", &history.display().to_string()),
        ],
    )?;
    let told = |name| number(&figures, name);
    report.line(&format!(
        "{:.0} operations in {:.0} transactions were written in {:.1} s ({:.0} operations a second) while {:.0} \
         followers followed: 20 plain, 15 filtered, 8 that were killed, 7 whose copy was replaced by an older \
         one ({:.0} kills, {:.0} restores). All were exact {:.1} s after the first write, with {:.0} resources, \
         and equal by digest where the service tells one.",
        told("operations"),
        told("revisions"),
        told("writingSeconds"),
        told("operations") / told("writingSeconds"),
        told("followers"),
        told("kills"),
        told("restores"),
        told("wholeSeconds"),
        told("resources"),
    ));
    Ok(())
}
