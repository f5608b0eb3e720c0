//! "Any news?", and closed pages asked for again, against axum sending the same bytes.

use std::{fs, path::Path};

use super::{
    Milepost, Options, Report, SHAPE, beginning,
    catch_up::{BarePages, catch_up},
    told,
};
use crate::bench::{
    folder,
    load::{Ask, Reading},
    report::Goal,
    rounds::{Contestant, interleave},
};

const DOCUMENTS: u32 = 20_000;

/// Measures both.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let milepost = Milepost::with("asked", DOCUMENTS, SHAPE)?;
    if options.wants("feed-news") {
        let at = told(&milepost, "/v1/documents/changes", "head")?;
        let targets = [format!("/v1/documents/changes/{at}")];
        let title = "\"Any news?\"";
        compare(options, report, &milepost, (title, 0.8), &targets)?;
    }
    if options.wants("feed-closed") {
        let saved = empty("closed")?;
        catch_up(
            milepost.process.address,
            &beginning(&milepost)?,
            Some(&saved),
        )?;
        let index = fs::read_to_string(saved.join("index")).map_err(|error| error.to_string())?;
        let mut targets: Vec<String> = index.lines().map(str::to_owned).collect();
        // The last one ends at the head.
        targets.pop();
        let title = "Closed pages of changes, asked for again";
        compare(options, report, &milepost, (title, 0.5), &targets)?;
    }
    Ok(())
}

fn compare(
    options: &Options,
    report: &mut Report,
    milepost: &Milepost,
    (title, ratio): (&str, f64),
    targets: &[String],
) -> Result<(), String> {
    let pages = empty("pages")?;
    for (number, target) in targets.iter().enumerate() {
        let answer = milepost.send("GET", target, &[], b"")?;
        fs::write(pages.join(number.to_string()), answer.unchunked())
            .map_err(|error| error.to_string())?;
    }
    fs::write(pages.join("index"), targets.join("\n")).map_err(|error| error.to_string())?;
    let bare = BarePages::sending(&pages)?;
    let asks: Vec<Ask> = targets.iter().map(Ask::get).collect();
    let reading = Reading::new("changes", &asks, options.seconds)?;
    let mut contestants = vec![
        Contestant::new("bare axum", || reading.measure(bare.process.address)),
        Contestant::new("Milepost", || reading.measure(milepost.process.address)),
    ];
    let goals = [Goal {
        against: "bare axum",
        ratio,
    }];
    let title = format!("{title} ({} URLs)", targets.len());
    report.add(
        &title,
        &interleave(options.rounds, &mut contestants)?,
        &goals,
    );
    Ok(())
}

/// An empty folder of that name for captured pages.
pub(super) fn empty(name: &str) -> Result<std::path::PathBuf, String> {
    let folder = folder()?.join("captured-pages").join(name);
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    if Path::exists(&folder) {
        fs::remove_dir_all(&folder).map_err(wrong)?;
    }
    fs::create_dir_all(&folder).map_err(wrong)?;
    Ok(folder)
}
