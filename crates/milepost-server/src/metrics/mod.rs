//! What the service counts about itself, and the page that shows it.
//!
//! Counters by kind of request only: never by client, by URL or by anything else that a client could
//! make many of. Adding takes a few uncontended atomic additions and never waits.

mod route;
mod shard;
mod text;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed},
};

pub use self::{
    route::{MethodKind, RouteKind},
    shard::Observation,
    text::{Figure, FigureKind},
};
use self::{
    shard::{BUCKET_ENDS_US, BUCKETS, CLASSES, Shards},
    text::{Text, seconds},
};

/// The media type of [`Metrics::render`]'s text.
pub const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All counters of one service.
#[derive(Debug)]
pub struct Metrics {
    exchanges: Shards,
    in_flight: AtomicUsize,
    shed: AtomicU64,
    connections_open: AtomicUsize,
    connections: AtomicU64,
    log_lines_dropped: AtomicU64,
    drafts_expired: AtomicU64,
    sweeps_failed: AtomicU64,
}

/// An open connection; until it is dropped.
#[derive(Debug)]
pub struct CountedConnection(Arc<Metrics>);

/// A request that was let in; until it is dropped.
#[derive(Debug)]
pub struct Admitted {
    metrics: Arc<Metrics>,
    is_given_back: AtomicBool,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            exchanges: Shards::new(),
            in_flight: AtomicUsize::new(0),
            shed: AtomicU64::new(0),
            connections_open: AtomicUsize::new(0),
            connections: AtomicU64::new(0),
            log_lines_dropped: AtomicU64::new(0),
            drafts_expired: AtomicU64::new(0),
            sweeps_failed: AtomicU64::new(0),
        }
    }
}

impl Metrics {
    /// Lets a request in, unless `in_flight_max` others are: then the answer is 503. Nobody asks
    /// whose request it is.
    #[must_use]
    pub fn admit(self: &Arc<Self>, in_flight_max: usize) -> Option<Admitted> {
        if self.in_flight.fetch_add(1, Relaxed) < in_flight_max {
            return Some(Admitted {
                metrics: Arc::clone(self),
                is_given_back: AtomicBool::new(false),
            });
        }
        self.in_flight.fetch_sub(1, Relaxed);
        self.shed.fetch_add(1, Relaxed);
        None
    }

    /// Adds a finished exchange.
    pub fn observe(&self, exchange: &Observation) {
        self.exchanges.observe(exchange);
    }

    /// Adds a connection that was opened.
    #[must_use]
    pub fn count_connection(self: &Arc<Self>) -> CountedConnection {
        self.connections.fetch_add(1, Relaxed);
        self.connections_open.fetch_add(1, Relaxed);
        CountedConnection(Arc::clone(self))
    }

    /// Adds lines that the request log had no room for.
    pub fn count_dropped_log_lines(&self, lines: u64) {
        self.log_lines_dropped.fetch_add(lines, Relaxed);
    }

    /// How many lines the request log had no room for.
    #[must_use]
    pub fn dropped_log_lines(&self) -> u64 {
        self.log_lines_dropped.load(Relaxed)
    }

    /// Adds drafts that were deleted because their time was up.
    pub fn count_expired_drafts(&self, drafts: u64) {
        self.drafts_expired.fetch_add(drafts, Relaxed);
    }

    /// Adds a look at a collection's drafts that the store ended early.
    pub fn count_failed_sweep(&self) {
        self.sweeps_failed.fetch_add(1, Relaxed);
    }

    /// How many requests are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Relaxed)
    }

    /// All figures, and those from elsewhere, in Prometheus' text format.
    #[must_use]
    pub fn render(&self, figures: &[Figure]) -> String {
        let mut text = Text::default();
        text.family("milepost_build_info", "gauge", "Which version runs.");
        let version = concat!("version=\"", env!("CARGO_PKG_VERSION"), "\"");
        text.sample("milepost_build_info", version, 1);
        self.render_requests(&mut text);
        self.render_durations(&mut text);
        for figure in self.own_figures().iter().chain(figures) {
            text.figure(figure);
        }
        text.into_string()
    }

    fn render_requests(&self, text: &mut Text) {
        const NAME: &str = "milepost_requests_total";
        text.family(
            NAME,
            "counter",
            "Requests answered, by method, kind of URL and class of status.",
        );
        for &route in RouteKind::ALL {
            for &method in MethodKind::ALL {
                self.render_classes(text, NAME, method, route);
            }
        }
    }

    fn render_classes(&self, text: &mut Text, name: &str, method: MethodKind, route: RouteKind) {
        for class in 0..CLASSES {
            let count = self.exchanges.requests(method, route, class);
            if count > 0 {
                text.sample(name, &request_labels(method, route, class), count);
            }
        }
    }

    fn render_durations(&self, text: &mut Text) {
        const NAME: &str = "milepost_request_duration_seconds";
        text.family(
            NAME,
            "histogram",
            "How long answers took, without the time to send them.",
        );
        for &route in RouteKind::ALL {
            let counts: Vec<u64> = (0..BUCKETS)
                .map(|bucket| self.exchanges.durations(route, bucket))
                .collect();
            if counts.iter().any(|count| *count > 0) {
                let sum_us = self.exchanges.duration_us(route);
                render_histogram(text, NAME, route.label(), &counts, sum_us);
            }
        }
    }

    fn own_figures(&self) -> [Figure; 9] {
        use FigureKind::{Counter, Gauge};
        let figure = |name, help, kind, value| Figure {
            name,
            help,
            kind,
            value,
        };
        let count =
            |counter: &AtomicUsize| u64::try_from(counter.load(Relaxed)).unwrap_or(u64::MAX);
        [
            figure(
                "milepost_request_body_bytes_total",
                "Bytes of request bodies, as far as their length was told.",
                Counter,
                self.exchanges.request_bytes(),
            ),
            figure(
                "milepost_response_body_bytes_total",
                "Bytes of response bodies, as far as their length was known.",
                Counter,
                self.exchanges.response_bytes(),
            ),
            figure(
                "milepost_requests_in_flight",
                "Requests being answered.",
                Gauge,
                count(&self.in_flight),
            ),
            figure(
                "milepost_requests_shed_total",
                "Requests refused with 503 because too many were in flight.",
                Counter,
                self.shed.load(Relaxed),
            ),
            figure(
                "milepost_connections_open",
                "Open connections.",
                Gauge,
                count(&self.connections_open),
            ),
            figure(
                "milepost_connections_total",
                "Connections accepted.",
                Counter,
                self.connections.load(Relaxed),
            ),
            figure(
                "milepost_log_lines_dropped_total",
                "Lines that the request log had no room for.",
                Counter,
                self.dropped_log_lines(),
            ),
            figure(
                "milepost_drafts_expired_total",
                "Drafts that this server deleted because their time was up.",
                Counter,
                self.drafts_expired.load(Relaxed),
            ),
            figure(
                "milepost_draft_sweeps_failed_total",
                "Looks at a collection's drafts that the store ended early; the next look goes on.",
                Counter,
                self.sweeps_failed.load(Relaxed),
            ),
        ]
    }
}

