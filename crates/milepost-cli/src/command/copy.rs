//! `milepost copy`: copies a whole store, between directories and databases.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use milepost_postgres as postgres;
use milepost_store::{
    embedded::{self, Embedded},
    transfer::{self, Outline, Source, Target},
};
use serde_json::json;

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
  milepost copy ./milepost-data postgres://milepost@db/milepost --password-file secret
  milepost copy postgres://milepost@db/milepost ./elsewhere

Nobody serves the store meanwhile, and the target holds none. Positions, entity tags, old versions, outcomes of
transactions and the history stay what they are: whoever follows goes on from its bookmark. The copy is there
whole, with its digests proven, or not at all: when it was cut off, run it again.
";

/// Copy a whole store between directories and databases, bookmarks included
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Copy {
    /// The store: its directory, or postgres://…
    #[arg(value_name = "SOURCE")]
    source: String,

    /// Where to: a directory or a database without a store
    #[arg(value_name = "TARGET")]
    target: String,

    /// The file that holds the database's password [default: MILEPOST_STORE_PASSWORD]
    #[arg(long, value_name = "FILE", env = "MILEPOST_STORE_PASSWORD_FILE")]
    password_file: Option<PathBuf>,

    /// The private authority whose certificates of database servers are believed, as PEM
    #[arg(long, value_name = "FILE", env = "MILEPOST_STORE_CA")]
    ca: Option<PathBuf>,

    /// Print {"history", "versions"}
    #[arg(long)]
    json: bool,
}

/// Where a store is.
enum Place {
    Directory(PathBuf),
    Database(Box<postgres::Options>),
}

impl Copy {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let (source, target) = (self.place(&self.source)?, self.place(&self.target)?);
        let outline = runtime()?.block_on(async {
            let mut from = leave(&source).await?;
            let mut to = arrive(&target).await?;
            let copied = carry(terminal, &mut *from, &mut *to).await?;
            drop((from, to));
            settle(&target).await?;
            Ok::<_, Failure>(copied)
        })?;
        let versions: u64 = outline
            .collections
            .iter()
            .map(|part| part.version_count)
            .sum();
        let history = outline.history.as_str();
        if self.json {
            terminal.line(json!({ "history": history, "versions": versions }))?;
        } else {
            terminal.talk(format!(
                "{}: {versions} versions, history {history}",
                self.target
            ));
            if let Place::Directory(directory) = &source {
                let keys = directory.join("keys.json");
                terminal.talk(format!(
                    "the keys that seal what clients hold are not in it: go on with --keys {}",
                    keys.display()
                ));
            }
        }
        Ok(Exit::Ok)
    }

    fn place(&self, text: &str) -> Result<Place, Failure> {
        let is_database = ["postgres://", "postgresql://", "host="]
            .iter()
            .any(|scheme| text.starts_with(scheme));
        if !is_database {
            return Ok(Place::Directory(PathBuf::from(text)));
        }
        let options = StoreOptions {
            store: Some(text.to_owned()),
            store_password_file: self.password_file.clone(),
            store_ca: self.ca.clone(),
            ..StoreOptions::default()
        };
        let options = options.database()?;
        options
            .map(|options| Place::Database(Box::new(options)))
            .ok_or_else(|| Failure::usage("no database is named"))
    }
}

async fn leave(place: &Place) -> Result<Box<dyn Source>, Failure> {
    Ok(match place {
        Place::Directory(directory) => {
            Box::new(embedded::Leaving::from(directory).map_err(|error| storage::failure(&error))?)
        }
        Place::Database(options) => {
            let leaving = postgres::Leaving::from(options).await;
            Box::new(leaving.map_err(|error| storage::open_failure(&error))?)
        }
    })
}

async fn arrive(place: &Place) -> Result<Box<dyn Target>, Failure> {
    Ok(match place {
        Place::Directory(directory) => {
            Box::new(embedded::Arriving::at(directory).map_err(|error| storage::failure(&error))?)
        }
        Place::Database(options) => {
            let arriving = postgres::Arriving::at(options).await;
            Box::new(arriving.map_err(|error| storage::open_failure(&error))?)
        }
    })
}

async fn carry(
    terminal: Terminal,
    from: &mut dyn Source,
    to: &mut dyn Target,
) -> Result<Arc<Outline>, Failure> {
    let shown = if terminal.stderr_is_terminal {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(None, shown);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} versions {eta}") {
        bar.set_style(style);
    }
    let told = |carried: u64, outline: &Outline| {
        let all = outline
            .collections
            .iter()
            .map(|part| part.version_count)
            .sum();
        bar.set_length(all);
        bar.set_position(carried);
    };
    let copied = transfer::copy(from, to, told).await;
    bar.finish_and_clear();
    Ok(Arc::new(copied.map_err(|error| storage::failure(&error))?))
}

/// Completes what a directory's store is filtered by.
async fn settle(target: &Place) -> Result<(), Failure> {
    if let Place::Directory(directory) = target {
        let store = Embedded::open(directory, embedded::Options::default());
        let store = store.map_err(|error| storage::failure(&error))?;
        store.settle().await;
    }
    Ok(())
}
