//! One follower: the state machine, driven as `milepost_sync::Pull` drives it, but without a thread.

use std::{rc::Rc, time::Duration};

use milepost_sync::{
    Follower, Held, Options, Replica as _, SetDigest, Url,
    follow::{Ask, Step},
};

use super::{Shared, connection::Connection, light::LightReplica};
use crate::clock::Stopwatch;

/// A follower with what it needs.
pub(super) struct Member {
    follower: Follower,
    replica: LightReplica,
    connection: Connection,
    shared: Rc<Shared>,
    was_up_to_date: bool,
}

impl Member {
    /// A follower of the collection at `home`: from nothing, or from a bookmark whose documents it has lost.
    pub(super) fn new(
        home: Url,
        number: usize,
        bookmark: Option<&String>,
        connection: Connection,
        shared: Rc<Shared>,
    ) -> Result<Self, String> {
        let options = Options {
            is_endless: true,
            failures_max: None,
            seed: u64::try_from(number).unwrap_or_default(),
            ..Options::default()
        };
        let held = bookmark.map(|bookmark| held(&home, bookmark)).transpose()?;
        Ok(Self {
            follower: Follower::new(home, held, options).map_err(|error| error.to_string())?,
            replica: LightReplica::default(),
            connection,
            shared,
            was_up_to_date: false,
        })
    }

    /// Follows until it holds what the server holds after the last write.
    pub(super) async fn run(mut self, beginning: Duration) -> Result<(), String> {
        tokio::time::sleep(beginning).await;
        let mut step = self.follower.go_on();
        while !self.is_there() {
            step = match step {
                Step::Ask(ask) => self.asked(&ask).await,
                Step::Apply(delivery) => {
                    self.shared.tally.borrow_mut().changes +=
                        u64::try_from(delivery.changes.len()).unwrap_or_default();
                    let applied = self.replica.apply(&delivery);
                    let applied = applied.map_err(|error| error.to_string())?;
                    self.follower.applied(&applied)
                }
                Step::Rest(rest) => {
                    self.rest(rest.duration).await;
                    self.follower.go_on()
                }
                Step::CaughtUp(_) => {
                    self.is_up_to_date();
                    self.follower.go_on()
                }
                Step::Restart(_) => {
                    self.shared.tally.borrow_mut().restarts += 1;
                    self.follower.go_on()
                }
                Step::Failed(failure) => return Err(failure.to_string()),
            };
        }
        self.shared.tally.borrow_mut().converged += 1;
        Ok(())
    }

    async fn asked(&mut self, ask: &Ask) -> Step {
        let watch = Stopwatch::start();
        let answer = self.connection.ask(ask).await;
        let mut tally = self.shared.tally.borrow_mut();
        tally.requests += 1;
        match answer {
            Ok(answer) => {
                tally.pages += u64::from(answer.status == 200);
                tally.failures += u64::from(answer.status >= 500);
                self.follower.answered(&answer, watch.elapsed())
            }
            Err(reason) => {
                tally.failures += 1;
                self.follower.unanswered(&reason)
            }
        }
    }

    async fn rest(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }

    fn is_up_to_date(&mut self) {
        if !std::mem::replace(&mut self.was_up_to_date, true) {
            self.shared.up_to_date.set(self.shared.up_to_date.get() + 1);
        }
    }

    fn is_there(&self) -> bool {
        let held = self.follower.held();
        let held = held.filter(|held| held.is_complete).map(|held| held.digest);
        held.is_some() && held == self.shared.goal.get()
    }
}

/// What somebody held who comes back with the bookmark at this position.
fn held(home: &Url, position: &str) -> Result<Held, String> {
    Ok(Held {
        bookmark: format!("{}/changes/{position}", home.path()),
        position: position
            .parse()
            .map_err(|error| format!("{position}: {error}"))?,
        is_complete: true,
        digest: SetDigest::default(),
    })
}
