//! Which store a server serves from: a directory, or a database that it shares with other nodes.
//!
//! Options to a store; what a store is, and how it works, is its crate's.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use clap::Args;
use milepost_postgres::{Address, KeyMarks, Member, Node, OpenError, Options, Postgres, Trust};
use milepost_seal::KeyRing;
use milepost_semantics::History;
use milepost_store::{
    Store, decision,
    embedded::{self, Embedded},
};

use crate::{exit::Failure, storage, terminal::Terminal};

/// Where a password stands when it stands in the environment.
const PASSWORD: &str = "MILEPOST_STORE_PASSWORD";

/// A store in a database, and this node among those that share it.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StoreOptions {
    /// Serve from a store in PostgreSQL (15 or newer), which any number of nodes share, e.g.
    /// postgres://milepost@db1,db2/milepost; the password goes into a file or MILEPOST_STORE_PASSWORD
    #[arg(
        long,
        value_name = "URL",
        env = "MILEPOST_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<String>,

    /// The file that holds the database's password
    #[arg(
        long,
        value_name = "FILE",
        env = "MILEPOST_STORE_PASSWORD_FILE",
        requires = "store"
    )]
    pub(crate) store_password_file: Option<PathBuf>,

    /// The private authority whose certificates of database servers are believed, as PEM; with it,
    /// nothing but TLS is spoken
    #[arg(
        long,
        value_name = "FILE",
        env = "MILEPOST_STORE_CA",
        requires = "store"
    )]
    pub(crate) store_ca: Option<PathBuf>,

    /// Ask Patroni which database server is the primary: the URL of a member's REST API, e.g.
    /// http://db1:8008; may be repeated, name all members
    #[arg(
        long,
        value_name = "URL",
        env = "MILEPOST_PATRONI",
        hide_env_values = true,
        value_delimiter = ',',
        requires = "store"
    )]
    pub(crate) patroni: Vec<String>,

    /// A database server that follows the primary, asked for what never changes again (snapshots, closed
    /// pages); an address as in --store, same password; may be repeated
    #[arg(
        long,
        value_name = "URL",
        env = "MILEPOST_REPLICA",
        hide_env_values = true,
        requires = "store"
    )]
    pub(crate) replica: Vec<String>,

    /// The history that the store must have; without a store of it, the node doesn't start
    #[arg(long, value_name = "ID", env = "MILEPOST_HISTORY", requires = "store")]
    pub(crate) history: Option<String>,

    /// What other nodes call this one in what they say [default: the host's name and the process id]
    #[arg(long, value_name = "NAME", env = "MILEPOST_NODE", requires = "store")]
    pub(crate) node: Option<String>,
}

/// A store that is open.
#[derive(Clone, Debug)]
pub(crate) enum Opened {
    /// In a directory.
    Embedded(Arc<Embedded>),
    /// In a database.
    Postgres(Arc<Postgres>),
}

impl Opened {
    /// Opens the store in a directory, or makes one there.
    pub(super) fn in_directory(
        directory: &Path,
        options: embedded::Options,
    ) -> Result<Self, Failure> {
        let store = Embedded::open(directory, options);
        let store = store.map_err(|error| storage::failure(&error))?;
        Ok(Self::Embedded(Arc::new(store)))
    }

    /// What requests are answered from.
    pub(crate) fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Embedded(store) => Arc::clone(store) as Arc<dyn Store>,
            Self::Postgres(store) => Arc::clone(store) as Arc<dyn Store>,
        }
    }

    /// What the other nodes are to know of the keys from now on.
    pub(super) fn use_keys(&self, ring: &KeyRing) {
        if let Self::Postgres(store) = self {
            store.use_keys(marks(ring));
        }
    }

    /// Lets go of it. Who still holds it keeps it open.
    pub(super) async fn close(self) {
        if let Self::Postgres(store) = self {
            store.close().await;
        }
    }
}

