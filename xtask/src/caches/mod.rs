//! `cargo xtask caches`: what a cache in front saves the server, counted at the server.
//!
//! *Fan-out*: many followers poll through Varnish while there are writes; how many requests each write costs
//! the server must not depend on how many follow. *Storm*: many clients come back at once with bookmarks that
//! have expired; the server must make one snapshot, not one for each.
//!
//! Real Varnish with the configuration in `deploy/`, the real server and its own log. That followers converge
//! whatever a cache does is tested in `milepost-cli`.

mod fanout;
mod options;
mod origin;
mod storm;
mod swarm;
mod varnish;

pub(crate) use options::Options;

use std::{fs, path::PathBuf};

use crate::{
    cargo::{cargo, run, target},
    say,
    step::{Done, Steps},
    tools,
};

/// The collection that is followed.
const COLLECTION: &str = "/v1/documents";

/// Counts what was asked for, prints it, and holds it against what is promised.
///
/// # Errors
/// When something can't be started, or is not as promised.
pub(crate) fn run_all(options: &Options) -> Result<(), String> {
    tools::command("varnishd", &["varnish"])?;
    build(options)?;
    count(options)
}

/// Adds the same to a run of checks, small.
pub(crate) fn add_to(steps: &mut Steps) {
    steps.run("caches: fan-out and storm", || {
        if !tools::finds("varnishd") {
            let reason = "varnishd is not installed".to_owned();
            return if tools::is_ci() {
                Err(reason)
            } else {
                Ok(Done::Skipped(reason))
            };
        }
        let options = Options::small();
        build(&options)?;
        count(&options)?;
        Ok(Done::Passed)
    });
}

fn count(options: &Options) -> Result<(), String> {
    if options.wants("fanout") {
        let counts = fanout::count_all(options)?;
        say::data(&fanout::table(&counts));
        fanout::hold(&counts)?;
    }
    if options.wants("storm") {
        let counts = storm::count_all(options)?;
        say::data(&storm::table(&counts));
        storm::hold(&counts)?;
    }
    Ok(())
}

fn build(options: &Options) -> Result<(), String> {
    let mut words = vec![
        "build",
        "--locked",
        "-p",
        "milepost-cli",
        "-p",
        "milepost-bench",
    ];
    if options.is_release {
        words.push("--release");
    }
    run(&mut cargo(&words))
}

/// A program that was built.
fn binary(options: &Options, name: &str) -> PathBuf {
    let profile = if options.is_release {
        "release"
    } else {
        "debug"
    };
    target().join(profile).join(name)
}

/// An empty folder of that name under the target folder.
fn folder(name: &str) -> Result<PathBuf, String> {
    let folder = target().join("caches").join(name);
    let said = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(said)?;
    }
    fs::create_dir_all(&folder).map_err(said)?;
    Ok(folder)
}
