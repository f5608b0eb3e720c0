//! `milepost apply`: makes the collections' definitions what the files say.

use std::{
    fs,
    path::{Path, PathBuf},
    str::FromStr as _,
};

use clap::Args;
use milepost_semantics::{CollectionName, json};
use milepost_store::Definition;
use serde_json::{Value, json};
use ureq::http::{Method, StatusCode, header};

use crate::{
    Ended,
    client::{Ask, Client, Connection, failure_of},
    difference,
    exit::{Exit, Failure},
    terminal::{Style, Terminal},
};

const EXAMPLES: &str = "\
Examples:
  milepost apply definitions/             every *.json in the folder
  milepost apply books.json books.reviews.json
  milepost apply definitions/ --dry-run   show what would change

A file's name is the collection's: books.json defines books, books.reviews.json the reviews
that lie below each book. Parents are defined before their children, each write is made only
if the definition is still the one the plan was made from.
";

/// Define collections
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Apply {
    /// Definition files, or folders of them
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,

    /// Show the plan, write nothing
    #[arg(long)]
    dry_run: bool,

    /// Print each step as {"collection", "step", "changes"}, one a line
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    connection: Connection,
}

/// A definition as a file has it.
#[derive(Debug)]
pub(crate) struct Declared {
    /// The dotted name.
    pub(crate) collection: String,
    /// The file's content.
    pub(crate) bytes: Vec<u8>,
    /// Its normal form, with every default said.
    pub(crate) normal: Value,
}

/// What applying one definition would do.
#[derive(Debug)]
enum Step {
    Create,
    Change { tag: String, changes: Vec<String> },
    Keep,
}

impl Apply {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let client = self.connection.client()?;
        let mut declared = Vec::new();
        for file in files(&self.paths)? {
            let bytes = fs::read(&file).map_err(|error| Failure::file(file.display(), &error))?;
            declared.push(Declared::parse(
                &name_of(&file)?,
                bytes,
                &file.display().to_string(),
            )?);
        }
        let steps = apply(&client, declared, self.dry_run, &mut |collection, step| {
            tell(terminal, collection, step, self.json)
        })?;
        if self.dry_run {
            terminal.talk(format!("{steps} to change; nothing was written"));
        }
        Ok(Exit::Ok)
    }
}

impl Declared {
    /// Reads a definition, and says all that is wrong with it.
    pub(crate) fn parse(collection: &str, bytes: Vec<u8>, file: &str) -> Result<Self, Failure> {
        let value = json::parse(&bytes, json::Limits::default())
            .map_err(|error| Failure::invalid(format!("{file} is no JSON document: {error}")))?;
        let definition = Definition::parse(&value).map_err(|violations| {
            let mut failure = Failure::invalid(format!("{file} is no definition"));
            for violation in violations {
                failure = failure.detail(format!("{}: {}", violation.pointer, violation.detail));
            }
            failure
        })?;
        let normal = serde_json::from_slice(&definition.representation).unwrap_or(value);
        Ok(Self {
            collection: collection.to_owned(),
            bytes,
            normal,
        })
    }
}

fn apply(
    client: &Client,
    mut declared: Vec<Declared>,
    dry_run: bool,
    tell: &mut dyn FnMut(&str, &Step) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    declared
        .sort_by_cached_key(|one| (one.collection.matches('.').count(), one.collection.clone()));
    let mut changed = 0;
    for one in &declared {
        let url = client.url(&format!("-/collections/{}", one.collection))?;
        let step = plan(client, &url, one)?;
        if !dry_run {
            carry_out(client, &url, one, &step)?;
        }
        changed += usize::from(!matches!(step, Step::Keep));
        tell(&one.collection, &step)?;
    }
    Ok(changed)
}

fn plan(client: &Client, url: &str, declared: &Declared) -> Result<Step, Failure> {
    let answer = client.send(&Ask::get(url))?;
    if matches!(answer.status, StatusCode::NOT_FOUND | StatusCode::GONE) {
        return Ok(Step::Create);
    }
    let answer = answer.success()?;
    let current: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let changes = difference::lines(&current, &declared.normal);
    match answer.etag() {
        _ if changes.is_empty() => Ok(Step::Keep),
        Some(tag) => Ok(Step::Change {
            tag: tag.to_owned(),
            changes,
        }),
        None => Err(Failure::failed(format!("{url} came without an entity tag"))),
    }
}

fn carry_out(client: &Client, url: &str, declared: &Declared, step: &Step) -> Result<(), Failure> {
    let ask = Ask::new(Method::PUT, url).body("application/json", &declared.bytes);
    let ask = match step {
        Step::Keep => return Ok(()),
        Step::Create => ask.field(header::IF_NONE_MATCH, "*"),
        Step::Change { tag, .. } => ask.field(header::IF_MATCH, tag),
    };
    let answer = client.send(&ask)?;
    match answer.status {
        status if status.is_success() => Ok(()),
        StatusCode::PRECONDITION_FAILED => {
            let collection = &declared.collection;
            let message = format!("{collection} was changed by somebody else just now");
            Err(Failure::new(Exit::PreconditionFailed, message).hint("run the same command again"))
        }
        _ => {
            let mut failure = failure_of(&answer);
            failure.message = format!("{}: {}", declared.collection, failure.message);
            Err(failure)
        }
    }
}

fn tell(terminal: Terminal, collection: &str, step: &Step, json: bool) -> Result<(), Failure> {
    let none = Vec::new();
    let (name, style, changes) = match step {
        Step::Create => ("create", Style::Green, &none),
        Step::Change { changes, .. } => ("change", Style::Yellow, changes),
        Step::Keep => ("keep", Style::Dim, &none),
    };
    if json {
        return terminal
            .line(json!({ "collection": collection, "step": name, "changes": changes }));
    }
    terminal.line(format!(
        "{}  {collection}",
        terminal.out(format!("{name:<6}"), style)
    ))?;
    changes
        .iter()
        .try_for_each(|change| terminal.line(format!("          {change}")))
}

/// The files named, and those in the folders named, in a stable order.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |error: std::io::Error| Failure::file(path.display(), &error);
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        for entry in fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            if file
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(file);
            }
        }
        if files.len() == before {
            let message = format!("there is no *.json in {}", path.display());
            return Err(Failure::new(Exit::NotFound, message));
        }
    }
    Ok(files)
}

/// The collection that a file defines: its name without `.json`.
fn name_of(file: &Path) -> Result<String, Failure> {
    let name = file
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let name = name.strip_suffix(".json").unwrap_or(&name);
    for part in name.split('.') {
        CollectionName::from_str(part).map_err(|error| {
            Failure::invalid(format!("{} names no collection: {error}", file.display()))
                .hint("a file is named like its collection: books.json, books.reviews.json")
        })?;
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_like_the_collection_it_defines() {
        let name = |path: &str| name_of(Path::new(path)).map_err(|failure| failure.message);
        assert_eq!(name("x/books.reviews.json"), Ok("books.reviews".into()));
        assert!(name("x/Books.json").is_err());
        assert!(name("x/books..json").is_err());
    }

    #[test]
    fn all_that_is_wrong_with_a_definition_is_told_before_anything_is_sent() {
        let bytes = br#"{"titel": "x", "preconditions": "maybe"}"#.to_vec();
        let failure = Declared::parse("books", bytes, "books.json").unwrap_err();
        assert_eq!(failure.exit, Exit::InvalidInput);
        assert_eq!(failure.details.len(), 2, "{:?}", failure.details);
    }
}
