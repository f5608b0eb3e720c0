//! The loop: asks what the follower wants to know, applies what it hands out, waits when it says so.
//!
//! It decides nothing about the feed; whoever runs it is told of each step and may end it there.

use std::ops::ControlFlow;

use http::{HeaderName, HeaderValue, header};

use crate::clock::Clock;
use crate::follow::{Ask, CaughtUp, Failure, Follower, Rest, Restart, Step};
use crate::replica::{Applied, Replica, ReplicaError};
use crate::transport::{Answer, Request, Transport};

/// A follower with everything that it needs.
#[derive(Debug)]
pub struct Pull<'a, T, R, C> {
    /// What decides.
    pub follower: &'a mut Follower,
    /// What carries.
    pub transport: &'a mut T,
    /// What keeps.
    pub replica: &'a mut R,
    /// What waits.
    pub clock: &'a mut C,
}

/// What just happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A delivery is durable.
    Applied {
        /// What it did.
        applied: Applied,
        /// How many changes it had.
        changes: usize,
        /// How many bytes the page had.
        body_bytes: usize,
    },
    /// The replica is up to date.
    CaughtUp(CaughtUp),
    /// A wait begins.
    Resting(Rest),
    /// A complete representation is fetched.
    Restarting(Restart),
}

/// What whoever runs the loop says to an event.
pub type Verdict = ControlFlow<()>;

/// Why a pull ended before it was to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PullError {
    /// The feed can't be followed further.
    #[error(transparent)]
    Feed(#[from] Failure),
    /// The replica can't be read or written.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
}

/// What whoever is told of an event may use meanwhile.
#[derive(Debug)]
pub struct Meanwhile<'a, T, R, C> {
    /// What carries.
    pub transport: &'a mut T,
    /// What keeps.
    pub replica: &'a mut R,
    /// What waits.
    pub clock: &'a mut C,
}

/// Who is told of each event, and says whether to go on.
pub type Observer<'o, T, R, C, E> =
    dyn FnMut(&Event, Meanwhile<'_, T, R, C>) -> Result<Verdict, E> + 'o;

impl<T: Transport, R: Replica, C: Clock> Pull<'_, T, R, C> {
    /// Follows until `observe` says to end, or there is no going on. The replica is whole at every
    /// moment, also when this is cut off.
    ///
    /// # Errors
    /// When the feed can't be followed further, the replica can't be written, or `observe` fails.
    pub fn run<E: From<PullError>>(
        &mut self,
        observe: &mut Observer<'_, T, R, C, E>,
    ) -> Result<(), E> {
        let mut body_bytes = 0;
        let mut step = self.follower.go_on();
        loop {
            let (event, next) = match step {
                Step::Ask(ask) => {
                    (step, body_bytes) = self.asked(&ask);
                    continue;
                }
                Step::Apply(delivery) => {
                    let applied = self.replica.apply(&delivery).map_err(PullError::from)?;
                    let changes = delivery.changes.len();
                    let next = self.follower.applied(&applied);
                    let event = Event::Applied {
                        applied,
                        changes,
                        body_bytes,
                    };
                    (event, Some(next))
                }
                Step::Rest(rest) => (Event::Resting(rest), None),
                Step::CaughtUp(caught_up) => (Event::CaughtUp(caught_up), None),
                Step::Restart(restart) => (Event::Restarting(restart), None),
                Step::Failed(failure) => return Err(PullError::from(failure).into()),
            };
            let meanwhile = Meanwhile {
                transport: self.transport,
                replica: self.replica,
                clock: self.clock,
            };
            if observe(&event, meanwhile)?.is_break() {
                return Ok(());
            }
            if let Event::Resting(rest) = &event {
                self.clock.wait(rest.duration);
            }
            step = next.unwrap_or_else(|| self.follower.go_on());
        }
    }

    fn asked(&mut self, ask: &Ask) -> (Step, usize) {
        let before = self.clock.elapsed();
        match self.transport.send(&request(ask)) {
            Ok(answer) => {
                let took = self.clock.elapsed().saturating_sub(before);
                let step = self.follower.answered(&answer, took);
                (step, answer.body.len())
            }
            Err(unanswered) => (self.follower.unanswered(&unanswered.reason), 0),
        }
    }
}

/// The request that a question is.
#[must_use]
pub fn request(ask: &Ask) -> Request {
    let request = Request {
        held_back: ask.wait,
        ..Request::get(ask.url.clone())
    };
    let request = request.field(header::ACCEPT, "application/json");
    match ask.past_caches {
        true => request.field(header::CACHE_CONTROL, "no-cache"),
        false => request,
    }
}

impl Answer {
    /// An answer with this status and content, for transports that make their own.
    #[must_use]
    pub fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    /// The same with a field.
    #[must_use]
    pub fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.fields.append(name, value);
        self
    }
}
