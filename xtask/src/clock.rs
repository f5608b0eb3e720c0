//! The chores' clock: how long something took. The product never reads this one.

use std::time::{Duration, Instant};

/// A running measurement of elapsed time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts measuring now.
    #[expect(clippy::disallowed_methods, reason = "the chores' one clock")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start, monotonic.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
