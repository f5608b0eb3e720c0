//! `milepost get`: reads a resource, byte for byte, and remembers its entity tag.

use clap::Args;
use serde_json::{Value, json, value::RawValue};
use ureq::http::header;

use crate::{
    Ended,
    client::{self, Answer, Client, Connection},
    exit::{Exit, Failure},
    export,
    tags::Tags,
    terminal::{Style, Terminal, harmless},
};

const EXAMPLES: &str = "\
Examples:
  milepost get books/solaris                 the resource
  milepost get books/solaris > solaris.json  byte for byte; edit it, then `milepost put`
  milepost get books/solaris/versions        what it was before
  milepost get -/collections/books           a collection's definition
  milepost get .                             the service itself
";

/// Read a resource, and remember its entity tag for a later `put`
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Get {
    /// Path below the server's base, absolute path, or URL
    #[arg(value_name = "PATH", allow_hyphen_values = true, value_parser = client::path)]
    path: String,

    /// Print {"url", "etag", "lastModified", "value"} instead of the bare representation
    #[arg(long)]
    json: bool,

    /// Show status and header fields too, on stderr
    #[arg(long, short = 'i')]
    include: bool,

    #[command(flatten)]
    connection: Connection,
}

impl Get {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let path = if self.path == "." { "" } else { &self.path };
        let url = client.url(path)?;
        let answer = client.send(&crate::client::Ask::get(&url))?;
        if self.include {
            show_fields(terminal, &answer);
        }
        let answer = answer
            .success()
            .map_err(|failure| with_listing_hint(failure, &client, &url))?;
        remember(terminal, &answer);
        if self.json {
            terminal.line(envelope(&answer))?;
        } else if terminal.stdout_is_terminal {
            terminal.line(harmless(&pretty(&answer.body)))?;
        } else {
            terminal.data(&answer.body)?;
        }
        Ok(Exit::Ok)
    }
}

/// Remembers the tag of what the user has just seen.
pub(crate) fn remember(terminal: Terminal, answer: &Answer) {
    let (Some(tags), Some(tag)) = (Tags::of_user(), answer.etag()) else {
        return;
    };
    if let Err(failure) = tags.remember(&answer.url, Some(tag)) {
        terminal.warn(format!(
            "the entity tag is not remembered: {}",
            failure.message
        ));
    }
}

/// JSON with line breaks; what is no JSON stays as it is.
pub(crate) fn pretty(body: &[u8]) -> String {
    let value: Option<Value> = serde_json::from_slice(body).ok();
    let text = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    text.unwrap_or_else(|| String::from_utf8_lossy(body).into_owned())
}

fn envelope(answer: &Answer) -> String {
    let raw: Option<&RawValue> = serde_json::from_slice(&answer.body).ok();
    let text = raw.map_or_else(
        || Value::String(String::from_utf8_lossy(&answer.body).into_owned()).to_string(),
        |raw| raw.get().to_owned(),
    );
    let head = json!({
        "url": answer.url,
        "etag": answer.etag(),
        "lastModified": answer.field(header::LAST_MODIFIED),
    });
    export::with_value(&head, &text)
}

fn show_fields(terminal: Terminal, answer: &Answer) {
    terminal.talk(terminal.err(answer.status, Style::Bold));
    for (name, value) in &answer.fields {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        terminal.talk(format!(
            "{}: {}",
            terminal.err(name, Style::Dim),
            harmless(&value)
        ));
    }
    terminal.talk("");
}

fn with_listing_hint(failure: Failure, client: &Client, url: &str) -> Failure {
    let path = client.address().relative(url);
    match path.split_once('/') {
        Some((collection, _)) if failure.exit == Exit::NotFound && collection != "-" => {
            failure.hint(format!("`milepost list {collection}` shows what is there"))
        }
        _ => failure,
    }
}
