//! `cargo xtask bench`: Milepost against bare servers that send the same bytes, against the
//! disk's own sync rate, and against peers that can be installed here.
//!
//! One core for the server, one for the load; every figure interleaved with its control. The
//! report is printed and left under the target folder; `docs/performance.md` is written from it.

mod bare;
mod cases;
mod feed;
mod flows;
mod identity;
mod load;
mod milepost;
mod nodes;
mod options;
mod peers;
mod pinned;
mod report;
mod rounds;
mod scale;

use std::{
    fs::{self, File},
    path::PathBuf,
    process::Stdio,
};

pub(crate) use options::Options;
pub(crate) use pinned::{Pinned, free_address};

use crate::{
    cargo::{cargo, program, run, target},
    say,
    tools::{self, Installing},
};
use load::binary;
use milepost::Milepost;
use report::Report;

/// Measures what was asked for.
///
/// # Errors
/// When a measurement of Milepost itself fails; a peer that cannot be had is left out and said so.
pub(crate) fn run_all(options: &Options) -> Result<(), String> {
    tools::command("wrk", &["wrk"])?;
    tools::command("taskset", &["util-linux"])?;
    let build = [
        "build",
        "--release",
        "--locked",
        "-p",
        "milepost-cli",
        "-p",
        "milepost-bench",
    ];
    run(&mut cargo(&build))?;
    let mut report = Report::default();
    cases::measure(options, &mut report)?;
    if options.wants("scale") {
        scale::measure(options, &mut report)?;
    }
    feed::measure(options, &mut report)?;
    if options.wants("nodes") {
        nodes::measure(options, &mut report)?;
    }
    flows::measure(options, &mut report)?;
    if options.wants("identity") {
        identity::measure(options, &mut report)?;
    }
    let file = folder()?.join("report.md");
    fs::write(&file, report.text()).map_err(|error| format!("{}: {error}", file.display()))?;
    say::data(report.text());
    say::talk(&format!("the report is {}", file.display()));
    Ok(())
}

/// Where the bench keeps its data: on the disk that the target folder is on.
fn folder() -> Result<PathBuf, String> {
    let folder = target().join("bench");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}

/// A file with so many documents in that shape, made once.
fn documents(count: u32, shape: &str) -> Result<PathBuf, String> {
    let file = folder()?.join(format!("documents-{count}.{shape}"));
    let part = file.with_extension("part");
    let wrong = |error: std::io::Error| format!("{}: {error}", file.display());
    if !file.exists() {
        let out = File::create(&part).map_err(wrong)?;
        let mut make = program(binary("documents"));
        make.args(["--count", &count.to_string(), "--shape", shape]);
        run(make.stdout(Stdio::from(out)))?;
        fs::rename(&part, &file).map_err(wrong)?;
    }
    Ok(file)
}

/// PyPI packages for peers, away from those of the checks.
fn install(python: &[&str], node: &[&str]) -> Result<(), String> {
    tools::install(Installing::Allowed, python, node)
}
