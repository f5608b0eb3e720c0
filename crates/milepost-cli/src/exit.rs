//! How a command ends: the exit codes, documented, and the failure that carries one.
//!
//! Codes are a contract with scripts: a number keeps its meaning, new ones are added at the end.

use std::fmt::Write as _;

/// What the exit code of a command says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// It worked.
    Ok = 0,
    /// It failed in a way that no other code names.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The server can't be reached, or says that it can't answer now.
    Unreachable = 3,
    /// The resource changed meanwhile, or a condition is missing.
    PreconditionFailed = 4,
    /// There is no such resource, collection or file.
    NotFound = 5,
    /// The input is not acceptable: malformed, or against the schema.
    InvalidInput = 6,
    /// The credentials don't allow it.
    Refused = 7,
    /// Part of it worked: some records were left out, and reported.
    Partial = 8,
    /// A copy and the server disagree.
    Differs = 9,
}

impl Exit {
    /// Every code, in order.
    pub(crate) const ALL: [Self; 10] = [
        Self::Ok,
        Self::Failed,
        Self::Usage,
        Self::Unreachable,
        Self::PreconditionFailed,
        Self::NotFound,
        Self::InvalidInput,
        Self::Refused,
        Self::Partial,
        Self::Differs,
    ];

    /// The number a shell sees.
    pub(crate) const fn code(self) -> u8 {
        self as u8
    }

    /// What the code means, for the table in `--help`.
    pub(crate) const fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "it worked",
            Self::Failed => "it failed in a way that no other code names",
            Self::Usage => "the command line makes no sense",
            Self::Unreachable => "the server can't be reached, or can't answer now (502, 503, 504)",
            Self::PreconditionFailed => {
                "the resource changed meanwhile (412), or exists (428); an open conflict"
            }
            Self::NotFound => "no such resource, collection or file (404, 410)",
            Self::InvalidInput => "malformed input, or against the schema (400, 413, 415, 422)",
            Self::Refused => "the credentials don't allow it (401, 403)",
            Self::Partial => "part of it worked, the rest is reported",
            Self::Differs => "a copy and the server disagree, as their digests say",
        }
    }

    /// The code for an HTTP status that is no success.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            400 | 413 | 414 | 415 | 422 | 431 => Self::InvalidInput,
            401 | 403 | 407 => Self::Refused,
            404 | 410 => Self::NotFound,
            412 | 428 => Self::PreconditionFailed,
            408 | 429 | 502 | 503 | 504 => Self::Unreachable,
            _ => Self::Failed,
        }
    }
}

/// The table of exit codes, as `--help` prints it.
pub(crate) fn table() -> String {
    let mut table = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        // Writing to a string can't fail.
        let _ = writeln!(table, "  {}  {}", exit.code(), exit.meaning());
    }
    table
}

/// Why a command failed: an exit code, a sentence, what else is known, and what to do about it.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The exit code.
    pub(crate) exit: Exit,
    /// One sentence, lower case and without full stop; empty: say nothing.
    pub(crate) message: String,
    /// Further lines, printed below the message.
    pub(crate) details: Vec<String>,
    /// What the user can do, each printed after `hint:`.
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// A failure with this code and sentence.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            details: Vec::new(),
            hints: Vec::new(),
        }
    }

    /// Something that no other code names.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Input that is not acceptable.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Exit::InvalidInput, message)
    }

    /// A file that can't be used; a missing one is "not found".
    pub(crate) fn file(path: impl std::fmt::Display, error: &std::io::Error) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::NotFound => Exit::NotFound,
            _ => Exit::Failed,
        };
        Self::new(exit, format!("can't use {path}: {error}"))
    }

    /// The reader of stdout has gone away (`| head`): end without a word, and without blame.
    pub(crate) fn reader_gone() -> Self {
        Self::new(Exit::Ok, "")
    }

    /// With a further line below the message.
    pub(crate) fn detail(mut self, line: impl Into<String>) -> Self {
        self.details.push(line.into());
        self
    }

    /// Where nodes have other keys than this one: the same, knowing that this one was given no file.
    pub(crate) fn without_shared_keys(mut self, own: &std::path::Path) -> Self {
        if self.exit == Exit::Refused {
            let own = own.display();
            self.details.push(format!(
                "this node was given no --keys, so it uses its own: {own}"
            ));
        }
        self
    }

    /// With something the user can do.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_numbered_in_order_and_the_table_names_each() {
        let table = table();
        for (number, exit) in Exit::ALL.iter().enumerate() {
            assert_eq!(usize::from(exit.code()), number);
            assert!(table.contains(&format!("  {number}  {}", exit.meaning())));
        }
    }

    #[test]
    fn a_lost_race_and_a_missing_condition_have_a_code_of_their_own() {
        assert_eq!(Exit::of_status(412), Exit::PreconditionFailed);
        assert_eq!(Exit::of_status(428), Exit::PreconditionFailed);
        assert_eq!(Exit::of_status(409), Exit::Failed);
    }
}
