//! Sending edits, and what is said about each.

use clap::ValueEnum;
use milepost_sync::{
    Clock, Conflict, Editable, Key, Push, Resolution, Transport, Url, push::Outcome,
};

use super::{asking, of_push};
use crate::{
    exit::Failure,
    terminal::{Style, Terminal, harmless},
};

/// How often in a row one request may fail.
const FAILURES_MAX: u32 = 6;

/// What to do about a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnConflict {
    /// The edit replaces what the server has
    Ours,
    /// The edit is given up
    Theirs,
    /// Both sides' changes, where they don't overlap
    Merge,
    /// Ask each time, on a terminal; elsewhere, keep both versions
    Ask,
}

/// Sends edits, and counts what became of them.
#[derive(Debug)]
pub(crate) struct Sending {
    on_conflict: OnConflict,
    terminal: Terminal,
    /// How many the server has.
    pub(crate) sent: u64,
    /// How many were given up for the server's version.
    pub(crate) given_up: u64,
    /// Keys of conflicts that nobody has settled.
    pub(crate) conflicts: Vec<String>,
    /// Keys of edits that the server doesn't accept.
    pub(crate) rejected: Vec<String>,
}

impl Sending {
    /// Nothing was sent yet.
    pub(crate) const fn new(on_conflict: OnConflict, terminal: Terminal) -> Self {
        Self {
            on_conflict,
            terminal,
            sent: 0,
            given_up: 0,
            conflicts: Vec::new(),
            rejected: Vec::new(),
        }
    }

    /// Sends every edit once; how many changed something at the server or here.
    pub(crate) fn send<T: Transport, R: Editable, C: Clock>(
        &mut self,
        home: &Url,
        transport: &mut T,
        replica: &mut R,
        clock: &mut C,
    ) -> Result<u64, Failure> {
        let (before, on_conflict, terminal) = (self.settled(), self.on_conflict, self.terminal);
        let was_told = std::mem::take(&mut self.conflicts);
        self.rejected.clear();
        let mut push = Push {
            home,
            transport,
            replica,
            clock,
            failures_max: FAILURES_MAX,
            seed: super::seed(),
        };
        let mut resolve = |conflict: &Conflict| match on_conflict {
            OnConflict::Ours => Resolution::Ours,
            OnConflict::Theirs => Resolution::Theirs,
            OnConflict::Merge => Resolution::Merge,
            OnConflict::Ask => asking::ask(terminal, conflict),
        };
        push.run(&mut resolve, &mut |key, outcome| {
            self.note(key, outcome, &was_told);
        })
        .map_err(of_push)?;
        Ok(self.settled() - before)
    }

    fn settled(&self) -> u64 {
        self.sent + self.given_up
    }

    fn note(&mut self, key: &Key, outcome: &Outcome, was_told: &[String]) {
        let terminal = self.terminal;
        match outcome {
            Outcome::Sent | Outcome::Agreed => self.sent += 1,
            Outcome::Merged => {
                self.sent += 1;
                terminal.talk(format!("{key}: changed on both sides, merged"));
            }
            Outcome::GivenUp => {
                self.given_up += 1;
                terminal.talk(format!(
                    "{key}: changed on both sides, the server's is kept"
                ));
            }
            Outcome::SetAside(conflict) => {
                if !was_told.contains(&key.to_string()) {
                    tell(terminal, conflict);
                }
                self.conflicts.push(key.to_string());
            }
            Outcome::Rejected(why) => {
                terminal.warn(format!("{key} is not accepted: {}", harmless(why)));
                self.rejected.push(key.to_string());
            }
            _ => {}
        }
    }
}

fn tell(terminal: Terminal, conflict: &Conflict) {
    let what = match (&conflict.ours, &conflict.theirs) {
        (None, _) => "deleted here, changed at the server".to_owned(),
        (_, None) => "changed here, deleted at the server".to_owned(),
        _ if conflict.places.is_empty() => "changed on both sides".to_owned(),
        _ => format!("both sides changed {}", conflict.places.join(", ")),
    };
    let word = terminal.err("conflict:", Style::Yellow);
    terminal.talk(format!("{word} {}: {}", conflict.key, harmless(&what)));
}
