//! `milepost version`: which version this is.

use clap::Args;
use serde_json::json;

use crate::{Ended, exit::Exit, terminal::Terminal};

const EXAMPLES: &str = "\
Examples:
  milepost version
  milepost version --json
";

/// Print the version
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Version {
    /// Print {"version"}
    #[arg(long)]
    json: bool,
}

impl Version {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let version = env!("CARGO_PKG_VERSION");
        if self.json {
            terminal.line(json!({ "version": version }))?;
        } else {
            terminal.line(format!("milepost {version}"))?;
        }
        Ok(Exit::Ok)
    }
}
