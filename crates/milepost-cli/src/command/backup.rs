//! `milepost backup`: copies a store, also while a server has it open.

use std::path::PathBuf;

use clap::Args;
use milepost_store::embedded;
use serde_json::json;

use crate::{Ended, exit::Exit, storage, terminal::Terminal};

const EXAMPLES: &str = "\
Examples:
  milepost backup ./milepost-data monday.milepost
  milepost restore monday.milepost ./elsewhere

The copy is the store as it was at one moment. A server that has it open goes on.
";

/// Copy a store to a file, also while a server runs
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Backup {
    /// The store's directory
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// The file to make; it must not exist
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Print {"file", "bytes"}
    #[arg(long)]
    json: bool,
}

impl Backup {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        embedded::backup(&self.directory, &self.file).map_err(|error| storage::failure(&error))?;
        let bytes = std::fs::metadata(&self.file)
            .map(|metadata| metadata.len())
            .unwrap_or_default();
        let file = self.file.display();
        if self.json {
            terminal.line(json!({ "file": file.to_string(), "bytes": bytes }))?;
        } else {
            terminal.talk(format!("{file}: {bytes} bytes"));
        }
        Ok(Exit::Ok)
    }
}
