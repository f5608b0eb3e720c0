//! `milepost export`: a collection as of one position, to a file or stdout.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Map, Value};

use crate::{
    Ended,
    client::{Client, Connection},
    exit::{Exit, Failure},
    export::{self, Spool, Target},
    import::Progress,
    pages::{self, Item, Pages},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost export books > books.ndjson           lossless; `milepost import books.ndjson`
  milepost export books --children books.reviews --output all.ndjson
  milepost export books.reviews                  the reviews of all books
  milepost export books --values                 bare representations, one a line
  milepost export books --format csv -o books.csv

All pages show the state at one position, whatever is written meanwhile; several
collections are exported one after the other, each at a position of its own.
";

/// How an export is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One resource a line
    Ndjson,
    /// A JSON array
    Json,
    /// Rows under a heading: for spreadsheets, not lossless
    Csv,
}

/// Write a collection to a file, as of one position
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Export {
    /// `books`, `books/solaris/reviews`, or `books.reviews` for those of all books
    #[arg(value_name = "COLLECTION")]
    collection: String,

    /// A child collection to export after it, with its parents' ids; may be repeated
    #[arg(long, value_name = "NAME")]
    children: Vec<String>,

    /// Where to; the file appears whole or not at all [default: stdout]
    #[arg(long, short = 'o', value_name = "FILE")]
    output: Option<PathBuf>,

    /// The format
    #[arg(long, value_name = "FORMAT", default_value = "ndjson")]
    format: Format,

    /// Bare representations, without saying where they were
    #[arg(long, conflicts_with = "children")]
    values: bool,

    /// How many resources to ask for at a time
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    page_size: u32,

    /// No progress
    #[arg(long)]
    quiet: bool,

    #[command(flatten)]
    connection: Connection,
}

/// What resources are written with.
enum Writer {
    Lines(Target),
    Array { target: Target, is_empty: bool },
    Rows { target: Target, spool: Spool },
}

impl Export {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let progress = Progress::new(terminal, self.quiet);
        progress.expect_bytes(None);
        let mut writer = self.writer()?;
        let mut resources = 0;
        for collection in std::iter::once(&self.collection).chain(&self.children) {
            self.one(&client, collection, &mut writer, &mut |_| {
                resources += 1;
                progress.tell(resources);
            })?;
        }
        writer.finish()?;
        progress.finish();
        terminal.talk(format!("{resources} resources exported"));
        Ok(Exit::Ok)
    }

    fn writer(&self) -> Result<Writer, Failure> {
        let target = Target::open(self.output.as_deref())?;
        Ok(match self.format {
            Format::Ndjson => Writer::Lines(target),
            Format::Json => Writer::Array {
                target,
                is_empty: true,
            },
            Format::Csv => {
                let leading: &[&str] = if self.values { &[] } else { &["id"] };
                Writer::Rows {
                    target,
                    spool: Spool::new(leading)?,
                }
            }
        })
    }

    fn one(
        &self,
        client: &Client,
        collection: &str,
        writer: &mut Writer,
        written: &mut dyn FnMut(&Item),
    ) -> Result<(), Failure> {
        let size = [("pageSize".to_owned(), self.page_size.to_string())];
        let path = format!(
            "{}{}",
            pages::collection_path(collection),
            pages::query(&size)
        );
        let mut pages = Pages::from(client, client.url(&path)?);
        while let Some(page) = pages.advance()? {
            for item in &page.items {
                writer.write(client, item, self.values)?;
                written(item);
            }
        }
        Ok(())
    }
}

impl Writer {
    fn write(&mut self, client: &Client, item: &Item, values: bool) -> Result<(), Failure> {
        match self {
            Self::Lines(target) => {
                target.put(format!("{}\n", text(client, item, values)?).as_bytes())
            }
            Self::Array { target, is_empty } => {
                let start = if std::mem::replace(is_empty, false) {
                    "[\n"
                } else {
                    ",\n"
                };
                target.put(format!("{start}{}", text(client, item, values)?).as_bytes())
            }
            Self::Rows { spool, .. } => spool.push(members(client, item, values)?),
        }
    }

    fn finish(self) -> Result<(), Failure> {
        match self {
            Self::Lines(target) => target.finish(),
            Self::Array {
                mut target,
                is_empty,
            } => {
                target.put(if is_empty { b"[]\n" } else { b"\n]\n" })?;
                target.finish()
            }
            Self::Rows { mut target, spool } => {
                spool.write_rows(&mut target)?;
                target.finish()
            }
        }
    }
}

fn text(client: &Client, item: &Item, values: bool) -> Result<String, Failure> {
    if values {
        return Ok(export::on_one_line(export::value_of(item)));
    }
    let (collection, parents, id) = taken_apart(client, item)?;
    Ok(export::line(
        &collection,
        &parents,
        &id,
        export::value_of(item),
    ))
}

/// A resource as the members of a row: its id and parents first, unless it has such members itself.
fn members(client: &Client, item: &Item, values: bool) -> Result<Map<String, Value>, Failure> {
    let value: Value = serde_json::from_str(export::value_of(item)).unwrap_or_default();
    let mut members = match value {
        Value::Object(members) => members,
        other => Map::from_iter([("value".to_owned(), other)]),
    };
    if !values {
        let (_, parents, id) = taken_apart(client, item)?;
        members.entry("id").or_insert_with(|| id.into());
        if !parents.is_empty() {
            members
                .entry("parent")
                .or_insert_with(|| parents.join("/").into());
        }
    }
    Ok(members)
}

fn taken_apart(client: &Client, item: &Item) -> Result<(String, Vec<String>, String), Failure> {
    let path = client.address().relative(&item.href);
    pages::taken_apart(path)
        .ok_or_else(|| Failure::failed(format!("{} is no path of a resource", item.href)))
}
