//! `milepost list`: the resources of a collection, filtered, sorted, as a table or as lines.

use clap::Args;
use serde_json::{Value, json};

use crate::{
    Ended,
    client::{self, Client, Connection},
    exit::{Exit, Failure},
    export,
    pages::{self, Item, Page, Pages},
    table::{self, Row},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost list books
  milepost list books --filter language=pl --filter year=gte:1960 --sort -year
  milepost list books --filter year=1961 --filter year=1969   any of the values
  milepost list books --filter year=gte:1960 --filter year=lt:1970   a range
  milepost list books --select title,year
  milepost list books -q robots                  where the definition declares text
  milepost list books.reviews                    the reviews of all books
  milepost list books/solaris/reviews --all | jq .value.stars

Filters and sorting take the indexes that the collection's definition declares.
Before the value may stand gt: gte: lt: lte: ne: prefix: exists: (or eq: to take it literally).
";

/// List the resources of a collection
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, visible_alias = "ls")]
pub(crate) struct List {
    /// A collection, or the URL of a page
    #[arg(value_name = "COLLECTION", allow_hyphen_values = true, value_parser = client::path)]
    collection: String,

    /// Only what has this value: INDEX=VALUE, INDEX=gte:VALUE, …; may be repeated
    #[arg(long, short = 'f', value_name = "INDEX=VALUE")]
    filter: Vec<String>,

    /// Order by these indexes, `-` before a name for descending
    #[arg(long, short = 's', value_name = "INDEX,…", allow_hyphen_values = true)]
    sort: Option<String>,

    /// Only these members
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    select: Vec<String>,

    /// Search the text that the definition declares
    #[arg(long, short = 'q', value_name = "WORDS")]
    query: Option<String>,

    /// How many on a page
    #[arg(long, value_name = "N")]
    page_size: Option<u32>,

    /// Follow every page; all show the state at one position
    #[arg(long, short = 'a')]
    all: bool,

    /// Count what matches, where that is cheap
    #[arg(long)]
    total: bool,

    /// One {"id", "href", "etag", "value"} a line, also on a terminal
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: Connection,
}

impl List {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let mut pages = Pages::from(&client, self.url(&client)?);
        let as_table = terminal.stdout_is_terminal && !self.json;
        while let Some(page) = pages.advance()? {
            if as_table {
                self.show_table(terminal, &client, &page)?;
            } else {
                show_lines(terminal, &page)?;
            }
            if let Some(total) = page.total {
                terminal.talk(format!("{total} in all"));
            }
            if !self.all {
                self.tell_of_more(terminal, &page);
                break;
            }
        }
        Ok(Exit::Ok)
    }

    fn url(&self, client: &Client) -> Result<String, Failure> {
        let query = pages::query(&self.pairs()?);
        if self.collection.contains('?') || self.collection.contains("://") {
            if !query.is_empty() {
                return Err(Failure::usage(
                    "a URL of a page takes no filters of its own",
                ));
            }
            return client.url(&self.collection);
        }
        client.url(&format!(
            "{}{query}",
            pages::collection_path(&self.collection)
        ))
    }

    fn pairs(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut pairs = Vec::new();
        for filter in &self.filter {
            let (index, value) = filter.split_once('=').ok_or_else(|| {
                Failure::usage(format!("{filter:?} is no filter"))
                    .hint("write --filter INDEX=VALUE, e.g. --filter year=gte:1960")
            })?;
            pairs.push((index.to_owned(), value.to_owned()));
        }
        let mut push = |key: &str, value: Option<String>| {
            pairs.extend(value.map(|value| (key.to_owned(), value)));
        };
        push("q", self.query.clone());
        push("sort", self.sort.clone());
        push("pageSize", self.page_size.map(|n| n.to_string()));
        push(
            "select",
            (!self.select.is_empty()).then(|| self.select.join(",")),
        );
        push("total", self.total.then(|| "true".to_owned()));
        Ok(pairs)
    }

    fn show_table(&self, terminal: Terminal, client: &Client, page: &Page) -> Result<(), Failure> {
        let rows: Vec<Row> = page.items.iter().map(|item| row(client, item)).collect();
        if rows.is_empty() {
            terminal.talk("nothing there");
            return Ok(());
        }
        let lines = table::lines(terminal, &rows, &self.select);
        terminal.line(lines.join("\n"))
    }

    fn tell_of_more(&self, terminal: Terminal, page: &Page) {
        if let Some(next) = &page.next {
            terminal.hint(format!("there is more: --all, or `milepost list '{next}'`"));
        }
    }
}

fn row(client: &Client, item: &Item) -> Row {
    let value: Value = serde_json::from_str(export::value_of(item)).unwrap_or_default();
    // Across parents an id alone says little.
    let parts = pages::taken_apart(client.address().relative(&item.href));
    let id = match parts {
        Some((_, parents, id)) if !parents.is_empty() => format!("{}/{id}", parents.join("/")),
        _ => item.id.clone(),
    };
    Row { id, value }
}

fn show_lines(terminal: Terminal, page: &Page) -> Result<(), Failure> {
    let mut lines = Vec::new();
    for item in &page.items {
        let head = json!({ "id": item.id, "href": item.href, "etag": item.etag });
        lines.extend(export::with_value(&head, export::value_of(item)).into_bytes());
        lines.push(b'\n');
    }
    terminal.data(&lines)
}
