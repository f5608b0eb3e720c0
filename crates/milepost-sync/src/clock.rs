//! Time as an input: what the loop asks for the time, and what it waits with.
//!
//! The state machine itself never looks at a clock: it is told how long an answer took, and says how
//! long to wait.

use std::time::{Duration, Instant};

/// A clock that only goes forward, and waiting by it.
pub trait Clock {
    /// How long this clock has been running. Setting the time of day doesn't change it.
    fn elapsed(&self) -> Duration;

    /// Waits this long.
    fn wait(&mut self, duration: Duration);
}

/// The machine's monotonic clock.
#[derive(Debug)]
pub struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock that starts now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place of this crate where time comes in"
    )]
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn wait(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }
}
