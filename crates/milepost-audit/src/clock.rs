//! The one place where time is read: how long things take, and when a run began.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

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

/// Microseconds since 1970 (UTC), as this machine has them: for the times in reports and for nothing
/// that is decided.
#[expect(
    clippy::disallowed_methods,
    reason = "the auditor's one calendar: when a run began"
)]
pub(crate) fn unix_micros() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// A moment as RFC 3339 writes it, with microseconds.
pub(crate) fn written(unix_micros: u64) -> String {
    let seconds = unix_micros / 1_000_000;
    let (year, month, day) = date(seconds / 86_400);
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!(
        "{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}.{:06}Z",
        seconds % 60,
        unix_micros % 1_000_000
    )
}

/// The date of a day since 1970 (Gregorian), counted in years that begin with March, so that the
/// day that is sometimes there is the last one.
const fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let since_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * since_march + 2) / 5 + 1;
    let month = if since_march < 10 {
        since_march + 3
    } else {
        since_march - 9
    };
    let later = if month <= 2 { 1 } else { 0 };
    (era * 400 + year + later, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_their_day_and_time() {
        assert_eq!(written(784_111_777_000_042), "1994-11-06T08:49:37.000042Z");
        assert_eq!(written(0), "1970-01-01T00:00:00.000000Z");
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_453), (2025, 12, 31));
    }
}