fn request_labels(method: MethodKind, route: RouteKind, class: usize) -> String {
    let (method, route) = (method.label(), route.label());
    format!(
        "method=\"{method}\",route=\"{route}\",status=\"{}xx\"",
        class + 1
    )
}

fn render_histogram(text: &mut Text, name: &str, route: &str, counts: &[u64], sum_us: u64) {
    let mut up_to = 0;
    for (index, count) in counts.iter().enumerate() {
        up_to += count;
        let end = BUCKET_ENDS_US
            .get(index)
            .map_or_else(|| "+Inf".to_owned(), |us| seconds(*us));
        let labels = format!("route=\"{route}\",le=\"{end}\"");
        text.sample(&format!("{name}_bucket"), &labels, up_to);
    }
    let labels = format!("route=\"{route}\"");
    text.sample(&format!("{name}_sum"), &labels, seconds(sum_us));
    text.sample(&format!("{name}_count"), &labels, up_to);
}

impl Drop for CountedConnection {
    fn drop(&mut self) {
        self.0.connections_open.fetch_sub(1, Relaxed);
    }
}

impl Admitted {
    /// Makes room for another request before this one is dropped.
    pub fn give_back(&self) {
        if !self.is_given_back.swap(true, Relaxed) {
            self.metrics.in_flight.fetch_sub(1, Relaxed);
        }
    }

    /// Takes back what was given back, unless so many others are in flight; whether it is taken.
    #[must_use]
    pub fn take_again(&self, in_flight_max: usize) -> bool {
        if !self.is_given_back.load(Relaxed) {
            return true;
        }
        let in_flight = &self.metrics.in_flight;
        let is_room = in_flight.fetch_add(1, Relaxed) < in_flight_max;
        if is_room {
            self.is_given_back.store(false, Relaxed);
        } else {
            in_flight.fetch_sub(1, Relaxed);
        }
        is_room
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.give_back();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::StatusCode;

    use super::*;

    fn seen(route: RouteKind, status: u16, us: u64) -> Observation {
        Observation {
            method: MethodKind::Get,
            route,
            status: StatusCode::from_u16(status).unwrap(),
            duration: Duration::from_micros(us),
            request_bytes: 10,
            response_bytes: 100,
        }
    }

    #[test]
    fn what_was_observed_on_any_thread_is_shown_once() {
        let metrics = Metrics::default();
        std::thread::scope(|scope| {
            for _ in 0..20 {
                scope.spawn(|| metrics.observe(&seen(RouteKind::Resource, 304, 70)));
            }
        });
        let text = metrics.render(&[]);
        for line in [
            "milepost_requests_total{method=\"GET\",route=\"resource\",status=\"3xx\"} 20",
            "milepost_request_duration_seconds_bucket{route=\"resource\",le=\"0.00005\"} 0",
            "milepost_request_duration_seconds_bucket{route=\"resource\",le=\"0.0001\"} 20",
            "milepost_request_duration_seconds_bucket{route=\"resource\",le=\"+Inf\"} 20",
            "milepost_request_duration_seconds_sum{route=\"resource\"} 0.0014",
            "milepost_request_duration_seconds_count{route=\"resource\"} 20",
            "milepost_response_body_bytes_total 2000",
        ] {
            assert!(
                text.lines().any(|candidate| candidate == line),
                "{line} is not in\n{text}"
            );
        }
    }

    #[test]
    fn more_requests_than_may_be_in_flight_are_refused_and_counted() {
        let metrics = Arc::new(Metrics::default());
        let first = metrics.admit(2);
        let second = metrics.admit(2);
        assert!(first.is_some() && second.is_some());
        assert!(metrics.admit(2).is_none());
        drop(first);
        assert!(metrics.admit(2).is_some());
        assert!(
            metrics
                .render(&[])
                .contains("milepost_requests_shed_total 1\n")
        );
        let second = second.unwrap();
        second.give_back();
        assert_eq!(metrics.in_flight(), 0);
        drop(second);
        assert_eq!(metrics.in_flight(), 0);
    }

    #[test]
    fn a_strange_method_makes_no_new_label() {
        let method = http::Method::from_bytes(b"BREW").unwrap();
        assert_eq!(MethodKind::from(&method), MethodKind::Other);
    }
}
