//! What independent tools and rules say about the wire: a real server is started with data that
//! touches every kind of response, then httplint, Spectral, Schemathesis and the Dutch API Design
//! Rules each have their say.
//!
//! What the protocol promises beyond those is tested in `milepost-server`.

mod description;
mod design_rules;
mod external;
mod kinds;
mod lint;
mod seed;
mod service;

use std::net::SocketAddr;

use crate::{
    cargo::build_milepost,
    step::{Done, Steps},
    tools,
};
pub(crate) use service::LIMITS;
use service::Service;

/// Adds the protocol's steps to a run.
pub(crate) fn add_to(steps: &mut Steps) {
    let mut started = None;
    steps.run("protocol: server", || {
        build_milepost()?;
        let service = Service::start("protocol")?;
        seed::fill(&service)?;
        started = Some(service);
        Ok(Done::Passed)
    });
    let Some(service) = started else { return };
    judge(steps, "protocol", &service);
}

/// Adds the same about a service that somebody else has started, on whatever it stands.
pub(crate) fn add_about(steps: &mut Steps, name: &str, address: SocketAddr) {
    let mut filled = None;
    steps.run(&format!("{name}: data"), || {
        let service = Service::at(address)?;
        seed::fill(&service)?;
        filled = Some(service);
        Ok(Done::Passed)
    });
    if let Some(service) = filled {
        judge(steps, name, &service);
    }
}

fn judge(steps: &mut Steps, name: &str, service: &Service) {
    steps.run(&format!("{name}: design rules"), || {
        design_rules::check(service).map(|()| Done::Passed)
    });
    steps.run(&format!("{name}: httplint"), || {
        with("httplint", || lint::check(service))
    });
    steps.run(&format!("{name}: spectral"), || {
        with("spectral", || external::spectral(service))
    });
    steps.run(&format!("{name}: schemathesis"), || {
        with("schemathesis", || external::schemathesis(service))
    });
}

/// Runs a check that needs a tool, or skips it where that is allowed.
fn with(tool: &str, work: impl FnOnce() -> Result<(), String>) -> Result<Done, String> {
    let is_here = tools::python(tool).exists() || tools::node(tool).exists();
    if !is_here && !tools::is_ci() {
        return Ok(Done::Skipped(format!("{tool} is not installed")));
    }
    work().map(|()| Done::Passed)
}
