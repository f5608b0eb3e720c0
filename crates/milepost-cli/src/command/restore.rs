//! `milepost restore`: makes a store from a backup, or of a database that was restored, with a history of
//! its own.

use std::path::{Path, PathBuf};

use clap::Args;
use milepost_postgres::begin_history;
use milepost_store::embedded;

use crate::{
    Ended,
    command::serve::runtime,
    exit::{Exit, Failure},
    serving::StoreOptions,
    storage,
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost restore monday.milepost ./milepost-data
  milepost check ./milepost-data
  milepost restore postgres://milepost@db/milepost --password-file secret
                                                     after PostgreSQL's own tools have gone back

The restored store starts a new history: clients that saw later writes are told to read
everything again, instead of being led astray.
";

/// Make a store from a backup, or begin a new history in a restored database
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Restore {
    /// What `milepost backup` made; or the URL of a database that was brought back to an earlier moment, which
    /// no node serves
    #[arg(value_name = "FILE")]
    source: String,

    /// The directory to make; it must be empty or not exist. None for a database
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,

    /// The file that holds the database's password [default: MILEPOST_STORE_PASSWORD]
    #[arg(long, value_name = "FILE", env = "MILEPOST_STORE_PASSWORD_FILE")]
    password_file: Option<PathBuf>,

    /// The private authority whose certificates of database servers are believed, as PEM
    #[arg(long, value_name = "FILE", env = "MILEPOST_STORE_CA")]
    ca: Option<PathBuf>,
}

impl Restore {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let is_database = ["postgres://", "postgresql://", "host="]
            .iter()
            .any(|scheme| self.source.starts_with(scheme));
        match (&self.directory, is_database) {
            (Some(directory), false) => from_file(terminal, Path::new(&self.source), directory),
            (None, true) => self.of_database(terminal),
            (None, false) => Err(Failure::usage("no directory is named")
                .hint("milepost restore FILE DIR, or milepost restore postgres://…")),
            (Some(_), true) => Err(Failure::usage("a database is restored where it is")
                .hint("name no directory; milepost copy moves a store")),
        }
    }

    /// PostgreSQL has brought the rows back; what is left is that nobody takes them for what was undone.
    fn of_database(self, terminal: Terminal) -> Ended {
        let options = StoreOptions {
            store: Some(self.source),
            store_password_file: self.password_file,
            store_ca: self.ca,
            ..StoreOptions::default()
        };
        let options = options.database()?;
        let options = options.ok_or_else(|| Failure::usage("no database is named"))?;
        let begun = runtime()?.block_on(begin_history(&options));
        begun.map_err(|error| storage::open_failure(&error))?;
        terminal.talk("the store has a new history: start the nodes");
        Ok(Exit::Ok)
    }
}

fn from_file(terminal: Terminal, file: &Path, directory: &Path) -> Ended {
    let has_entries =
        std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    let shown = directory.display();
    if has_entries {
        return Err(Failure::failed(format!("{shown} is not empty"))
            .hint("nothing is overwritten: choose another place"));
    }
    embedded::restore(file, directory).map_err(|error| storage::failure(&error))?;
    terminal.talk(format!("restored to {shown}, with a new history"));
    Ok(Exit::Ok)
}
