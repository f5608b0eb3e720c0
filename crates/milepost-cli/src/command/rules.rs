//! `milepost rules`: tries a definition's rules on a table of cases, before they hold anywhere.
//!
//! Nothing is asked of a server, and nothing is written: the decisions are those of the library that the server is made
//! of.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use clap::{Args, Subcommand};
use milepost_semantics::ResourceId;
use milepost_server::{Attempt, RuleBook, Subject};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Ended,
    exit::{Exit, Failure},
    terminal::{Style, Terminal},
};

const EXAMPLES: &str = "\
Examples:
  milepost rules test notes.cases.yaml
  milepost rules test notes.cases.json --definition definitions/notes.json
  milepost rules test notes.cases.yaml --json | jq -r 'select(.ok | not).name'

A table, as YAML or JSON:
  definition: definitions/notes.json     # beside the table; or the definition itself
  subjects:
    ada: { id: ada, claims: { role: clerk } }
  cases:
    - { name: she reads hers, subject: ada, method: read, resource: { owner: ada }, expect: allow }
    - { name: nobody reads,   method: read, resource: { owner: ada }, expect: deny }
    - name: she doesn't give it away
      subject: ada
      method: update
      previous: { owner: ada }
      resource: { owner: bob }
      expect: deny

Exits with 1 where a case is decided otherwise, with 6 where the table or the rules can't be used.
";

/// Try a definition's rules
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Rules {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Decide each case of a table, and compare with what is expected
    #[command(after_help = EXAMPLES)]
    Test(Test),
}

#[derive(Args, Debug)]
struct Test {
    /// The table: cases, subjects, and which definition
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The definition whose rules are tried, instead of the table's own
    #[arg(long, value_name = "FILE")]
    definition: Option<PathBuf>,

    /// Print each case as {"name", "expected", "decided", "ok"}, one a line
    #[arg(long)]
    json: bool,
}

/// A table of cases.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(default)]
    definition: Option<Value>,
    #[serde(default)]
    subjects: BTreeMap<String, Somebody>,
    cases: Vec<Case>,
}

/// Somebody who asks.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Somebody {
    id: String,
    #[serde(default)]
    claims: Map<String, Value>,
    #[serde(default)]
    admin: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The name of a subject; nobody, without.
    #[serde(default)]
    subject: Option<String>,
    method: Method,
    #[serde(default = "some_id")]
    id: String,
    #[serde(default)]
    parents: Vec<String>,
    /// The document as it is, or would be.
    resource: Value,
    /// The document that stands, of an update.
    #[serde(default)]
    previous: Option<Value>,
    expect: Decision,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    Read,
    Create,
    Update,
    Delete,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Decision {
    Allow,
    Deny,
}

fn some_id() -> String {
    "some-id".to_owned()
}

impl Decision {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

impl Rules {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let What::Test(test) = self.what;
        test.run(terminal)
    }
}

impl Test {
    fn run(&self, terminal: Terminal) -> Ended {
        let table: Table = read(&self.file)?;
        let book = self.book(&table)?;
        let mut failed = 0;
        for case in &table.cases {
            let decided = case.decide(&book, &table)?;
            failed += usize::from(decided != case.expect);
            self.tell(terminal, case, decided)?;
        }
        let count = table.cases.len();
        terminal.talk(format!(
            "{count} cases, {failed} decided otherwise than expected"
        ));
        Ok(if failed == 0 { Exit::Ok } else { Exit::Failed })
    }

    fn tell(&self, terminal: Terminal, case: &Case, decided: Decision) -> Result<(), Failure> {
        let ok = decided == case.expect;
        let (expected, decided) = (case.expect.as_str(), decided.as_str());
        if self.json {
            return terminal.line(json!({
                "name": case.name, "expected": expected, "decided": decided, "ok": ok
            }));
        }
        let name = crate::terminal::harmless(&case.name);
        if ok {
            return terminal.line(format!("{} {name}", terminal.out("ok    ", Style::Green)));
        }
        let mark = terminal.out("FAILED", Style::Red);
        terminal.line(format!(
            "{mark} {name}: expected {expected}, decided {decided}"
        ))
    }

    /// The rules that are tried.
    fn book(&self, table: &Table) -> Result<RuleBook, Failure> {
        let beside = |name: &str| {
            let folder = self.file.parent().unwrap_or_else(|| Path::new(""));
            read(&folder.join(name))
        };
        let definition = match (&self.definition, &table.definition) {
            (Some(path), _) => read(path)?,
            (None, Some(Value::String(name))) => beside(name)?,
            (None, Some(definition)) => definition.clone(),
            (None, None) => {
                let failure = Failure::usage("the table says not which definition it is about");
                return Err(failure.hint("--definition FILE, or \"definition\" in the table"));
            }
        };
        RuleBook::of(&definition).map_err(|violations| {
            let mut failure = Failure::invalid("the definition's rules can't be used");
            for violation in violations {
                failure = failure.detail(format!("{}: {}", violation.pointer, violation.detail));
            }
            failure
        })
    }
}

impl Case {
    fn decide(&self, book: &RuleBook, table: &Table) -> Result<Decision, Failure> {
        let wrong = |what: String| Failure::invalid(format!("case {:?}: {what}", self.name));
        let subject = match &self.subject {
            None => Subject::ANONYMOUS,
            Some(name) => {
                let somebody = table.subjects.get(name);
                let somebody = somebody
                    .ok_or_else(|| wrong(format!("there is no subject {name:?} in the table")))?;
                somebody.subject().map_err(wrong)?
            }
        };
        let attempt = match (self.method, &self.previous) {
            (Method::Update, Some(previous)) => Attempt::Update(previous, &self.resource),
            (Method::Update, None) => {
                return Err(wrong("an update has \"previous\", what stands".to_owned()));
            }
            (_, Some(_)) => return Err(wrong("only an update has \"previous\"".to_owned())),
            (Method::Read, None) => Attempt::Read(&self.resource),
            (Method::Create, None) => Attempt::Create(&self.resource),
            (Method::Delete, None) => Attempt::Delete(&self.resource),
        };
        let id = |text: &String| {
            let id = text.parse::<ResourceId>();
            id.map_err(|error| wrong(format!("{text:?} is no id: {error}")))
        };
        let parents = self.parents.iter().map(id).collect::<Result<Vec<_>, _>>()?;
        let allows = book.allows(&subject, attempt, (&parents, &id(&self.id)?));
        Ok(if allows {
            Decision::Allow
        } else {
            Decision::Deny
        })
    }
}

impl Somebody {
    fn subject(&self) -> Result<Subject, String> {
        let subject = Subject::of_application(&self.id, self.claims.clone());
        let subject = subject.map_err(|error| error.to_string())?;
        Ok(if self.admin { subject.admin() } else { subject })
    }
}

/// A file of JSON, or of YAML.
fn read<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file(path.display(), &error))?;
    let is_json = path
        .extension()
        .is_some_and(|extension| extension == "json");
    let read = if is_json {
        serde_json::from_str(&text).map_err(|error| error.to_string())
    } else {
        serde_saphyr::from_str(&text).map_err(|error| error.to_string())
    };
    read.map_err(|error| Failure::invalid(format!("{}: {error}", path.display())))
}
