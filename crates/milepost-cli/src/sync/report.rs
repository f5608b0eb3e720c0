//! What `sync` says while it works and when it is through.

use milepost_sync::{
    Editable, Event, Held,
    follow::{CaughtUp, Restart},
};
use serde_json::json;

use super::Sending;
use crate::{
    Ended,
    exit::{Exit, Failure},
    import::Progress,
    terminal::{Terminal, harmless},
};

/// Counts of one run.
#[derive(Debug)]
pub(crate) struct Report {
    terminal: Terminal,
    name: String,
    as_json: bool,
    progress: Progress,
    pages: u64,
    body_bytes: u64,
    changes: u64,
    puts: u64,
    removals: u64,
    restarts: u64,
    /// Whether a wait after a failure was told, and nothing came since.
    is_in_trouble: bool,
}

impl Report {
    /// Nothing was fetched yet.
    pub(crate) fn new(terminal: Terminal, name: &str, as_json: bool, quiet: bool) -> Self {
        let progress = Progress::new(terminal, quiet);
        progress.count_only();
        Self {
            terminal,
            name: name.to_owned(),
            as_json,
            progress,
            pages: 0,
            body_bytes: 0,
            changes: 0,
            puts: 0,
            removals: 0,
            restarts: 0,
            is_in_trouble: false,
        }
    }

    /// Whether anybody sees how far it is.
    pub(crate) const fn shows_progress(&self) -> bool {
        self.progress.is_shown()
    }

    /// How many resources there are to fetch, where that is known.
    pub(crate) fn expect(&self, total: Option<u64>) {
        if let Some(total) = total {
            self.progress.expect_records(total);
        }
    }

    /// Says where it goes on from.
    pub(crate) fn begins(&self, held: Option<&Held>) {
        if let Some(held) = held {
            let position = held.position;
            self.talk(&format!("{}: going on from {position}", self.name));
        }
    }

    /// Takes note of an event.
    pub(crate) fn tell(&mut self, event: &Event) {
        match event {
            Event::Applied {
                applied,
                changes,
                body_bytes,
            } => {
                self.pages += 1;
                self.changes += *changes as u64;
                self.body_bytes += *body_bytes as u64;
                self.puts += applied.puts;
                self.removals += applied.removals;
                self.is_in_trouble = false;
                self.progress.fetched(self.changes, self.body_bytes);
            }
            Event::Restarting(restart) => {
                self.restarts += 1;
                self.talk(&self.restarting(restart));
            }
            Event::Resting(rest) => {
                if let Some(because) = rest.because.as_ref().filter(|_| !self.is_in_trouble) {
                    let why = harmless(because);
                    self.talk(&format!("{}: {why}; trying again", self.name));
                    self.is_in_trouble = true;
                }
            }
            _ => {}
        }
    }

    fn restarting(&self, restart: &Restart) -> String {
        let why = match restart {
            Restart::Gone => "the server no longer knows where this copy stopped".to_owned(),
            Restart::Lost(why) => harmless(why),
            Restart::Differs => "the copy differs from the server's digest".to_owned(),
            _ => "it has to begin anew".to_owned(),
        };
        format!("{}: {why}; fetching everything again", self.name)
    }

    /// Says that the copy is up to date.
    pub(crate) fn caught_up<R: Editable>(
        &mut self,
        event: &Event,
        replica: &mut R,
        sending: &Sending,
        tells_edits: bool,
    ) -> Result<(), Failure> {
        let Event::CaughtUp(caught_up) = event else {
            return Ok(());
        };
        // From here on nobody knows how much will come.
        self.progress.count_only();
        let resources = replica.count().map_err(Failure::from)?;
        let edits = match tells_edits {
            true => replica.edits().map_err(Failure::from)?.len(),
            false => sending.conflicts.len() + sending.rejected.len(),
        };
        if self.as_json {
            let line = self.line(caught_up, resources, edits, sending);
            self.terminal.line(line)?;
        } else {
            self.talk(&self.sentence(caught_up, resources));
        }
        if tells_edits && edits > 0 {
            self.talk(&match edits {
                1 => "1 local edit is not sent; --push sends it".to_owned(),
                _ => format!("{edits} local edits are not sent; --push sends them"),
            });
        }
        (self.puts, self.removals) = (0, 0);
        Ok(())
    }

    fn line(
        &self,
        caught_up: &CaughtUp,
        resources: u64,
        edits: usize,
        sending: &Sending,
    ) -> serde_json::Value {
        json!({
            "collection": self.name,
            "position": caught_up.position.to_string(),
            "resources": resources,
            "verified": caught_up.verified,
            "puts": self.puts, "removals": self.removals,
            "pages": self.pages, "bytes": self.body_bytes, "resyncs": self.restarts,
            "edits": { "sent": sending.sent, "givenUp": sending.given_up, "open": edits,
                       "conflicts": sending.conflicts, "rejected": sending.rejected },
        })
    }

    fn sentence(&self, caught_up: &CaughtUp, resources: u64) -> String {
        let proof = match caught_up.verified {
            true => "equal to the server's by its digest",
            false => "the server tells no digest of it",
        };
        format!(
            "{}: {resources} resources at {}, +{} −{}; {proof}",
            self.name, caught_up.position, self.puts, self.removals
        )
    }

    /// Does something that may talk, with the progress out of the way.
    pub(crate) fn paused<T>(&self, act: impl FnOnce() -> T) -> T {
        self.progress.suspend(act)
    }

    /// How the command ends.
    pub(crate) fn ends(&self, sending: &Sending, did_push: bool) -> Ended {
        self.progress.finish();
        if did_push && sending.sent > 0 && !self.as_json {
            self.terminal.talk(format!("{} edits sent", sending.sent));
        }
        if !sending.conflicts.is_empty() {
            let conflicts = sending.conflicts.join(", ");
            let message = format!("changed on both sides, and nobody decided: {conflicts}");
            return Err(Failure::new(Exit::PreconditionFailed, message)
                .hint("--on-conflict ours or theirs decides for all of them")
                .hint("or make each what it should be, remove the conflict's record, and --push again"));
        }
        if !sending.rejected.is_empty() {
            let rejected = sending.rejected.join(", ");
            let message = format!("the server does not accept what became of {rejected}");
            return Err(Failure::new(Exit::Partial, message)
                .hint("the edits stay here: mend them, and --push again"));
        }
        Ok(Exit::Ok)
    }

    fn talk(&self, line: &str) {
        self.progress.suspend(|| self.terminal.talk(line));
    }
}
