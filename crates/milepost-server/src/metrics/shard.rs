//! Counters that many threads add to without waiting for one another: each adds to its own shard.

use std::{
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use http::StatusCode;

use super::{MethodKind, RouteKind};

/// How many shards there are. More threads than that share.
const SHARDS: usize = 8;
/// How many classes of status codes there are, 1xx to 5xx.
pub(super) const CLASSES: usize = 5;
/// The upper ends of the duration histogram's buckets in microseconds; one more has no end.
pub(super) const BUCKET_ENDS_US: [u64; 16] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 10_000_000,
];
pub(super) const BUCKETS: usize = BUCKET_ENDS_US.len() + 1;

const METHODS: usize = MethodKind::ALL.len();
const ROUTES: usize = RouteKind::ALL.len();

/// One finished exchange, as metrics see it.
#[derive(Clone, Copy, Debug)]
pub struct Observation {
    /// The request's method.
    pub method: MethodKind,
    /// What it was for.
    pub route: RouteKind,
    /// How it was answered.
    pub status: StatusCode,
    /// How long the answer took, without the time to send it.
    pub duration: Duration,
    /// The length of the request's body in bytes, as far as it was told.
    pub request_bytes: u64,
    /// The length of the response's body in bytes, as far as it is known.
    pub response_bytes: u64,
}

#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    requests: [AtomicU64; METHODS * ROUTES * CLASSES],
    durations: [AtomicU64; ROUTES * BUCKETS],
    duration_us: [AtomicU64; ROUTES],
    request_bytes: AtomicU64,
    response_bytes: AtomicU64,
}

/// All shards.
#[derive(Debug)]
pub(super) struct Shards(Box<[Shard]>);

impl Shards {
    pub(super) fn new() -> Self {
        Self((0..SHARDS).map(|_| Shard::new()).collect())
    }

    pub(super) fn observe(&self, seen: &Observation) {
        let Some(shard) = self.0.get(own_shard()) else {
            return;
        };
        let us = u64::try_from(seen.duration.as_micros()).unwrap_or(u64::MAX);
        let route = seen.route as usize;
        add(
            &shard.requests,
            requests_index(seen.method, seen.route, class(seen.status)),
            1,
        );
        add(&shard.durations, route * BUCKETS + bucket(us), 1);
        add(&shard.duration_us, route, us);
        shard.request_bytes.fetch_add(seen.request_bytes, Relaxed);
        shard.response_bytes.fetch_add(seen.response_bytes, Relaxed);
    }

    pub(super) fn requests(&self, method: MethodKind, route: RouteKind, class: usize) -> u64 {
        let index = requests_index(method, route, class);
        self.sum(|shard| shard.requests.get(index))
    }

    pub(super) fn durations(&self, route: RouteKind, bucket: usize) -> u64 {
        self.sum(|shard| shard.durations.get(route as usize * BUCKETS + bucket))
    }

    pub(super) fn duration_us(&self, route: RouteKind) -> u64 {
        self.sum(|shard| shard.duration_us.get(route as usize))
    }

    pub(super) fn request_bytes(&self) -> u64 {
        self.sum(|shard| Some(&shard.request_bytes))
    }

    pub(super) fn response_bytes(&self) -> u64 {
        self.sum(|shard| Some(&shard.response_bytes))
    }

    fn sum<'a>(&'a self, counter: impl Fn(&'a Shard) -> Option<&'a AtomicU64>) -> u64 {
        let counters = self.0.iter().filter_map(counter);
        counters.fold(0, |sum, counter| sum.wrapping_add(counter.load(Relaxed)))
    }
}

impl Shard {
    fn new() -> Self {
        Self {
            requests: [const { AtomicU64::new(0) }; METHODS * ROUTES * CLASSES],
            durations: [const { AtomicU64::new(0) }; ROUTES * BUCKETS],
            duration_us: [const { AtomicU64::new(0) }; ROUTES],
            request_bytes: AtomicU64::new(0),
            response_bytes: AtomicU64::new(0),
        }
    }
}

fn add(counters: &[AtomicU64], index: usize, amount: u64) {
    if let Some(counter) = counters.get(index) {
        counter.fetch_add(amount, Relaxed);
    }
}

fn requests_index(method: MethodKind, route: RouteKind, class: usize) -> usize {
    (method as usize * ROUTES + route as usize) * CLASSES + class
}

fn class(status: StatusCode) -> usize {
    usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1
}

fn bucket(us: u64) -> usize {
    BUCKET_ENDS_US
        .iter()
        .position(|end| us <= *end)
        .unwrap_or(BUCKET_ENDS_US.len())
}

/// The shard of the thread that asks.
fn own_shard() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static OWN: Cell<Option<usize>> = const { Cell::new(None) };
    }
    OWN.with(|own| {
        own.get().unwrap_or_else(|| {
            let shard = NEXT.fetch_add(1, Relaxed) % SHARDS;
            own.set(Some(shard));
            shard
        })
    })
}
