//! What a run is told: where to look, what it may do there, and how much.

use std::{fmt, sync::Arc, time::Duration};

use crate::{profile::Profile, waiver::Waiver};

/// How far a run may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests of the whole run.
    pub requests_max: u64,
    /// Requests a second; `None`: as fast as the service answers, one at a time.
    pub requests_per_second_max: Option<u32>,
    /// How long the whole run may take.
    pub run: Duration,
    /// How long one answer may take.
    pub exchange: Duration,
    /// Bytes of one body that are read.
    pub body_bytes_max: usize,
    /// Operations that are looked at.
    pub operations_max: usize,
    /// Writers that race, 2 to 16.
    pub racers: u32,
    /// How long replicas may take to show what another one was told.
    pub replica_lag: Duration,
    /// How long is waited before everything is looked at once more: clocks that count seconds move
    /// on meanwhile, and what they tell is noise.
    pub clock: Duration,
    /// Clients in the first step of the memory check; the following steps double it three times.
    /// Dropped streams are a quarter of that.
    pub memory_clients: u32,
    /// How long a service may take to notice that nobody listens to a stream any more.
    pub reaping: Duration,
}

impl Default for Limits {
    /// 200,000 requests, 10 minutes, 10 seconds an answer of at most 4 MiB, 100 operations,
    /// 16 writers, 1.1 seconds for clocks, 1,000 to 8,000 clients, a minute to notice that a stream is
    /// dropped: servers commonly write to it every 15 to 30 seconds.
    fn default() -> Self {
        Self {
            requests_max: 200_000,
            requests_per_second_max: None,
            run: Duration::from_secs(600),
            exchange: Duration::from_secs(10),
            body_bytes_max: 4 * 1024 * 1024,
            operations_max: 100,
            racers: 16,
            replica_lag: Duration::from_secs(1),
            clock: Duration::from_millis(1_100),
            memory_clients: 1_000,
            reaping: Duration::from_secs(60),
        }
    }
}

/// How the service is restarted; returns when it has been told to, or why it could not be.
#[derive(Clone)]
pub struct Restart(Arc<dyn Fn() -> Result<(), String> + Send + Sync>);

impl Restart {
    /// Restarts by calling this.
    pub fn by(restart: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(restart))
    }

    pub(crate) fn run(&self) -> Result<(), String> {
        (self.0)()
    }
}

impl fmt::Debug for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Restart")
    }
}

/// Where the service's memory can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// The proportional set size of a process on this machine (Linux).
    Process(u32),
    /// A gauge in the Prometheus text format: the URL and the gauge's name, in bytes.
    Gauge {
        /// Where the text is.
        url: String,
        /// The gauge, with labels where it has some.
        name: String,
    },
}

/// A body for the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SandboxBody {
    /// Its media type.
    pub media_type: String,
    /// Its text; `{version}` stands for what makes one version differ from another.
    pub text: String,
}

/// What to audit, and how.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The base URL; links are followed from there.
    pub url: String,
    /// Whether an address that is not loopback may be asked: only by who operates it.
    pub foreign: bool,
    /// Certificates (PEM) of authorities that may sign the service's own, beside the public ones.
    pub authorities: Option<String>,
    /// The text of an OpenAPI 3.0 or 3.1 description, JSON or YAML; one that is linked is found by itself.
    pub openapi: Option<String>,
    /// The text of a HAR: its GETs are operations too.
    pub har: Option<String>,
    /// The first user's bearer token.
    pub bearer: Option<String>,
    /// The second user's.
    pub bearer2: Option<String>,
    /// The path below which the auditor may create, change and delete; `None`: safe methods only.
    pub sandbox: Option<String>,
    /// A body that the sandbox takes, where it takes no JSON that the auditor could make up.
    pub sandbox_body: Option<SandboxBody>,
    /// Paths that are not asked, with all that lies below them.
    pub excluded: Vec<String>,
    /// Further base URLs of the same service.
    pub replicas: Vec<String>,
    /// How it is restarted.
    pub restart: Option<Restart>,
    /// Where its memory is read.
    pub memory: Option<Memory>,
    /// The guideline whose severities apply.
    pub profile: Option<Profile>,
    /// Findings that somebody accepts, and why.
    pub waivers: Vec<Waiver>,
    /// Today, `2026-01-31`: what waivers expire by.
    pub today: String,
    /// Only these checks; empty: all.
    pub only: Vec<String>,
    /// How far it may go.
    pub limits: Limits,
    /// What the orders of requests are drawn from: the same seed, the same run.
    pub seed: u64,
}
