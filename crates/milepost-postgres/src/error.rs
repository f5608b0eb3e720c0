//! Why a store can't be opened, by what whoever runs the node can do about it.

use std::{error::Error, io, path::PathBuf};

use milepost_store::MaintenanceError;
use tokio_postgres::error::SqlState;

use crate::{
    address::Address,
    trouble::{Attempt, Trouble, Unconnected},
};

/// Why a store in PostgreSQL can't be opened. None of them shows a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The address can't be read.
    #[error("the store's address can't be read: {detail}")]
    MalformedAddress {
        /// What is wrong with it.
        detail: String,
    },
    /// A file of certificates can't be used.
    #[error("certificates in {} can't be used: {detail}", path.display())]
    Certificates {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// TLS can't be used at all.
    #[error("TLS can't be used: {detail}")]
    Tls {
        /// Why.
        detail: String,
    },
    /// No server could be reached under a name.
    #[error("there is no host {place}")]
    UnknownHost {
        /// Host and port.
        place: String,
    },
    /// Nobody answers there.
    #[error("no PostgreSQL answers at {place}: {detail}")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system said.
        detail: String,
    },
    /// The password is wrong or missing.
    #[error("{place} doesn't accept the password of user {user:?}")]
    WrongPassword {
        /// Host and port.
        place: String,
        /// The user.
        user: String,
    },
    /// A password is asked for, and none was given.
    #[error("{place} asks for a password of user {user:?}, and there is none")]
    NoPassword {
        /// Host and port.
        place: String,
        /// The user.
        user: String,
    },
    /// The server doesn't let this user in from here.
    #[error("{place} doesn't let user {user:?} in: {detail}")]
    NotLetIn {
        /// Host and port.
        place: String,
        /// The user.
        user: String,
        /// What the server said.
        detail: String,
    },
    /// The database doesn't exist.
    #[error("there is no database {database:?} at {place}")]
    NoDatabase {
        /// Host and port.
        place: String,
        /// The database.
        database: String,
    },
    /// The server's certificate isn't believed, or it offers no TLS.
    #[error("{place} can't be spoken to over TLS: {detail}")]
    Untrusted {
        /// Host and port.
        place: String,
        /// What is wrong.
        detail: String,
    },
    /// Every server that could be reached only reads.
    #[error("no primary: {tried}")]
    NoPrimary {
        /// What became of each.
        tried: String,
    },
    /// The server is of a version that is too old.
    #[error("{place} is PostgreSQL {version}; 15 or newer is needed")]
    OldServer {
        /// Which store.
        place: String,
        /// Its version.
        version: String,
    },
    /// The user may not do what a node does.
    #[error("user {user:?} may not use the store: {detail}")]
    NotPermitted {
        /// The user.
        user: String,
        /// What the server said.
        detail: String,
    },
    /// The store was written by a newer version.
    #[error("store has format {found}, this version reads up to {supported}")]
    NewerFormat {
        /// The format found.
        found: u32,
        /// The newest format this version reads.
        supported: u32,
    },
    /// The store has another history than was asked for.
    #[error("the store's history is {found}, and {expected} is asked for")]
    OtherHistory {
        /// What was asked for.
        expected: String,
        /// What was found; `none` where there is no store.
        found: String,
    },
    /// Other nodes serve the store with keys that this one doesn't have, or don't have this one's.
    #[error("other nodes serve this store with other keys: {nodes}")]
    OtherKeys {
        /// Their names, and when they were last seen.
        nodes: String,
    },
    /// Nodes serve the store, which nobody may do meanwhile.
    #[error("nodes serve this store: {nodes}")]
    InUse {
        /// Their names, and when they were last seen.
        nodes: String,
    },
    /// There is no store in the database.
    #[error("there is no store in {place}")]
    NoStore {
        /// Which database.
        place: String,
    },
    /// Something is in the store already.
    #[error("{place} holds a store already")]
    NotEmpty {
        /// Which store.
        place: String,
    },
    /// The database failed in another way.
    #[error("the database failed")]
    Database(#[source] milepost_store::Cause),
}

