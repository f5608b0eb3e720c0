//! Points in time at HTTP's resolution of one second (RFC 9110 §5.6.7).
//!
//! A value only: nothing here reads a clock.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

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
        HeaderValue::from_bytes(&self.imf_fixdate()).expect("an IMF-fixdate is visible ASCII")
    }

    /// The IMF-fixdate in ASCII, on the stack: one is made for every answer.
    #[must_use]
    pub fn imf_fixdate(self) -> [u8; 29] {
        const WEEKDAYS: [[u8; 3]; 7] = [
            *b"Thu", *b"Fri", *b"Sat", *b"Sun", *b"Mon", *b"Tue", *b"Wed",
        ];
        const MONTHS: [[u8; 3]; 12] = [
            *b"Jan", *b"Feb", *b"Mar", *b"Apr", *b"May", *b"Jun", *b"Jul", *b"Aug", *b"Sep",
            *b"Oct", *b"Nov", *b"Dec",
        ];
        let (days, second) = (self.0 / 86_400, self.0 % 86_400);
        let (year, month, day) = civil_date(days);
        let [w0, w1, w2] = name(&WEEKDAYS, days % 7);
        let [d0, d1] = two_digits(day);
        let [m0, m1, m2] = name(&MONTHS, month - 1);
        let ([y0, y1], [y2, y3]) = (two_digits(year / 100), two_digits(year % 100));
        let [h0, h1] = two_digits(second / 3_600);
        let ([n0, n1], [s0, s1]) = (two_digits(second / 60 % 60), two_digits(second % 60));
        [
            w0, w1, w2, b',', b' ', d0, d1, b' ', m0, m1, m2, b' ', y0, y1, y2, y3, b' ', h0, h1,
            b':', n0, n1, b':', s0, s1, b' ', b'G', b'M', b'T',
        ]
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
        f.write_str(std::str::from_utf8(&self.imf_fixdate()).unwrap_or_default())
    }
}

/// The Gregorian date so many days after 1970-01-01: year, month from 1, day from 1.
///
/// Counts in years that begin in March, so that a leap day comes last, and in eras of 400 of them.
#[must_use]
pub const fn civil_date(days: u64) -> (u64, u64, u64) {
    const ERA_DAYS: u64 = 146_097;
    let since_march_year_0 = days + 719_468;
    let (era, day) = (since_march_year_0 / ERA_DAYS, since_march_year_0 % ERA_DAYS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next_year) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next_year, month, day)
}

fn name(of: &[[u8; 3]], at: u64) -> [u8; 3] {
    let at = usize::try_from(at).unwrap_or_default();
    of.get(at).copied().unwrap_or_default()
}

fn two_digits(number: u64) -> [u8; 2] {
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or_default();
    [digit(number / 10), digit(number)]
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::UnixSeconds;

    #[test]
    fn every_day_is_written_as_a_library_that_knows_calendars_does() {
        for day in 0..=UnixSeconds::MAX.as_u64() / 86_400 {
            let seconds = day * 86_400 + day * 7_919 % 86_400;
            let expected = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
            assert_eq!(UnixSeconds::new(seconds).to_string(), expected);
        }
    }
}
