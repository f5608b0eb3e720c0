//! What an audit needs of the machine: progress on a terminal, the restart command, and the day.

mod day;
mod restart;
mod shown;

pub(crate) use day::today;
pub(crate) use restart::restart_by;
pub(crate) use shown::Shown;
