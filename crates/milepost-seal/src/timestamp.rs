//! Moments as this crate counts them. It has no clock: callers say what time it is.

/// A moment, in whole seconds since 1970-01-01T00:00:00Z (Unix time).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment so many seconds after 1970 began.
    #[must_use]
    pub const fn from_unix_seconds(seconds: u64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub const fn as_unix_seconds(self) -> u64 {
        self.0
    }

    /// So many seconds later; at the end of time, the end of time.
    #[must_use]
    pub const fn plus_seconds(self, seconds: u64) -> Self {
        Self(self.0.saturating_add(seconds))
    }

    /// The next moment, or this one, that is a multiple of so many seconds: what links that are to be
    /// equal while they are worth the same expire at. 0 seconds change nothing.
    #[must_use]
    pub const fn rounded_up_to_seconds(self, seconds: u64) -> Self {
        match self.0.checked_next_multiple_of(seconds) {
            Some(rounded) => Self(rounded),
            None => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn rounding_never_shortens_and_survives_odd_arguments() {
        let at = Timestamp::from_unix_seconds;
        assert_eq!(at(61).rounded_up_to_seconds(60), at(120));
        assert_eq!(at(60).rounded_up_to_seconds(60), at(60));
        assert_eq!(at(61).rounded_up_to_seconds(0), at(61));
        assert_eq!(at(u64::MAX).rounded_up_to_seconds(60), at(u64::MAX));
    }
}
