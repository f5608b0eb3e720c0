//! How long to wait: never nothing where nothing moves, never for ever, never all at once.
//!
//! - No news: until the answer is no longer fresh (RFC 9111 §4.2), at least [`REST_MIN`], doubling up to
//!   [`REST_MAX`]; time that the request itself took counts.
//! - A failure: [`RETRY_MIN`], doubling up to [`RETRY_MAX`]; `Retry-After` (RFC 9110 §10.2.3) is
//!   honoured up to [`RETRY_AFTER_MAX`].
//!
//! Every wait is drawn from around its length, so that clients that were interrupted together don't come back
//! together. A server's own wait is never shortened by that.

use std::time::Duration;

use http::{HeaderMap, header};
use milepost_semantics::UnixSeconds;

/// The shortest time between two questions that brought nothing.
pub const REST_MIN: Duration = Duration::from_secs(1);
/// The longest wait for news; a freshness lifetime of a year is not taken at its word where a page may
/// yet change.
pub const REST_MAX: Duration = Duration::from_secs(60);
/// The first wait after a failure.
pub const RETRY_MIN: Duration = Duration::from_millis(500);
/// The longest wait after a failure that tells no time of its own.
pub const RETRY_MAX: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is believed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(600);

/// A small generator of random numbers (SplitMix64): for jitter, nothing secret.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// The same seed throws the same numbers.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// The duration, or up to half as much more.
    pub fn lengthened(&mut self, duration: Duration) -> Duration {
        let thousandths = u32::try_from(self.throw() % 500).unwrap_or_default();
        duration + duration * thousandths / 1_000
    }
}

/// The wait after this many failures in a row (from 1 on), as the server wishes it or doubling.
pub fn after_failure(failures: u32, retry_after: Option<Duration>, dice: &mut Dice) -> Duration {
    let own = doubled(RETRY_MIN, failures.saturating_sub(1), RETRY_MAX);
    let wished = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
    dice.lengthened(own.max(wished))
}

/// The wait after this many pages in a row that moved nothing (from 1 on): less what the request took.
pub fn without_news(
    standing: u32,
    freshness: Duration,
    took: Duration,
    dice: &mut Dice,
) -> Duration {
    let own = doubled(REST_MIN, standing.saturating_sub(1) / 4, REST_MAX / 4);
    let whole = dice.lengthened(own.max(freshness.min(REST_MAX)));
    whole.saturating_sub(took)
}

fn doubled(first: Duration, times: u32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(most)
}

/// How long an answer stays fresh from now on (RFC 9111 §4.2): `max-age` or `Expires`, less `Age`.
#[must_use]
pub fn freshness(fields: &HeaderMap) -> Duration {
    let text = |name| fields.get(name)?.to_str().ok().map(str::trim);
    let directives = text(header::CACHE_CONTROL).unwrap_or_default().split(',');
    let mut max_age = None;
    for directive in directives.map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Duration::ZERO,
            "max-age" => max_age = value.trim_matches('"').parse::<u64>().ok(),
            _ => {}
        }
    }
    let date = |name| UnixSeconds::parse_http_date(fields.get(name)?.as_bytes());
    let expires = || {
        let (expires, date) = (date(header::EXPIRES)?, date(header::DATE)?);
        Some(expires.as_u64().saturating_sub(date.as_u64()))
    };
    let lifetime = max_age.or_else(expires).unwrap_or_default();
    let age: u64 = text(header::AGE)
        .and_then(|age| age.parse().ok())
        .unwrap_or_default();
    Duration::from_secs(lifetime.saturating_sub(age))
}

/// What `Retry-After` says: seconds, or a date, counted from the answer's own.
#[must_use]
pub fn retry_after(fields: &HeaderMap) -> Option<Duration> {
    let value = fields.get(header::RETRY_AFTER)?;
    let seconds: Option<u64> = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let date = || {
        let until = UnixSeconds::parse_http_date(value.as_bytes())?;
        let now = UnixSeconds::parse_http_date(fields.get(header::DATE)?.as_bytes())?;
        Some(until.as_u64().saturating_sub(now.as_u64()))
    };
    seconds.or_else(date).map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn fields(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let value = |(name, text): &(_, &'static str)| {
            (
                header::HeaderName::clone(name),
                HeaderValue::from_static(text),
            )
        };
        pairs.iter().map(value).collect()
    }

    #[test]
    fn freshness_is_what_is_left_of_the_lifetime() {
        for (given, seconds) in [
            (vec![(header::CACHE_CONTROL, "public, max-age=10")], 10),
            (
                vec![
                    (header::CACHE_CONTROL, "public, max-age=10"),
                    (header::AGE, "4"),
                ],
                6,
            ),
            (
                vec![(header::CACHE_CONTROL, "max-age=10"), (header::AGE, "40")],
                0,
            ),
            (vec![(header::CACHE_CONTROL, "max-age=10, no-cache")], 0),
            (
                vec![
                    (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
                    (header::EXPIRES, "Sun, 06 Nov 1994 08:49:40 GMT"),
                ],
                3,
            ),
            (vec![], 0),
        ] {
            assert_eq!(
                freshness(&fields(&given)),
                Duration::from_secs(seconds),
                "{given:?}"
            );
        }
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_by_the_server_s_own_clock() {
        assert_eq!(
            retry_after(&fields(&[(header::RETRY_AFTER, "7")])),
            Some(Duration::from_secs(7))
        );
        let dated = [
            (header::DATE, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (header::RETRY_AFTER, "Sun, 06 Nov 1994 08:50:37 GMT"),
        ];
        assert_eq!(retry_after(&fields(&dated)), Some(Duration::from_secs(60)));
        assert_eq!(retry_after(&fields(&[(header::RETRY_AFTER, "soon")])), None);
    }

    #[test]
    fn waits_double_up_to_their_bound_and_never_are_nothing() {
        let mut dice = Dice::new(1);
        for failures in 1..40 {
            let wait = after_failure(failures, None, &mut dice);
            assert!(
                wait >= RETRY_MIN && wait <= RETRY_MAX * 3 / 2,
                "{failures}: {wait:?}"
            );
        }
        let year = Duration::from_secs(31_536_000);
        for standing in 1..40 {
            let wait = without_news(standing, year, Duration::ZERO, &mut dice);
            assert!(
                wait >= REST_MIN && wait <= REST_MAX * 3 / 2,
                "{standing}: {wait:?}"
            );
        }
        assert!(after_failure(1, Some(Duration::from_secs(30)), &mut dice).as_secs() >= 30);
        assert!(after_failure(1, Some(year), &mut dice) <= RETRY_AFTER_MAX * 3 / 2);
    }

    #[test]
    fn a_request_that_was_held_back_needs_no_further_wait() {
        let mut dice = Dice::new(1);
        let wait = without_news(1, Duration::ZERO, Duration::from_secs(20), &mut dice);
        assert_eq!(wait, Duration::ZERO);
    }
}
