//! When a request came: the one place in this crate that reads clocks.

use std::{
    fmt,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use milepost_semantics::date::civil_date;

/// A point in time, by a clock that never jumps.
#[derive(Clone, Copy, Debug)]
pub struct Moment(Instant);

impl Moment {
    /// Now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "how long requests take and when they came is measured here only"
    )]
    pub fn now() -> Self {
        Self(Instant::now())
    }

    /// When it was by the clock on the wall, in microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "how long requests take and when they came is measured here only"
    )]
    pub fn unix_us(&self) -> u64 {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let came = since_epoch.saturating_sub(self.elapsed());
        u64::try_from(came.as_micros()).unwrap_or(u64::MAX)
    }

    /// How long ago it was.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "how long requests take and when they came is measured here only"
    )]
    pub fn elapsed(&self) -> Duration {
        Instant::now().saturating_duration_since(self.0)
    }
}

/// Microseconds since 1970 as RFC 3339 writes them: `2024-02-29T12:34:56.789012Z`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rfc3339(pub(crate) u64);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, us) = (self.0 / 1_000_000, self.0 % 1_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = civil_date(days);
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{us:06}Z"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_rfc_3339_does() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_709_210_096, "2024-02-29T12:34:56.000000Z"),
            (1_735_689_599, "2024-12-31T23:59:59.000000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(Rfc3339(seconds * 1_000_000).to_string(), text);
        }
        assert_eq!(
            Rfc3339(1_000_001).to_string(),
            "1970-01-01T00:00:01.000001Z"
        );
    }
}
