//! Points in time at HTTP's resolution of one second (RFC 9110 §5.6.7).
//!
//! A value only: nothing here reads a clock.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderValue;

/// Whole seconds since 1970-01-01T00:00:00Z, up to the end of the year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UnixSeconds(u64);

impl UnixSeconds {
    /// 9999-12-31T23:59:59Z: the last second that an HTTP-date can write.
    pub const MAX: Self = Self(253_402_300_799);

    /// The given second; later ones than [`UnixSeconds::MAX`] become that.
    #[must_use]
    pub const fn new(seconds: u64) -> Self {
        if seconds > Self::MAX.0 {
            Self::MAX
        } else {
            Self(seconds)
        }
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }

    /// Reads an HTTP-date in any of its three forms; `None` when it is none of them or lies
    /// before 1970.
    #[must_use]
    pub fn parse_http_date(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?;
        let time = httpdate::parse_http_date(text.trim_matches([' ', '\t'])).ok()?;
        let since_epoch = time.duration_since(UNIX_EPOCH).ok()?;
        Some(Self::new(since_epoch.as_secs()))
    }

    /// The IMF-fixdate, as a field value: `Sun, 06 Nov 1994 08:49:37 GMT`.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "an IMF-fixdate always is a field value"
    )]
    pub fn to_header_value(self) -> HeaderValue {
        HeaderValue::from_str(&self.to_string()).expect("an IMF-fixdate is visible ASCII")
    }

    fn to_system_time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

impl From<SystemTime> for UnixSeconds {
    /// Truncates to the second; times before 1970 become 1970.
    fn from(time: SystemTime) -> Self {
        Self::new(
            time.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        )
    }
}

impl fmt::Display for UnixSeconds {
    /// Writes the IMF-fixdate form.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", httpdate::HttpDate::from(self.to_system_time()))
    }
}
