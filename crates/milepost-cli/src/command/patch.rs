//! `milepost patch`: changes members of a resource, by merge patch or JSON Patch.

use clap::Args;
use serde_json::Value;
use ureq::http::Method;

use crate::{
    Ended,
    client::{self, Connection},
    command::put,
    conditional::{ConditionOptions, Write},
    content::Content,
    exit::Failure,
    terminal::Terminal,
};

const MERGE_PATCH: &str = "application/merge-patch+json";
const JSON_PATCH: &str = "application/json-patch+json";

const EXAMPLES: &str = "\
Examples:
  milepost patch books/solaris year:=1961 title=Solaris   set members
  milepost patch books/solaris note:=null                 remove one
  milepost patch books/solaris /publisher/city=Warszawa   set one deeper down
  milepost patch books/solaris change.json                an object is a merge patch (RFC 7396),
                                                          an array a JSON Patch (RFC 6902)
";

/// Change members of a resource
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Patch {
    /// Path below the server's base, absolute path, or URL
    #[arg(value_name = "PATH", allow_hyphen_values = true, value_parser = client::path)]
    path: String,

    /// A file, `-` for stdin, or members: name=text, name:=JSON, /deep/name=text
    #[arg(value_name = "CONTENT")]
    content: Vec<String>,

    /// Print {"href", "status", "etag", "outcome"}
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    condition: ConditionOptions,

    #[command(flatten)]
    connection: Connection,
}

impl Patch {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let content = Content::of_arguments(&self.content)?;
        let content_type = match &content.value {
            Value::Object(_) => MERGE_PATCH,
            Value::Array(_) => JSON_PATCH,
            _ => return Err(Failure::invalid("a patch is a JSON object or array")),
        };
        let write = Write {
            client: &client,
            terminal,
            url: client.url(&self.path)?,
            method: Method::PATCH,
            content: Some((content_type, &content.bytes)),
            wanted: None,
        };
        let written = write.run(&self.condition, false)?;
        put::report(terminal, &client, &written, self.json)
    }
}
