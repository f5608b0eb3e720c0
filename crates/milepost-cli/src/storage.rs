//! What can go wrong with a store, in a directory or a database, said for people.

use std::error::Error;

use milepost_postgres::OpenError;
use milepost_store::MaintenanceError;

use crate::exit::{Exit, Failure};

/// The failure that a maintenance error tells.
pub(crate) fn failure(error: &MaintenanceError) -> Failure {
    let message = with_sources(error);
    match error {
        MaintenanceError::InUse { .. } => Failure::failed(message)
            .hint("one process at a time has a store; is a server running there?"),
        MaintenanceError::NewerFormat { .. } => Failure::failed(message)
            .hint("use the version of milepost that wrote it, or a newer one"),
        MaintenanceError::NotAStore { .. } => Failure::new(Exit::NotFound, message),
        MaintenanceError::AlreadyExists { .. } => {
            Failure::failed(message).hint("nothing is overwritten: choose another place")
        }
        _ => Failure::failed(message),
    }
}

/// The failure that a database's store tells.
pub(crate) fn open_failure(error: &OpenError) -> Failure {
    let message = with_sources(error);
    match error {
        OpenError::MalformedAddress { .. } => Failure::usage(message)
            .hint("as in postgres://milepost@db1:5432,db2:5432/milepost?sslmode=require"),
        OpenError::Certificates { .. } | OpenError::Tls { .. } => Failure::failed(message),
        OpenError::UnknownHost { .. } => {
            Failure::new(Exit::Unreachable, message).hint("is the name in --store right?")
        }
        OpenError::Unreachable { .. } => Failure::new(Exit::Unreachable, message)
            .hint("does PostgreSQL run there, and may this machine reach it?"),
        OpenError::NoPrimary { .. } => Failure::new(Exit::Unreachable, message)
            .hint("name all servers of the cluster in --store, and all members in --patroni"),
        OpenError::WrongPassword { .. } | OpenError::NoPassword { .. } => {
            Failure::new(Exit::Refused, message)
                .hint("the password stands in --store-password-file, or in MILEPOST_STORE_PASSWORD")
        }
        OpenError::NotLetIn { .. } => Failure::new(Exit::Refused, message)
            .hint("pg_hba.conf of the database says who may come from where"),
        OpenError::NoDatabase { database, .. } => Failure::new(Exit::NotFound, message)
            .hint(format!("createdb {database}: the tables are made by the node itself")),
        OpenError::Untrusted { .. } => Failure::new(Exit::Refused, message).hint(
            "--store-ca FILE names the authority; the certificate must be for the host's name in --store",
        ),
        OpenError::NotPermitted { .. } => Failure::new(Exit::Refused, message)
            .hint("the user needs CREATE on the database, where it makes a schema milepost"),
        OpenError::OldServer { .. } => Failure::failed(message),
        OpenError::NewerFormat { .. } => Failure::failed(message)
            .hint("use the version of milepost that wrote it, or a newer one"),
        OpenError::OtherHistory { .. } => Failure::new(Exit::Refused, message).hint(
            "does --store name the database that the other nodes serve? was it restored since?",
        ),
        OpenError::OtherKeys { .. } => Failure::new(Exit::Refused, message)
            .hint("give every node the same file: milepost keys create --keys shared.json, then --keys shared.json")
            .hint("a node that was killed counts for 30 seconds more"),
        OpenError::InUse { .. } => Failure::failed(message)
            .hint("stop the nodes first: what they wrote from here on would not be in the copy")
            .hint("a node that was killed counts for 30 seconds more"),
        OpenError::NoStore { .. } => Failure::new(Exit::NotFound, message),
        OpenError::NotEmpty { .. } => {
            Failure::failed(message).hint("nothing is overwritten: choose another place")
        }
        _ => Failure::failed(message),
    }
}

/// An error and all that caused it, in one sentence.
pub(crate) fn with_sources(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}
