//! What can go wrong with a store's directory, said for people.

use std::error::Error;

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
