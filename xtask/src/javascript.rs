//! The JavaScript client's checks: its types, its tests in Node, and, against the server that was
//! built before, its tests over real HTTP and in a real browser.
//!
//! What they promise stands in `clients/js/test`; here is only how they are run.

use std::fs;

use crate::{
    cargo::{self, program, run, target},
    say,
    step::{Done, Steps},
    tools::{self, Installing},
};

/// The client's folder, from the workspace's root.
const FOLDER: &str = "clients/js";
/// The browser that the client is tried in: a program, and Debian's package of it.
const BROWSER: &str = "chromium";

/// Adds the client's steps to a run; the server is the debug build, which an earlier step made.
pub(crate) fn add_to(steps: &mut Steps, installing: Installing) {
    steps.run("javascript: packages", || packages(installing));
    steps.run("javascript: tests", || {
        installed(|| {
            run(&mut npm(&["run", "--silent", "build"]))?;
            tested("unit")
        })
    });
    steps.run("javascript: server", || installed(|| tested("server")));
    steps.run("javascript: browser", || {
        if installing == Installing::Forbidden && !tools::finds(BROWSER) {
            return missing(format!("{BROWSER} is not installed"));
        }
        if let Err(reason) = tools::command(BROWSER, &[BROWSER]) {
            return missing(reason);
        }
        installed(|| tested("browser"))
    });
}

/// Does the work, where the packages are there.
fn installed(work: impl FnOnce() -> Result<Done, String>) -> Result<Done, String> {
    if is_installed() {
        work()
    } else {
        Ok(Done::Skipped("its packages are not installed".into()))
    }
}

/// Installs what `package-lock.json` names into the client's folder, unless that was done before.
fn packages(installing: Installing) -> Result<Done, String> {
    if is_installed() {
        return Ok(Done::Passed);
    }
    if installing == Installing::Forbidden {
        return missing(format!("{FOLDER}: npm ci was not run"));
    }
    tools::command("npm", &["nodejs", "npm"])?;
    say::talk(&format!("installing the packages of {FOLDER} into it"));
    match run(&mut npm(&["ci", "--no-audit", "--no-fund", "--silent"])) {
        Ok(()) => fs::write(mark(), lock()?)
            .map(|()| Done::Passed)
            .map_err(|error| format!("{}: {error}", mark().display())),
        Err(reason) => missing(reason),
    }
}

/// A missing tool is a failure in continuous integration, and a skipped step elsewhere.
fn missing(reason: String) -> Result<Done, String> {
    if tools::is_ci() {
        Err(reason)
    } else {
        Ok(Done::Skipped(reason))
    }
}

fn tested(suite: &str) -> Result<Done, String> {
    let mut node = program("node");
    node.args(["--test", &format!("{FOLDER}/dist/test/{suite}/")])
        .env("MILEPOST_BIN", target().join("debug/milepost"));
    run(&mut node).map(|()| Done::Passed)
}

fn npm(words: &[&str]) -> std::process::Command {
    let mut npm = program("npm");
    npm.args(["--prefix", FOLDER]).args(words);
    npm
}

/// Whether the packages that are there are those that the lock names now.
fn is_installed() -> bool {
    let is_there = cargo::root().join(FOLDER).join("node_modules").exists();
    let installed = fs::read_to_string(mark());
    is_there && installed.is_ok_and(|text| lock().is_ok_and(|lock| lock == text))
}

fn lock() -> Result<String, String> {
    let path = cargo::root().join(FOLDER).join("package-lock.json");
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Beside what was installed: the lock that it was installed from.
fn mark() -> std::path::PathBuf {
    cargo::root()
        .join(FOLDER)
        .join("node_modules/.installed-from")
}
