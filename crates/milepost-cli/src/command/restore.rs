//! `milepost restore`: makes a store from a backup, with a history of its own.

use std::path::PathBuf;

use clap::Args;
use milepost_store::embedded;

use crate::{
    Ended,
    exit::{Exit, Failure},
    storage,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost restore monday.milepost ./milepost-data
  milepost check ./milepost-data

The restored store starts a new history: clients that saw later writes are told to read
everything again, instead of being led astray.
";

/// Make a store from a backup
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// What `milepost backup` made
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The directory to make; it must be empty or not exist
    #[arg(value_name = "DIR")]
    directory: PathBuf,
}

impl Restore {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let directory = self.directory.display();
        let has_entries =
            std::fs::read_dir(&self.directory).is_ok_and(|mut entries| entries.next().is_some());
        if has_entries {
            return Err(Failure::failed(format!("{directory} is not empty"))
                .hint("nothing is overwritten: choose another place"));
        }
        embedded::restore(&self.file, &self.directory).map_err(|error| storage::failure(&error))?;
        terminal.talk(format!("restored to {directory}, with a new history"));
        Ok(Exit::Ok)
    }
}
