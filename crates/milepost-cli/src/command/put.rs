//! `milepost put`: replaces or creates a resource, without overwriting what nobody has read.

use clap::Args;
use serde_json::json;
use ureq::http::{Method, StatusCode};

use crate::{
    Ended,
    client::{self, Client, Connection},
    conditional::{ConditionOptions, Write, Written},
    content::Content,
    exit::Exit,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost put books/solaris solaris.json         after `milepost get books/solaris`
  milepost put books/new title=New year:=2026     members from the command line
  milepost put books/new --create - < new.json    only if there is nothing yet
  milepost put books/solaris --force solaris.json whatever is there now

A `put` after a `get` carries the entity tag that the `get` saw. If somebody else was
faster, nothing is written and you see what changed (exit code 4).
";

/// Replace or create a resource
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Put {
    /// Path below the server's base, absolute path, or URL
    #[arg(value_name = "PATH", allow_hyphen_values = true, value_parser = client::path)]
    path: String,

    /// A file, `-` for stdin, or members: name=text, name:=JSON, /deep/name=text
    #[arg(value_name = "CONTENT")]
    content: Vec<String>,

    /// Write only if there is nothing yet
    #[arg(long, conflicts_with_all = ["if_match", "force"])]
    create: bool,

    /// Print {"href", "status", "etag", "outcome"}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    condition: ConditionOptions,

    #[command(flatten)]
    connection: Connection,
}

impl Put {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let content = Content::of_arguments(&self.content)?;
        let write = Write {
            client: &client,
            terminal,
            url: client.url(&self.path)?,
            method: Method::PUT,
            content: Some(("application/json", &content.bytes)),
            wanted: Some(&content.value),
        };
        let written = write.run(&self.condition, self.create)?;
        report(terminal, &client, &written, self.json)
    }
}

/// Says what a write did.
pub(crate) fn report(terminal: Terminal, client: &Client, written: &Written, json: bool) -> Ended {
    let answer = &written.answer;
    let outcome = match answer.status {
        StatusCode::CREATED => "created",
        _ if written.unchanged => "unchanged",
        _ => "changed",
    };
    let href = client.address().relative(&answer.url);
    if json {
        terminal.line(json!({
            "href": href,
            "status": answer.status.as_u16(),
            "etag": answer.etag(),
            "outcome": outcome,
        }))?;
    } else {
        terminal.talk(format!("{outcome} {href} {}", answer.etag().unwrap_or_default()).trim_end());
    }
    Ok(Exit::Ok)
}
