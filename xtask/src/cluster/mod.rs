//! `cargo xtask cluster`: PostgreSQL with Patroni and etcd on one machine, Milepost's nodes over it, and
//! what clients see when any of that is killed, frozen or cut off.
//!
//! Everything runs in one folder, in memory where the system has some to spare, as a user who isn't root,
//! and is gone when the command has ended, however it ended.

mod account;
mod assembly;
mod balancer;
mod database;
mod etcd;
mod faults;
mod history;
mod load;
mod network;
mod node;
mod place;
mod processes;
mod up;

pub(crate) use account::Account;
pub(crate) use balancer::Balancer;
pub(crate) use database::programs;
pub(crate) use faults::{Options as FaultOptions, run as run_faults};
pub(crate) use load::{Answer, Ask, ask};
pub(crate) use node::Node;
pub(crate) use place::Place;

use crate::{
    step::{Done, Steps},
    tools::{self, Installing},
};

/// Runs `cargo xtask cluster …`.
///
/// # Errors
/// When a word is unknown or the work fails.
pub(crate) fn run(words: &[&str]) -> Result<(), String> {
    match words {
        ["up"] => install(Installing::Allowed).and_then(|()| up::run()),
        ["check"] => run_check(Installing::Allowed),
        _ => Err(format!(
            "cluster {}: there are up and check",
            words.join(" ")
        )),
    }
}

/// Adds to a run: one node, audited and killed; then what needs a cluster, for minutes of which machines die.
pub(crate) fn add_to(steps: &mut Steps, installing: Installing) {
    faults::add_one_to(steps);
    add_nodes_to(steps, installing);
}

/// What needs a cluster; skipped, saying so, where that can't be made outside of CI.
fn add_nodes_to(steps: &mut Steps, installing: Installing) {
    let mut is_here = false;
    steps.run("nodes: packages", || match install(installing) {
        Err(reason) if !tools::is_ci() => Ok(Done::Skipped(reason)),
        Err(reason) => Err(reason),
        Ok(()) => {
            is_here = true;
            Ok(Done::Passed)
        }
    });
    if is_here {
        faults::add_to(steps);
    }
}

/// Runs only what needs a cluster.
///
/// # Errors
/// The failed step and its reason.
fn run_check(installing: Installing) -> Result<(), String> {
    let mut steps = Steps::default();
    steps.run("tools", || tools::prepare(installing));
    steps.run("server", || {
        crate::cargo::build_milepost().map(|()| Done::Passed)
    });
    add_nodes_to(&mut steps, installing);
    steps.finish()
}

/// Makes available what a cluster is made of.
fn install(installing: Installing) -> Result<(), String> {
    tools::debian(
        installing,
        &[
            ("pg_ctlcluster", "postgresql"),
            ("patroni", "patroni"),
            ("etcd", "etcd-server"),
            ("haproxy", "haproxy"),
            ("ip", "iproute2"),
        ],
    )
}