impl OpenError {
    /// What a trouble means to whoever opens the store at this address.
    pub(crate) fn of(trouble: Trouble, address: &Address) -> Self {
        match trouble {
            Trouble::Unconnected(attempts) => Self::of_attempts(&attempts, address),
            Trouble::Database(error) => match error.as_db_error() {
                Some(refused) if *refused.code() == SqlState::INSUFFICIENT_PRIVILEGE => {
                    Self::NotPermitted {
                        user: address.user().to_owned(),
                        detail: refused.message().to_owned(),
                    }
                }
                _ => Self::Database(std::sync::Arc::new(Trouble::Database(error))),
            },
            Trouble::OtherKeys { nodes } => Self::OtherKeys { nodes },
            Trouble::Nowhere => Self::NoPrimary {
                tried: "Patroni names none".to_owned(),
            },
            other => Self::Database(std::sync::Arc::new(other)),
        }
    }

    /// The most telling of what went wrong at several servers.
    fn of_attempts(attempts: &[Attempt], address: &Address) -> Self {
        let told = attempts.iter().max_by_key(|attempt| weight(&attempt.why));
        let tried = || {
            let tried: Vec<String> = attempts.iter().map(ToString::to_string).collect();
            tried.join("; ")
        };
        match told {
            Some(attempt) => Self::of_attempt(attempt, address, tried),
            None => Self::NoPrimary { tried: tried() },
        }
    }

    fn of_attempt(attempt: &Attempt, address: &Address, tried: impl Fn() -> String) -> Self {
        let (place, user) = (attempt.place.to_string(), address.user().to_owned());
        let Unconnected::Refused(error) = &attempt.why else {
            return Self::Unreachable {
                place,
                detail: "it takes too long".to_owned(),
            };
        };
        let detail = cause_of(error);
        match Kind::of(error) {
            Kind::WrongPassword => Self::WrongPassword { place, user },
            Kind::NoPassword => Self::NoPassword { place, user },
            Kind::NotLetIn => Self::NotLetIn {
                place,
                user,
                detail,
            },
            Kind::NoDatabase => Self::NoDatabase {
                place,
                database: address.database().to_owned(),
            },
            Kind::Tls => Self::Untrusted { place, detail },
            Kind::ReadOnly => Self::NoPrimary { tried: tried() },
            Kind::UnknownHost => Self::UnknownHost { place },
            Kind::Other => Self::Unreachable { place, detail },
        }
    }
}

/// What a failed connection says, in order of how much it tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Other,
    UnknownHost,
    ReadOnly,
    Tls,
    NotLetIn,
    NoPassword,
    WrongPassword,
    NoDatabase,
}

fn weight(why: &Unconnected) -> Option<Kind> {
    match why {
        Unconnected::Late => None,
        Unconnected::Refused(error) => Some(Kind::of(error)),
    }
}

impl Kind {
    fn of(error: &tokio_postgres::Error) -> Self {
        if let Some(code) = error.code() {
            return match code {
                code if *code == SqlState::INVALID_PASSWORD => Self::WrongPassword,
                code if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => Self::NotLetIn,
                code if *code == SqlState::INVALID_CATALOG_NAME => Self::NoDatabase,
                _ => Self::Other,
            };
        }
        let source = error.source();
        if let Some(system) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
            return match system.kind() {
                // The client's own word for a server that only reads.
                io::ErrorKind::PermissionDenied if system.raw_os_error().is_none() => {
                    Self::ReadOnly
                }
                _ if system.to_string().contains("lookup address") => Self::UnknownHost,
                _ if error.to_string().contains("TLS") => Self::Tls,
                _ => Self::Other,
            };
        }
        let source = source.map(ToString::to_string).unwrap_or_default();
        match error.to_string() {
            said if said.contains("TLS") => Self::Tls,
            _ if source.contains("password missing") => Self::NoPassword,
            _ => Self::Other,
        }
    }
}

/// What is behind an error of the client, in one phrase.
fn cause_of(error: &tokio_postgres::Error) -> String {
    if let Some(refused) = error.as_db_error() {
        return refused.message().to_owned();
    }
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// For who only asks whether it worked.
impl From<OpenError> for MaintenanceError {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::NewerFormat { found, supported } => Self::NewerFormat { found, supported },
            other => Self::Storage(std::sync::Arc::new(other)),
        }
    }
}
