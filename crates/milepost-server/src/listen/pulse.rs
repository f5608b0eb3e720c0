//! What one open connection is doing, so that one that does nothing can be closed.
//!
//! hyper's own timers are set anew for each request, which costs more than many a request does.
//! Here a request only touches a few atomics, and a watch that looks now and then draws the
//! conclusions. All of it is gone when the connection is.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use super::{ListenOptions, departure::Departure};

/// What a connection and its requests note about themselves.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    started: AtomicU64,
    finished: AtomicU64,
    /// How often bytes went out: what a slow reader still takes is no idleness.
    written: AtomicU64,
    /// Bytes have come since the last request started or finished.
    has_unclaimed_input: AtomicBool,
    /// Requests are frames among others (HTTP/2), so input alone says nothing.
    is_multiplexed: AtomicBool,
    /// Whether the peer is still there, where somebody wants to know.
    pub(super) departure: Departure,
}

impl Pulse {
    pub(super) fn note_input(&self) {
        self.has_unclaimed_input.store(true, Relaxed);
    }

    pub(super) fn note_output(&self) {
        self.written.fetch_add(1, Relaxed);
    }

    pub(super) fn note_start(&self, version: http::Version) {
        if self.started.fetch_add(1, Relaxed) == 0 && version == http::Version::HTTP_2 {
            self.is_multiplexed.store(true, Relaxed);
        }
        self.has_unclaimed_input.store(false, Relaxed);
    }

    pub(super) fn note_finish(&self) {
        self.has_unclaimed_input.store(false, Relaxed);
        self.finished.fetch_add(1, Relaxed);
    }

    /// Whether requests don't come one after the other.
    pub(super) fn is_multiplexed(&self) -> bool {
        self.is_multiplexed.load(Relaxed)
    }

    /// How many requests have started.
    pub(super) fn started(&self) -> u64 {
        self.started.load(Relaxed)
    }

    /// How many requests of one stream of requests have started since there were `started`.
    pub(super) fn pipelined_since(&self, started: u64) -> u64 {
        if self.is_multiplexed() {
            return 0;
        }
        self.started().saturating_sub(started)
    }

    fn reading(&self) -> Reading {
        let started = self.started.load(Relaxed);
        let waits_for_head =
            started == 0 || (self.has_unclaimed_input.load(Relaxed) && !self.is_multiplexed());
        let state = if started != self.finished.load(Relaxed) {
            State::Busy
        } else if waits_for_head {
            State::HeadOutstanding
        } else {
            State::Idle
        };
        Reading {
            started,
            written: self.written.load(Relaxed),
            state,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Reading {
    started: u64,
    written: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Busy,
    HeadOutstanding,
    Idle,
}

/// What to do with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    KeepOpen,
    /// Nothing is under way: say goodbye.
    CloseGracefully,
    /// Somebody holds the connection without getting on.
    Drop,
}

/// Looks at a connection's pulse every [`Watch::interval`].
#[derive(Debug)]
pub(super) struct Watch {
    interval: Duration,
    head_time_max: Duration,
    idle_time_max: Duration,
    last: Option<Reading>,
    unchanged_for: Duration,
}

impl Watch {
    pub(super) fn new(options: &ListenOptions) -> Self {
        let shortest = options.head_time_max.min(options.idle_time_max);
        Self {
            interval: (shortest / 4).max(Duration::from_millis(1)),
            head_time_max: options.head_time_max,
            idle_time_max: options.idle_time_max,
            last: None,
            unchanged_for: Duration::ZERO,
        }
    }

    /// How many looks a time is long, rounded up.
    pub(super) fn looks_in(&self, time: Duration) -> u32 {
        let looks = time.as_nanos().div_ceil(self.interval.as_nanos().max(1));
        u32::try_from(looks).unwrap_or(u32::MAX)
    }

    /// How long to wait between two looks.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Looks, one interval after the last look.
    pub(super) fn look(&mut self, pulse: &Pulse) -> Verdict {
        let reading = pulse.reading();
        if self.last.replace(reading) == Some(reading) {
            self.unchanged_for += self.interval;
        } else {
            self.unchanged_for = Duration::ZERO;
        }
        match reading.state {
            State::HeadOutstanding if self.unchanged_for >= self.head_time_max => Verdict::Drop,
            State::Idle if self.unchanged_for >= self.idle_time_max => Verdict::CloseGracefully,
            State::Busy | State::HeadOutstanding | State::Idle => Verdict::KeepOpen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(&ListenOptions {
            head_time_max: Duration::from_secs(4),
            idle_time_max: Duration::from_secs(8),
            ..ListenOptions::default()
        })
    }

    fn looks_until(verdict: Verdict, pulse: &Pulse) -> Option<usize> {
        let mut watch = watch();
        (0..100).find(|_| watch.look(pulse) == verdict)
    }

    #[test]
    fn a_connection_that_never_sends_a_request_is_dropped() {
        let pulse = Pulse::default();
        assert_eq!(looks_until(Verdict::Drop, &pulse), Some(4));
        pulse.note_input();
        assert_eq!(looks_until(Verdict::Drop, &pulse), Some(4));
    }

    #[test]
    fn an_idle_connection_is_closed_gracefully_and_later() {
        let pulse = Pulse::default();
        pulse.note_start(http::Version::HTTP_11);
        pulse.note_finish();
        assert_eq!(looks_until(Verdict::CloseGracefully, &pulse), Some(8));
    }

    #[test]
    fn half_a_second_head_is_as_bad_as_half_a_first() {
        let pulse = Pulse::default();
        pulse.note_start(http::Version::HTTP_11);
        pulse.note_finish();
        pulse.note_input();
        assert_eq!(looks_until(Verdict::Drop, &pulse), Some(4));
    }

    #[test]
    fn a_request_in_flight_keeps_its_connection_however_long_it_takes() {
        let pulse = Pulse::default();
        pulse.note_start(http::Version::HTTP_2);
        pulse.note_input();
        assert_eq!(looks_until(Verdict::Drop, &pulse), None);
        assert_eq!(looks_until(Verdict::CloseGracefully, &pulse), None);
    }

    #[test]
    fn a_connection_whose_reader_is_slow_is_not_idle() {
        let pulse = Pulse::default();
        pulse.note_start(http::Version::HTTP_11);
        pulse.note_finish();
        let mut watch = watch();
        let kept = (0..100).all(|_| {
            pulse.note_output();
            watch.look(&pulse) == Verdict::KeepOpen
        });
        assert!(kept);
    }

    #[test]
    fn frames_of_http_2_are_no_half_head() {
        let pulse = Pulse::default();
        pulse.note_start(http::Version::HTTP_2);
        pulse.note_finish();
        pulse.note_input();
        assert_eq!(looks_until(Verdict::Drop, &pulse), None);
    }
}
