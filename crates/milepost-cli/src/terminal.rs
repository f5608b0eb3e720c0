//! Where output goes: data to stdout, talk to stderr, colour where somebody looks.
//!
//! The only place that writes to either. `NO_COLOR` (no-color.org) and streams that are no
//! terminal switch colour off. What came from elsewhere is made harmless before a terminal sees it.

use std::{
    fmt::Display,
    io::{self, IsTerminal as _, Write as _},
};

use crate::exit::Failure;

/// The two output streams and what is known of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    /// Whether stdout is a terminal: tables for people instead of lines for programs.
    pub(crate) stdout_is_terminal: bool,
    /// Whether stderr is one: progress is shown.
    pub(crate) stderr_is_terminal: bool,
    colour: bool,
}

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style {
    /// A heading or a name.
    Bold,
    /// Of less weight.
    Dim,
    /// Bad, or gone.
    Red,
    /// Good, or new.
    Green,
    /// Changed, or a warning.
    Yellow,
    /// What to do.
    Cyan,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Cyan => "36",
        }
    }
}

impl Terminal {
    /// Looks at the streams and at `NO_COLOR`, once.
    pub(crate) fn detect() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Self {
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
            colour: !no_colour && !is_dumb,
        }
    }

    /// Writes data to stdout, unchanged.
    pub(crate) fn data(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|error| output_lost(&error))
    }

    /// Writes a line of data to stdout.
    pub(crate) fn line(self, line: impl Display) -> Result<(), Failure> {
        self.data(format!("{line}\n").as_bytes())
    }

    /// Says something on stderr.
    #[expect(
        clippy::unused_self,
        reason = "only who was given the terminal may talk"
    )]
    pub(crate) fn talk(self, line: impl Display) {
        // When stderr is gone there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Says what the user can do.
    pub(crate) fn hint(self, hint: impl Display) {
        self.talk(format!("{} {hint}", self.err("hint:", Style::Cyan)));
    }

    /// Says that something is not as it should be, though the command goes on.
    pub(crate) fn warn(self, warning: impl Display) {
        self.talk(format!("{} {warning}", self.err("warning:", Style::Yellow)));
    }

    /// Says why the command failed.
    pub(crate) fn failure(self, failure: &Failure) {
        if failure.message.is_empty() {
            return;
        }
        self.talk(format!(
            "{} {}",
            self.err("error:", Style::Red),
            harmless(&failure.message)
        ));
        for detail in &failure.details {
            self.talk(format!("  {}", harmless(detail)));
        }
        for hint in &failure.hints {
            self.hint(harmless(hint));
        }
    }

    /// Text for stderr, in a style where that shows.
    pub(crate) fn err(self, text: impl Display, style: Style) -> String {
        paint(text, style, self.colour && self.stderr_is_terminal)
    }

    /// Whether what goes to stdout may be coloured.
    pub(crate) const fn stdout_colour(self) -> bool {
        self.colour && self.stdout_is_terminal
    }

    /// Text for stdout, in a style where that shows.
    pub(crate) fn out(self, text: impl Display, style: Style) -> String {
        paint(text, style, self.colour && self.stdout_is_terminal)
    }
}

fn paint(text: impl Display, style: Style, colour: bool) -> String {
    if colour {
        format!("\u{1b}[{}m{text}\u{1b}[0m", style.code())
    } else {
        text.to_string()
    }
}

pub(crate) fn output_lost(error: &io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::reader_gone(),
        _ => Failure::failed(format!("can't write the output: {error}")),
    }
}

/// Text of unknown origin, with the characters replaced that could command a terminal.
pub(crate) fn harmless(text: &str) -> String {
    let replace = |c: char| {
        if c.is_control() && c != '\n' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(replace).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_from_the_server_cannot_command_the_terminal() {
        assert_eq!(
            harmless("a\u{1b}[2Jb\u{9b}c\td"),
            "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d"
        );
    }

    #[test]
    fn colour_is_left_out_where_it_is_not_wanted() {
        assert_eq!(paint("x", Style::Red, false), "x");
        assert_eq!(paint("x", Style::Red, true), "\u{1b}[31mx\u{1b}[0m");
    }
}