impl StoreOptions {
    /// How the database's store is opened; `None` where none is named.
    pub(crate) fn database(&self) -> Result<Option<Options>, Failure> {
        let Some(text) = &self.store else {
            return Ok(None);
        };
        let mut options = Options::of(self.address(text)?);
        if let Some(file) = self
            .store_ca
            .as_ref()
            .or(options.database.root_certificates())
        {
            options.trust = Trust::in_file(file).map_err(|error| storage::open_failure(&error))?;
        }
        let members = self.patroni.iter().map(|url| url.parse::<Member>());
        options.patroni = members
            .collect::<Result<_, _>>()
            .map_err(|error| storage::open_failure(&error))?;
        let replicas = self.replica.iter().map(|text| self.address(text));
        options.replicas = replicas.collect::<Result<_, _>>()?;
        options.history = self.history.as_deref().map(history).transpose()?;
        options.node = Node {
            name: self.node.clone().unwrap_or_else(node_name),
            keys: None,
        };
        Ok(Some(options))
    }

    fn address(&self, text: &str) -> Result<Address, Failure> {
        let address = Address::parse(text).map_err(|error| storage::open_failure(&error))?;
        if address.has_password() && is_an_argument(text) {
            return Err(Failure::usage(
                "the store's address holds a password, which every user of this machine can see (ps)",
            )
            .hint("leave it out, and write it into a file: --store-password-file FILE")
            .hint(format!("or into the environment: {PASSWORD}, or the whole address in MILEPOST_STORE")));
        }
        let address = match self.password()? {
            Some(password) => address.with_password(&password),
            None => address,
        };
        Ok(if self.store_ca.is_some() {
            address.with_tls()
        } else {
            address
        })
    }

    /// The password of the file, else of the environment.
    fn password(&self) -> Result<Option<String>, Failure> {
        let Some(file) = &self.store_password_file else {
            return Ok(std::env::var(PASSWORD).ok());
        };
        let text =
            std::fs::read_to_string(file).map_err(|error| Failure::file(file.display(), &error))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            let path = file.display();
            return Err(Failure::invalid(format!("{path} holds no password"))
                .hint("its first line is the password"));
        }
        Ok(Some(password.to_owned()))
    }
}

/// How often is looked for a primary before a node gives up, and how long in between: a failover may be under way.
const LOOKS: u32 = 60;
const PAUSE: Duration = Duration::from_millis(500);

/// Opens a database's store, with limits and the keys that the node seals with; where no server takes writes now, or
/// the one that Patroni names doesn't yet, as during a failover, it waits for half a minute.
pub(super) async fn in_database(
    mut options: Options,
    limits: decision::Limits,
    ring: &KeyRing,
) -> Result<Opened, Failure> {
    options.limits = limits;
    options.node.keys = Some(marks(ring));
    let mut store = Postgres::open(options.clone()).await;
    for look in 0..LOOKS {
        let nowhere = match &store {
            Err(nowhere @ OpenError::NoPrimary { .. }) => nowhere,
            Err(away @ OpenError::Unreachable { .. }) if !options.patroni.is_empty() => away,
            _ => break,
        };
        if look == 0 {
            Terminal::detect().warn(format!("{nowhere}; waiting for a primary"));
        }
        tokio::time::sleep(PAUSE).await;
        store = Postgres::open(options.clone()).await;
    }
    let store = store.map_err(|error| storage::open_failure(&error))?;
    Ok(Opened::Postgres(Arc::new(store)))
}

fn marks(ring: &KeyRing) -> KeyMarks {
    KeyMarks {
        active: ring.active().to_string(),
        known: ring.keys().map(|key| key.id().to_string()).collect(),
    }
}

fn history(text: &str) -> Result<History, Failure> {
    text.parse().map_err(|_malformed| {
        Failure::usage(format!("{text:?} is no history"))
            .hint("it is what every position begins with, before the dot")
    })
}

/// What a node is called that nobody has named.
fn node_name() -> String {
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    format!("{host} ({})", std::process::id())
}

/// Whether a text stands in this process's arguments, where all may read it.
fn is_an_argument(text: &str) -> bool {
    std::env::args_os().any(|argument| argument.to_string_lossy().contains(text))
}
