//! `cargo xtask check`: everything that must hold before a change lands, cheapest first.

use crate::{
    caches,
    cargo::{self, cargo, run},
    cluster, deploy, javascript, protocol, reports,
    step::{Done, Steps},
    tidy,
    tools::{self, Installing},
};

/// Runs all checks; the first that fails ends the run.
///
/// # Errors
/// The failed step and its reason.
pub(crate) fn run_all(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("tools", || tools::prepare(installing));
    steps.run("format", || {
        passed(&mut cargo(&["fmt", "--all", "--check"]))
    });
    steps.run("tidy", || tidy::run().map(|()| Done::Passed));
    steps.run("lints", || {
        passed(&mut cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ]))
    });
    steps.run("documentation", || {
        let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--locked"]);
        passed(doc.env("RUSTDOCFLAGS", "-D warnings"))
    });
    steps.run("tests", || {
        passed(&mut cargo(&["test", "--workspace", "--locked"]))
    });
    steps.run(
        "tests over PostgreSQL, each request to another node",
        || {
            let words = [
                "test",
                "--package",
                "milepost-server",
                "--locked",
                "--test",
                "it",
            ];
            passed(cargo(&words).env("MILEPOST_TEST_STORE", "postgresql"))
        },
    );
    protocol::add_to(&mut steps);
    reports::add_to(&mut steps, installing);
    javascript::add_to(&mut steps, installing);
    caches::add_to(&mut steps);
    deploy::add_to(&mut steps, installing);
    cluster::add_to(&mut steps, installing);
    steps.run("licences of dependencies", licences);
    steps.finish()
}

/// Runs only the protocol's checks.
///
/// # Errors
/// The failed step and its reason.
pub(crate) fn run_protocol(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("tools", || tools::prepare(installing));
    protocol::add_to(&mut steps);
    steps.finish()
}

/// Runs only the JavaScript client's checks, with the server that they talk to.
///
/// # Errors
/// The failed step and its reason.
pub(crate) fn run_javascript(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("server", || {
        crate::cargo::build_milepost().map(|()| Done::Passed)
    });
    javascript::add_to(&mut steps, installing);
    steps.finish()
}

fn passed(command: &mut std::process::Command) -> Result<Done, String> {
    run(command).map(|()| Done::Passed)
}

/// `tidy` already holds the licences against `deny.toml`; cargo-deny adds duplicates and sources.
fn licences() -> Result<Done, String> {
    if cargo::read(&mut cargo(&["deny", "--version"])).is_err() {
        return Ok(Done::Skipped(
            "cargo-deny is not installed; tidy checked the licences".into(),
        ));
    }
    passed(&mut cargo(&[
        "deny",
        "--offline",
        "check",
        "bans",
        "licenses",
        "sources",
    ]))
}
