//! The command line: which commands there are, and what `--help` teaches.
//!
//! Each command's own options stand in its file under `command/`.

use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::{Ended, command, exit, terminal::Terminal};

const EXAMPLES: &str = "\
Examples:
  milepost demo                                  a server with a small library in it
  milepost get books/the-left-hand-of-darkness   read one resource
  milepost list books --filter year=gte:1960     read some
  milepost patch books/solaris year:=1961        change one, if it is still what you read
  milepost serve --data ./store                  a server of your own
  milepost apply definitions/                    tell it what collections there are
  milepost import people.csv --collection people --id-field email-id
  milepost sync books books.sqlite --follow      a copy that stays up to date
  milepost watch books                           what changes, as it does

stdout is data, stderr is talk.
";

/// A REST backend that keeps nothing about its clients between requests
#[derive(Debug, Parser)]
#[command(
    name = "milepost",
    version,
    about,
    max_term_width = 100,
    subcommand_required = true
)]
#[command(arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(command::serve::Serve),
    Demo(command::demo::Demo),
    Apply(command::apply::Apply),
    Get(command::get::Get),
    Put(command::put::Put),
    Patch(command::patch::Patch),
    Delete(command::delete::Delete),
    List(command::list::List),
    Import(command::import::Import),
    Export(command::export::Export),
    Sync(command::sync::Sync),
    Watch(command::watch::Watch),
    Backup(command::backup::Backup),
    Restore(command::restore::Restore),
    Copy(command::copy::Copy),
    Check(command::check::Check),
    Keys(command::keys::Keys),
    Token(command::token::Token),
    Grant(command::grant::GrantCommand),
    Rules(command::rules::Rules),
    Audit(Box<command::audit::Audit>),
    Completions(command::completions::Completions),
    Version(command::version::Version),
}

impl Command {
    /// Runs the command to its end.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        match self {
            Self::Serve(command) => command.run(terminal),
            Self::Demo(command) => command.run(terminal),
            Self::Apply(command) => command.run(terminal),
            Self::Get(command) => command.run(terminal),
            Self::Put(command) => command.run(terminal),
            Self::Patch(command) => command.run(terminal),
            Self::Delete(command) => command.run(terminal),
            Self::List(command) => command.run(terminal),
            Self::Import(command) => command.run(terminal),
            Self::Export(command) => command.run(terminal),
            Self::Sync(command) => command.run(terminal),
            Self::Watch(command) => command.run(terminal),
            Self::Backup(command) => command.run(terminal),
            Self::Restore(command) => command.run(terminal),
            Self::Copy(command) => command.run(terminal),
            Self::Check(command) => command.run(terminal),
            Self::Keys(command) => command.run(terminal),
            Self::Token(command) => command.run(terminal),
            Self::Grant(command) => command.run(terminal),
            Self::Rules(command) => command.run(terminal),
            Self::Audit(command) => command.run(terminal),
            Self::Completions(command) => command.run(terminal),
            Self::Version(command) => command.run(terminal),
        }
    }
}

/// The whole command line's description, the exit codes included.
pub(crate) fn description() -> clap::Command {
    Arguments::command().after_help(format!("{EXAMPLES}\n{}", exit::table()))
}

/// Reads the command line.
pub(crate) fn parse() -> Result<Command, clap::Error> {
    let matches = description().try_get_matches()?;
    Arguments::from_arg_matches(&matches).map(|arguments| arguments.command)
}

/// Prints help, version or what is wrong with the command line, and says how that ends.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    // When neither stream can be written there is nobody to tell.
    let _ = error.print();
    let exit = if error.use_stderr() {
        exit::Exit::Usage
    } else {
        exit::Exit::Ok
    };
    ExitCode::from(exit.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        description().debug_assert();
    }

    #[test]
    fn every_command_teaches_by_example() {
        for command in description().get_subcommands() {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(
                help.contains("milepost "),
                "{} has no example",
                command.get_name()
            );
        }
    }
}
