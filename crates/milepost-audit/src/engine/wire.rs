//! The wire of one run: every request goes through here, is counted, paced and bounded.

use std::{
    net::{IpAddr, Ipv4Addr, UdpSocket},
    sync::{
        Barrier, Mutex, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Duration,
};

use crate::{
    clock::{Stopwatch, unix_micros},
    http::{
        Connection, Dial, Failure, Origin, Place, Request, Response, Way, check, connection::Bounds,
    },
    options::{Limits, Options},
    script::{Exchange, Voice},
};

/// How often a 429 is waited for.
const RETRIES_MAX: u32 = 5;
/// The longest `Retry-After` that is waited for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(5);
/// After so many failures one after another nobody is there any more.
const FAILURES_MAX: u32 = 12;
/// How long a restarted service may take until it listens.
const RESTART_MAX: Duration = Duration::from_secs(60);
/// How often is looked whether it does.
const RESTART_POLL: Duration = Duration::from_millis(25);

/// Why a probe could not be played to its end.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error(transparent)]
    Failed(#[from] Failure),
    #[error("{0}")]
    Missing(&'static str),
    #[error("the restart command failed: {reason}")]
    Restart { reason: String },
    #[error("the service has stopped answering ({last})")]
    Gone { last: Failure },
}

impl Stop {
    /// Whether nothing more can be asked in this run.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Failed(Failure::Spent { .. }) | Self::Gone { .. }
        )
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Wire {
    dial: Dial,
    limits: Limits,
    watch: Stopwatch,
    began_unix_micros: u64,
    requests: AtomicU64,
    connections: AtomicU64,
    plays: AtomicU64,
    failures: AtomicU32,
    next_slot: Mutex<Duration>,
    has_sources: bool,
}

/// Whether a URL's host is on loopback, where there are many addresses: that of IPv4.
fn is_near(url: &str) -> bool {
    let address = Place::parse(url).map(|place| check(&place.origin, false));
    address.is_ok_and(|address| address.is_ok_and(|address| address.is_ipv4()))
}

/// Whether this machine has loopback addresses beside 127.0.0.1, as Linux has.
fn has_loopbacks() -> bool {
    UdpSocket::bind((Ipv4Addr::new(127, 77, 77, 77), 0)).is_ok()
}

impl Wire {
    /// A wire that may ask loopback, and others only where the options say so.
    ///
    /// # Errors
    /// What is wrong with the authorities that should be trusted.
    pub(crate) fn new(options: &Options, limits: Limits) -> Result<Self, String> {
        let authorities = options.authorities.as_deref();
        Ok(Self {
            dial: Dial::new(options.foreign, limits.exchange, authorities)?,
            limits,
            watch: Stopwatch::start(),
            began_unix_micros: unix_micros(),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            plays: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            next_slot: Mutex::new(Duration::ZERO),
            has_sources: is_near(&options.url) && has_loopbacks(),
        })
    }

    /// Requests sent so far.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Since the run began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.watch.elapsed()
    }

    /// When the run began, in microseconds since 1970 (UTC).
    pub(crate) const fn began_unix_micros(&self) -> u64 {
        self.began_unix_micros
    }

    /// Waits, as long as the run may.
    pub(crate) fn rest(&self, time: Duration) {
        let left = self.watch.left_of(self.limits.run);
        thread::sleep(time.min(left.unwrap_or_default()));
    }

    /// Whether there are addresses to ask from: the service is on loopback, and this machine has addresses
    /// there beside 127.0.0.1.
    pub(crate) const fn has_sources(&self) -> bool {
        self.has_sources
    }

    /// A number for identities that nobody had before.
    pub(crate) fn next_play(&self) -> u64 {
        self.plays.fetch_add(1, Ordering::Relaxed)
    }

    /// A loopback address that nobody spoke from before; 0 is the usual one.
    pub(crate) fn source(&self, play: u64, number: u32) -> Option<IpAddr> {
        if number == 0 || !self.has_sources {
            return None;
        }
        let unique = play.wrapping_mul(67).wrapping_add(u64::from(number));
        let part =
            |shift: u32, size: u64| u8::try_from((unique / u64::from(shift)) % size).unwrap_or(0);
        let [high, middle, low] = [part(250 * 250, 60), part(250, 250), part(1, 250)];
        Some(Ipv4Addr::new(127, 64 + high, middle + 1, low + 1).into())
    }

    /// A `User-Agent` that nobody had before; 0 is the auditor's own.
    #[expect(clippy::unused_self, reason = "identities are the wire's to give")]
    pub(crate) fn agent(&self, play: u64, number: u32) -> String {
        if number == 0 {
            return concat!("milepost-audit/", env!("CARGO_PKG_VERSION")).to_owned();
        }
        format!("Mozilla/5.0 (compatible; audit {play}.{number})")
    }

    /// Opens a connection.
    pub(crate) fn open(&self, origin: &Origin, way: &Way) -> Result<Connection, Failure> {
        let channel = self.dial.open(origin, way)?;
        let number = self.connections.fetch_add(1, Ordering::Relaxed) + 1;
        Ok(Connection::new(channel, origin.authority(), number))
    }

    /// Sends a request over a connection, or over a fresh one where that was closed meanwhile.
    pub(crate) fn send(
        &self,
        held: Option<Connection>,
        origin: &Origin,
        way: &Way,
        request: &Request,
    ) -> Result<(Exchange, Connection), Stop> {
        let mut held = held;
        for attempt in 0.. {
            let sent = self.once(held.take(), origin, way, request);
            let (exchange, connection) = sent.map_err(|failure| self.failed(failure))?;
            self.failures.store(0, Ordering::Relaxed);
            let Some(pause) = backoff(&exchange.response).filter(|_| attempt < RETRIES_MAX) else {
                return Ok((exchange, connection));
            };
            thread::sleep(pause);
            held = Some(connection).filter(Connection::is_reusable);
        }
        Err(Stop::Missing("it answers 429 whatever is waited"))
    }

    /// Sends a request over a connection of its own and reads the head of the answer alone; what is
    /// sent after it goes on until the connection is dropped.
    pub(crate) fn open_stream(
        &self,
        origin: &Origin,
        way: &Way,
        request: &Request,
    ) -> Result<(Response, Connection), Stop> {
        let begun = self.admit().and_then(|_number| {
            let mut connection = self.open(origin, way)?;
            let head = connection.begin(request, self.bounds())?;
            Ok((head, connection))
        });
        let begun = begun.map_err(|failure| self.failed(failure))?;
        self.failures.store(0, Ordering::Relaxed);
        Ok(begun)
    }

    fn failed(&self, failure: Failure) -> Stop {
        let before = self.failures.fetch_add(1, Ordering::Relaxed);
        if before >= FAILURES_MAX {
            return Stop::Gone { last: failure };
        }
        Stop::Failed(failure)
    }

    fn once(
        &self,
        held: Option<Connection>,
        origin: &Origin,
        way: &Way,
        request: &Request,
    ) -> Result<(Exchange, Connection), Failure> {
        let number = self.admit()?;
        let mut connection = match held {
            Some(connection) => connection,
            None => self.open(origin, way)?,
        };
        let sent = self.watch.elapsed();
        let mut answer = connection.exchange(request, self.bounds());
        let may_repeat = !matches!(request.method.as_str(), "POST" | "PATCH");
        if answer == Err(Failure::Closed) && connection.is_used() && may_repeat {
            connection = self.open(origin, way)?;
            answer = connection.exchange(request, self.bounds());
        }
        let exchange = self.exchange(number, sent, &connection, origin, request, answer?);
        Ok((exchange, connection))
    }

    /// Sends a request whose last byte waits for all others' at a barrier.
    pub(crate) fn released(
        &self,
        mut connection: Connection,
        origin: &Origin,
        request: &Request,
        barrier: &Barrier,
    ) -> Result<Exchange, Failure> {
        let prepared = self
            .admit()
            .and_then(|number| Ok((number, connection.prepare(request)?)));
        barrier.wait();
        let (number, last) = prepared?;
        let sent = self.watch.elapsed();
        connection.write(&[last])?;
        let answer = connection.receive(&request.method, self.bounds())?;
        Ok(self.exchange(number, sent, &connection, origin, request, answer))
    }

    fn exchange(
        &self,
        number: u64,
        sent: Duration,
        connection: &Connection,
        origin: &Origin,
        request: &Request,
        response: Response,
    ) -> Exchange {
        let took = self.watch.elapsed().saturating_sub(sent);
        Exchange {
            number,
            connection: connection.number,
            voice: Voice::default(),
            url: format!("{origin}{}", request.target),
            request: request.clone(),
            response,
            sent_micros: micros(sent),
            took_micros: micros(took),
            together: None,
            source: None,
        }
    }

    /// Counts a request, and waits for its turn.
    fn admit(&self) -> Result<u64, Failure> {
        let limits = &self.limits;
        if self.watch.left_of(limits.run).is_none() {
            let limit = format!("{} s", limits.run.as_secs());
            return Err(Failure::Spent { limit });
        }
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if number > limits.requests_max {
            let limit = format!("{} requests", limits.requests_max);
            return Err(Failure::Spent { limit });
        }
        if let Some(rate) = limits.requests_per_second_max.filter(|rate| *rate > 0) {
            let mut slot = self
                .next_slot
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let now = self.watch.elapsed();
            let turn = (*slot).max(now);
            *slot = turn + Duration::from_secs(1) / rate;
            drop(slot);
            thread::sleep(turn.saturating_sub(now));
        }
        Ok(number)
    }

    const fn bounds(&self) -> Bounds {
        Bounds {
            within: self.limits.exchange,
            body_bytes_max: self.limits.body_bytes_max,
        }
    }

    /// Waits until a restarted service listens again.
    pub(crate) fn await_listener(&self, origin: &Origin) -> Result<(), Stop> {
        let watch = Stopwatch::start();
        loop {
            let error = match self.dial.open(origin, &Way::default()) {
                Ok(_channel) => return Ok(()),
                Err(error) => error,
            };
            if watch.left_of(RESTART_MAX).is_none() || self.watch.left_of(self.limits.run).is_none()
            {
                return Err(Stop::Gone { last: error });
            }
            thread::sleep(RESTART_POLL);
        }
    }
}

fn backoff(response: &Response) -> Option<Duration> {
    if response.status != 429 {
        return None;
    }
    let after = response.fields.first("retry-after");
    let seconds = after.and_then(|value| value.parse().ok()).unwrap_or(1);
    Some(Duration::from_secs(seconds)).filter(|pause| *pause <= RETRY_AFTER_MAX)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_of_ipv4_has_addresses_to_ask_from() {
        assert!(is_near("http://127.0.0.1:8080/"));
        for far in ["http://[::1]:8080/", "http://192.0.2.1/", "no URL"] {
            assert!(!is_near(far), "{far}");
        }
    }
}
