//! What `sync` and `watch` share: which feed is meant, how its server is asked, and failures said for
//! people.
//!
//! How a feed is followed is `milepost-sync`'s.

mod asking;
mod report;
mod sending;
mod target;

use std::time::Duration;

use milepost_sync::{
    EVERYTHING_NAME, HttpTransport, PullError, PushError, ReplicaError, Request, Scope,
    Transport as _, Url, follow, transport::HttpOptions,
};

pub(crate) use self::{
    report::Report,
    sending::{OnConflict, Sending},
    target::{Target, Targets},
};
use crate::{
    client::{Client, Connection},
    exit::{Exit, Failure},
    pages,
    storage::with_sources,
};

/// A feed, and how to get at it.
#[derive(Debug)]
pub(crate) struct Place {
    /// The collection's URL, filters included.
    pub(crate) home: Url,
    /// The collection's dotted name.
    pub(crate) name: String,
    /// How to ask.
    pub(crate) http: HttpOptions,
}

impl Place {
    /// The feed of a collection given as `books`, `books.reviews`, or as a URL, with these filters.
    pub(crate) fn of(
        connection: &Connection,
        collection: &str,
        filters: &[String],
    ) -> Result<Self, Failure> {
        let client = connection.client()?;
        let home = home(&client, collection, filters)?;
        let server =
            Url::parse(client.address().origin()).map_err(|e| Failure::usage(e.to_string()))?;
        let base = match home.is_same_origin(&server) {
            true => client.address().base(),
            false => "/v1",
        };
        Ok(Self {
            name: Scope::of(&home).name(base),
            http: HttpOptions {
                request_time_max: Duration::from_secs(connection.timeout.max(1)),
                token: connection.token.clone(),
                is_direct: home.is_loopback(),
                credentials_origin: Some(server),
                user_agent: concat!("milepost/", env!("CARGO_PKG_VERSION")).to_owned(),
                ..HttpOptions::default()
            },
            home,
        })
    }

    /// What people call it.
    pub(crate) fn title(&self) -> &str {
        match self.name.as_str() {
            EVERYTHING_NAME => "everything",
            name => name,
        }
    }

    /// How many resources there are, where the service tells that cheaply: for a progress bar only, so
    /// whatever goes wrong is nobody's concern here.
    pub(crate) fn total(&self, transport: &mut HttpTransport) -> Option<u64> {
        #[derive(serde::Deserialize)]
        struct Page {
            total: u64,
        }
        let url = self.home.with_pair("pageSize", "1");
        let answer = transport.send(&Request::get(url.with_pair("total", "true")));
        let answer = answer.ok().filter(|answer| answer.status == 200)?;
        let page: Page = serde_json::from_slice(&answer.body).ok()?;
        Some(page.total)
    }

    /// What carries requests there.
    pub(crate) fn transport(&self) -> HttpTransport {
        HttpTransport::new(self.http.clone())
    }
}

fn home(client: &Client, collection: &str, filters: &[String]) -> Result<Url, Failure> {
    let mut pairs = Vec::new();
    for filter in filters {
        let (index, value) = filter.split_once('=').ok_or_else(|| {
            Failure::usage(format!("{filter:?} is no filter"))
                .hint("write --filter INDEX=VALUE, e.g. --filter year=gte:1960")
        })?;
        pairs.push((index.to_owned(), value.to_owned()));
    }
    // One question has one URL: the server's order of keys is this.
    pairs.sort_unstable();
    pairs.dedup();
    let path = match collection.contains("://") {
        true => collection.to_owned(),
        false => pages::collection_path(collection),
    };
    let query = pages::query(&pairs);
    if !query.is_empty() && path.contains('?') {
        return Err(Failure::usage(
            "a URL with a query takes no filters of its own",
        ));
    }
    let url = client.url(&format!("{path}{query}"))?;
    Url::parse(&url).map_err(|error| Failure::usage(error.to_string()))
}

/// Randomness for jitter; where the system has none, a fixed number will do.
pub(crate) fn seed() -> u64 {
    let mut bytes = [0; 8];
    match getrandom::fill(&mut bytes) {
        Ok(()) => u64::from_le_bytes(bytes),
        Err(_) => 0,
    }
}

impl From<PullError> for Failure {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Feed(failure) => of_feed(&failure),
            PullError::Replica(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

/// The failure that the end of a follower tells.
pub(crate) fn of_feed(failure: &follow::Failure) -> Failure {
    let said = |exit| Failure::new(exit, failure.to_string());
    match failure {
        follow::Failure::Refused { status: 404, .. } => said(Exit::NotFound)
            .hint("is the collection defined? `milepost list -/collections` tells"),
        follow::Failure::Refused { status: 400, .. } => said(Exit::InvalidInput)
            .hint("filters take the indexes that the collection's definition declares"),
        follow::Failure::Refused { status, .. } => said(Exit::of_status(*status)),
        follow::Failure::Unreachable { .. } => said(Exit::Unreachable)
            .hint("the copy is whole: run the same command again, and it goes on"),
        follow::Failure::Misled { .. } => said(Exit::Unreachable)
            .hint("a cache on the way answers for other URLs; it has to tell queries apart"),
        follow::Failure::OtherOrigin { .. } => {
            said(Exit::Failed).hint("use the server's own name in the URL")
        }
        follow::Failure::NoFeed { .. } => {
            said(Exit::InvalidInput).hint("give the URL of a collection, without sort or paging")
        }
        follow::Failure::Differs { .. } => said(Exit::Differs)
            .hint("the copy may have been changed behind its back: sync into a new one"),
        _ => said(Exit::Failed),
    }
}

impl From<ReplicaError> for Failure {
    fn from(error: ReplicaError) -> Self {
        let failure = Self::failed(with_sources(&error));
        match error {
            ReplicaError::Occupied { .. } => failure.hint("choose another target"),
            ReplicaError::Format { .. } => {
                failure.hint("use the version of milepost that wrote it")
            }
            _ => failure,
        }
    }
}

/// The failure that sending ended with.
fn of_push(error: PushError) -> Failure {
    let message = error.to_string();
    match error {
        PushError::Refused { status, .. } => Failure::new(Exit::of_status(status), message)
            .hint("the edits stay here; --token or MILEPOST_TOKEN says who you are"),
        PushError::Unreachable { .. } => Failure::new(Exit::Unreachable, message)
            .hint("the edits stay here: run the same command again"),
        PushError::Replica(error) => error.into(),
        _ => Failure::failed(message),
    }
}
