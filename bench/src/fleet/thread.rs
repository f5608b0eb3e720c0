//! A follower in memory, in a thread of its own.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use milepost_sync::{Event, Follower, MemoryReplica, Options, Pull, PullError, SystemClock};

use super::{State, difference, home, transport};

/// How long the server may hold a follower's request: one that hides the last change learns of it then.
const WAIT: Duration = Duration::from_secs(2);

/// A running follower.
pub(super) struct Thread {
    name: String,
    is_filtered: bool,
    running: JoinHandle<Result<Followed, PullError>>,
}

/// What it ended with.
struct Followed {
    state: State,
    /// Whether the server's digest was the same, where it tells one.
    is_verified: bool,
}

impl Thread {
    /// Starts one that ends at the sequence that `until` holds by then.
    pub(super) fn start(
        server: &str,
        filter: Option<(&str, &str)>,
        number: usize,
        until: Arc<AtomicU64>,
    ) -> Result<Self, String> {
        let options = Options {
            is_endless: true,
            wait: WAIT,
            failures_max: Some(20),
            seed: u64::try_from(number).unwrap_or_default(),
            ..Options::default()
        };
        let follower = Follower::new(home(server, filter)?, None, options);
        let follower = follower.map_err(|failure| failure.to_string())?;
        Ok(Self {
            name: format!("follower {number}"),
            is_filtered: filter.is_some(),
            running: thread::spawn(move || follow(follower, &until)),
        })
    }

    /// Waits until it has come to its end, and compares what it holds.
    pub(super) fn end(self, all: &State, filtered: &State) -> Result<(), String> {
        let name = self.name;
        let followed = self
            .running
            .join()
            .map_err(|_panic| format!("{name} panicked"))?;
        let followed = followed.map_err(|error| format!("{name}: {error}"))?;
        if !self.is_filtered && !followed.is_verified {
            return Err(format!("{name} was told no digest"));
        }
        let written = if self.is_filtered { filtered } else { all };
        difference(&name, &followed.state, written)
    }
}

fn follow(mut follower: Follower, end: &AtomicU64) -> Result<Followed, PullError> {
    let mut replica = MemoryReplica::new();
    let mut is_verified = false;
    let mut pull = Pull {
        follower: &mut follower,
        transport: &mut transport(),
        replica: &mut replica,
        clock: &mut SystemClock::start(),
    };
    let mut at = 0;
    pull.run(&mut |event, _| {
        if let Event::CaughtUp(caught_up) = event {
            is_verified = caught_up.verified;
            at = caught_up.position.sequence();
        }
        let is_through = at >= end.load(Ordering::Relaxed);
        Ok::<_, PullError>(match is_through {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        })
    })?;
    let documents = replica.iter();
    let state = documents.map(|(key, version)| (key.to_string(), version.value.clone()));
    Ok(Followed {
        state: state.collect(),
        is_verified,
    })
}
