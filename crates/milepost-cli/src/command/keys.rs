//! `milepost keys`: the keys that seal what clients hold.

use clap::{Args, Subcommand};
use milepost_seal::{Key, KeyFileError, KeyId, KeyRing, KeyState, SystemEntropy};
use serde_json::{Value, json};

use crate::{
    Ended,
    exit::{Exit, Failure},
    keys::{RingPlace, date, now},
    table::{self, Row},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost keys list --data /var/lib/milepost
  milepost keys rotate --data /var/lib/milepost     another key seals, the old one still opens
  milepost keys create --keys shared.json           for several nodes; then milepost serve --keys
  milepost keys revoke 2kbqpgcm --keys shared.json  what this key sealed opens no more
  milepost keys revoke --all --keys shared.json     when the file was stolen

A server reads its keys again on SIGHUP. Without --data or --keys, ./milepost-data is meant.
";

const CREATE: &str = "\
Examples:
  milepost keys create --keys shared.json    makes the file with a key that seals
  milepost keys create --keys shared.json    adds a key to it, to be handed to every node before rotate
";
const ROTATE: &str = "\
Examples:
  milepost keys rotate --data /var/lib/milepost

The oldest created key seals from now on; without one, a new one is made. What the old key sealed still opens.
";
const REVOKE: &str = "\
Examples:
  milepost keys revoke 2kbqpgcm
  milepost keys revoke --all

Whoever is in the middle of something that the key sealed has to start it again.
";
const LIST: &str = "\
Examples:
  milepost keys list
  milepost keys list --json | jq -r 'select(.state == \"expired\").id'
";

/// Make, rotate, revoke and list the keys that seal what clients hold
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct Keys {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a file of keys, or add a key that opens and doesn't seal yet
    #[command(after_help = CREATE)]
    Create(Place),
    /// Let another key seal; what the old one sealed still opens
    #[command(after_help = ROTATE)]
    Rotate(Place),
    /// Take a key away: what it sealed opens no more
    #[command(after_help = REVOKE)]
    Revoke(Revoke),
    /// Show the keys, never their secrets
    #[command(after_help = LIST)]
    List(Place),
}

/// Which ring, and how to tell of it.
#[derive(Args, Debug)]
struct Place {
    #[command(flatten)]
    ring: RingPlace,

    /// Print the keys on stdout, one JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Args, Debug)]
struct Revoke {
    /// The key
    #[arg(value_name = "ID", required_unless_present = "all")]
    id: Option<KeyId>,

    /// Revoke every key, and begin with a new one: when the file was stolen
    #[arg(long, conflicts_with = "id")]
    all: bool,

    #[command(flatten)]
    place: Place,
}

impl Keys {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        match self.what {
            What::Create(place) => create(&place, terminal),
            What::Rotate(place) => rotate(&place, terminal),
            What::Revoke(revoke) => revoke.run(terminal),
            What::List(place) => list(&place, terminal),
        }
    }
}

impl Place {
    /// After a change: what it did, what to do now, and the keys for whoever asked for JSON.
    fn changed(&self, terminal: Terminal, said: &str) -> Ended {
        let file = self.ring.file();
        terminal.talk(format!("{}: {said}", file.path().display()));
        terminal.hint("a server that runs reads its keys again on SIGHUP");
        if self.json {
            print(terminal, &file.read()?)?;
        }
        Ok(Exit::Ok)
    }
}

fn create(place: &Place, terminal: Terminal) -> Ended {
    let file = place.ring.file();
    match file.create(now(), &mut SystemEntropy) {
        Ok(ring) => {
            terminal.talk(format!(
                "{}: made, with key {} that seals",
                file.path().display(),
                ring.active()
            ));
            if place.json {
                print(terminal, &ring)?;
            }
            Ok(Exit::Ok)
        }
        Err(KeyFileError::AlreadyExists { .. }) => {
            let id = file.change(|ring| ring.create(now(), &mut SystemEntropy));
            let id = id?;
            let said = format!("key {id} is there and seals nothing before milepost keys rotate");
            place.changed(terminal, &said)
        }
        Err(error) => Err(error.into()),
    }
}

fn rotate(place: &Place, terminal: Terminal) -> Ended {
    let change = place
        .ring
        .file()
        .change(|ring| ring.rotate(now(), &mut SystemEntropy));
    let rotated = change?;
    let said = format!(
        "key {} seals, {} still opens",
        rotated.active, rotated.expired
    );
    place.changed(terminal, &said)
}

impl Revoke {
    fn run(&self, terminal: Terminal) -> Ended {
        let file = self.place.ring.file();
        let said = match self.id {
            Some(id) => {
                file.change(|ring| ring.revoke(id, now()))?;
                format!("key {id} opens no more")
            }
            None => {
                let id = file.change(|ring| ring.revoke_all(now(), &mut SystemEntropy));
                format!("key {} seals, and no other opens", id?)
            }
        };
        self.place.changed(terminal, &said)
    }
}

fn list(place: &Place, terminal: Terminal) -> Ended {
    let ring = place.ring.file().read()?;
    if place.json {
        print(terminal, &ring)?;
        return Ok(Exit::Ok);
    }
    let row = |key: &Key| Row {
        id: key.id().to_string(),
        value: document(key),
    };
    let rows: Vec<Row> = ring.keys().map(row).collect();
    for line in table::lines(terminal, &rows, &[]) {
        terminal.line(line)?;
    }
    Ok(Exit::Ok)
}

fn print(terminal: Terminal, ring: &KeyRing) -> Result<(), Failure> {
    ring.keys().try_for_each(|key| terminal.line(document(key)))
}

fn document(key: &Key) -> Value {
    let does = match key.state() {
        KeyState::Created | KeyState::Expired => "opens",
        KeyState::Active => "seals and opens",
        KeyState::Revoked => "nothing",
    };
    json!({
        "id": key.id().as_str(),
        "state": key.state().name(),
        "does": does,
        "created": date(key.created_at()),
        "since": date(key.changed_at()),
    })
}
