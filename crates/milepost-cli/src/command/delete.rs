//! `milepost delete`: deletes a resource that is still what the user has read.

use clap::Args;
use serde_json::json;
use ureq::http::Method;

use crate::{
    Ended,
    client::{self, Connection},
    conditional::{ConditionOptions, Write},
    exit::Exit,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost get books/solaris && milepost delete books/solaris
  milepost delete books/solaris --if-match k3f7.12-x7qa
  milepost delete books/solaris --force
";

/// Delete a resource
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Delete {
    /// Path below the server's base, absolute path, or URL
    #[arg(value_name = "PATH", allow_hyphen_values = true, value_parser = client::path)]
    path: String,

    /// Print {"href", "status", "outcome"}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    condition: ConditionOptions,

    #[command(flatten)]
    connection: Connection,
}

impl Delete {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let write = Write {
            client: &client,
            terminal,
            url: client.url(&self.path)?,
            method: Method::DELETE,
            content: None,
            wanted: None,
        };
        let written = write.run(&self.condition, false)?;
        let href = client.address().relative(&written.answer.url);
        let status = written.answer.status.as_u16();
        if self.json {
            terminal.line(json!({ "href": href, "status": status, "outcome": "deleted" }))?;
        } else {
            terminal.talk(format!("deleted {href}"));
        }
        Ok(Exit::Ok)
    }
}
