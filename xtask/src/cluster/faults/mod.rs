//! `cargo xtask faults`: clients write, read and follow while machines die, freeze and are cut off, and
//! afterwards what they wrote down is held against what the store says has happened.
//!
//! Over a cluster by default: three nodes behind HAProxy over three PostgreSQL. `--embedded`: one node with a
//! store of its own, killed and started again.

mod embedded;
mod fault;
mod nodes;
mod options;
mod replica;
mod report;
mod rolling;
mod site;
mod verdict;

use crate::{
    cargo::{cargo, run as run_command, target},
    tools::Installing,
};

pub(crate) use options::Options;

/// Lets faults happen for as long as was asked for, and judges.
///
/// # Errors
/// When something can't be started, or a promise was broken: which, and where to look.
pub(crate) fn run(options: &Options, installing: Installing) -> Result<(), String> {
    super::install(installing)?;
    if options.program == target().join("debug/milepost") {
        run_command(&mut cargo(&["build", "--locked", "--package", "milepost-cli"]))?;
    }
    if options.is_embedded {
        embedded::run(options)
    } else {
        nodes::run(options)
    }
}
