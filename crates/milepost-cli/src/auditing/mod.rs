//! What an audit needs of the machine and of the command line beside its own options: progress on a
//! terminal, the restart command, the day, and what is done with an audit afterwards.

use crate::exit::Failure;

mod again;
mod day;
mod restart;
mod service;
mod shown;

pub(crate) use again::{Explain, Replay};
pub(crate) use day::today;
pub(crate) use restart::restart_by;
pub(crate) use service::Service;
pub(crate) use shown::Shown;

/// A file named on the command line that can't be read is a wrong command line: exit code 1 is for
/// findings.
pub(crate) fn usage_of_file(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::usage(format!("can't read {}: {error}", path.display()))
}
