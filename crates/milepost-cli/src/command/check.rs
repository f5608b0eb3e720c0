//! `milepost check`: whether a store is whole.

use std::path::PathBuf;

use clap::Args;
use milepost_store::embedded;
use serde_json::json;

use crate::{
    Ended,
    exit::{Exit, Failure},
    storage,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost check ./milepost-data
  milepost check ./milepost-data --json | jq .faults

Checked are the pages of the database and what its tables say of each other: that every
resource has its newest version, every version its place in the log, every complete index
every resource. A server that has the store open goes on.
";

/// Check that a store is whole
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// The store's directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Print {"resources", "versions", "faults"}
    #[arg(long)]
    json: bool,
}

impl Check {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let found = embedded::check(&self.directory).map_err(|error| storage::failure(&error))?;
        let (resources, versions) = (found.resources, found.versions);
        if self.json {
            terminal.line(json!({
                "resources": resources,
                "versions": versions,
                "faults": found.faults,
            }))?;
        }
        if found.faults.is_empty() {
            terminal.talk(format!(
                "whole: {resources} resources in {versions} versions"
            ));
            return Ok(Exit::Ok);
        }
        let mut failure = Failure::failed(format!("{} is damaged", self.directory.display()))
            .hint("restore a backup, and keep this directory for an inquiry");
        failure.details = found.faults;
        Err(failure)
    }
}
