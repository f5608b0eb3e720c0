//! `cargo xtask faults`: clients write, read and follow while machines die, freeze and are cut off, and
//! afterwards what they wrote down is held against what the store says has happened.
//!
//! Over a cluster by default: three nodes behind HAProxy over three PostgreSQL. `--embedded`: one node with a
//! store of its own, killed and started again.

mod audited;
mod embedded;
mod fault;
mod nodes;
mod options;
mod replayed;
mod replica;
mod report;
mod rolling;
mod site;
mod verdict;

use crate::{
    cargo::{build_milepost, target},
    protocol,
    step::{Done, Steps},
    tools::Installing,
};
use site::Site;

pub(crate) use options::Options;

/// Lets faults happen for as long as was asked for, and judges.
///
/// # Errors
/// When something can't be started, or a promise was broken: which, and where to look.
pub(crate) fn run(options: &Options, installing: Installing) -> Result<(), String> {
    if !options.is_embedded {
        super::install(installing)?;
    }
    if options.program == target().join("debug/milepost") {
        build_milepost()?;
    }
    if options.is_embedded {
        embedded::run(options)
    } else {
        nodes::run(options)
    }
}

/// Adds to a run: whether one node's memory grows with its clients, and what they see when it is killed.
pub(crate) fn add_one_to(steps: &mut Steps) {
    let options = Options::small_embedded();
    steps.run("one node: memory, audited", || {
        build_milepost()?;
        embedded::measure(&options).map(|()| Done::Passed)
    });
    steps.run("one node: killed", || {
        embedded::run(&options).map(|()| Done::Passed)
    });
}

/// Adds to a run: what the auditor says of three nodes, what independent tools say of them behind a balancer that
/// sends each request to another one, and a few faults.
pub(crate) fn add_to(steps: &mut Steps) {
    let options = Options::small();
    let mut started = None;
    steps.run("nodes: three over PostgreSQL", || {
        started = Some(Site::start(&options.program, protocol::LIMITS)?);
        Ok(Done::Passed)
    });
    let Some(mut site) = started else { return };
    steps.run("nodes: audit", || {
        audited::check(&mut site, &options.program).map(|()| Done::Passed)
    });
    protocol::add_about(steps, "nodes", site.balancer.address);
    steps.run("nodes: a last step, a thousand times", || {
        replayed::check(&site).map(|()| Done::Passed)
    });
    steps.run("nodes: faults", || {
        nodes::strike(site, &options).map(|()| Done::Passed)
    });
}
