//! The one place where time is read: how long things take, never what day it is.

use std::time::{Duration, Instant};

/// Time since it was started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(
        clippy::disallowed_methods,
        reason = "the auditor's one clock: deadlines and durations of exchanges"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// Since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// What is left of a span that began at the start; `None` when it is over.
    pub(crate) fn left_of(self, span: Duration) -> Option<Duration> {
        span.checked_sub(self.elapsed())
            .filter(|left| !left.is_zero())
    }
}
