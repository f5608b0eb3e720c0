//! What those who run the service look at: health and metrics. Never cached.

use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE},
    request::Parts,
};
use milepost_store::{Health, Kind};
use serde_json::{Map, Value};

use super::document::{JSON, negotiate};
use crate::{
    body::Body,
    media,
    metrics::{Figure, FigureKind, METRICS_TYPE},
    refusal::Answer,
    service::Shared,
};

const NEVER_KEEP: HeaderValue = HeaderValue::from_static("no-store");
const STOPPING: &str = "the server is stopping";

/// Answers GET and HEAD of `/health`: 503 where the store can't even be read, and once the service is
/// about to stop.
pub(super) fn health(shared: &Shared, request: &Parts) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let health = shared.store.health();
    let (status, word, detail) = match (shared.leaving.has_begun(), &health) {
        (true, _) => (StatusCode::SERVICE_UNAVAILABLE, "DOWN", Some(STOPPING)),
        (false, Health::Up) => (StatusCode::OK, "UP", None),
        (false, Health::ReadOnly(reason)) => (StatusCode::OK, "DEGRADED", Some(reason.as_str())),
        (false, Health::Down(reason)) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "DOWN",
            Some(reason.as_str()),
        ),
    };
    let mut document = Map::new();
    document.insert("status".to_owned(), word.into());
    if let Some(detail) = detail {
        document.insert("detail".to_owned(), detail.into());
    }
    tell_store(&mut document, shared.store.kind(), &health);
    Ok(answer(status, JSON, Value::Object(document).to_string()))
}

/// Answers GET and HEAD of `/-/ready`: whether requests may be sent here, 503 where not.
pub(super) fn ready(shared: &Shared, request: &Parts) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let health = shared.store.health();
    let reason = match &health {
        _ if shared.leaving.has_begun() => Some(STOPPING),
        Health::Down(reason) => Some(reason.as_str()),
        Health::Up | Health::ReadOnly(_) => None,
    };
    let mut document = Map::new();
    document.insert("ready".to_owned(), reason.is_none().into());
    if let Some(reason) = reason {
        document.insert("detail".to_owned(), reason.into());
    }
    tell_store(&mut document, shared.store.kind(), &health);
    let status = match reason {
        None => StatusCode::OK,
        Some(_) => StatusCode::SERVICE_UNAVAILABLE,
    };
    Ok(answer(status, JSON, Value::Object(document).to_string()))
}

/// Which store it is, and where its primary is another server, whether that can be reached.
fn tell_store(document: &mut Map<String, Value>, kind: Kind, health: &Health) {
    document.insert("store".to_owned(), kind.name.into());
    if kind.has_primary {
        let primary = match health {
            Health::Down(_) => "unreachable",
            Health::Up | Health::ReadOnly(_) => "reachable",
        };
        document.insert("primary".to_owned(), primary.into());
    }
}

/// Answers GET and HEAD of `/-/metrics`.
pub(super) fn metrics(shared: &Shared, request: &Parts) -> Answer {
    const TEXT: &str = "text/plain";
    negotiate(&request.headers, &[TEXT])?;
    let text = shared.edge.metrics.render(&figures(shared));
    Ok(answer(
        StatusCode::OK,
        HeaderValue::from_static(METRICS_TYPE),
        text,
    ))
}

/// How the store stands.
fn figures(shared: &Shared) -> Vec<Figure> {
    let store = &shared.store;
    let gauge = |name, help, value| Figure {
        name,
        help,
        kind: FigureKind::Gauge,
        value,
    };
    let collections = u64::try_from(store.definitions().iter().count()).unwrap_or(u64::MAX);
    let is_writable = store.health() == Health::Up;
    let mut figures = feed_figures(shared);
    figures.extend([
        Figure {
            name: "milepost_store_commits_total",
            help: "The sequence number of the newest commit.",
            kind: FigureKind::Counter,
            value: store.head().sequence(),
        },
        gauge(
            "milepost_store_collections",
            "Defined collections.",
            collections,
        ),
        gauge(
            "milepost_store_writable",
            "Whether the store takes writes.",
            is_writable.into(),
        ),
    ]);
    figures
}

/// Who waits for changes, and what telling them costs.
fn feed_figures(shared: &Shared) -> Vec<Figure> {
    use FigureKind::{Counter, Gauge};
    let (held, streams) = (&shared.waits.held, &shared.waits.streams);
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let told = [
        (
            "milepost_waits_open",
            "Requests held until there is news.",
            Gauge,
            count(held.taken()),
        ),
        (
            "milepost_waits_refused_total",
            "Requests refused with 503 because too many were held.",
            Counter,
            held.refused(),
        ),
        (
            "milepost_streams_open",
            "Open streams of events.",
            Gauge,
            count(streams.taken()),
        ),
        (
            "milepost_streams_refused_total",
            "Streams refused with 503 because too many were open.",
            Counter,
            streams.refused(),
        ),
        (
            "milepost_feed_reads_total",
            "How often the store was asked for changes.",
            Counter,
            count(shared.pages.read_count()),
        ),
        (
            "milepost_kept_pages_bytes",
            "Bytes of written pages of changes that are kept.",
            Gauge,
            count(shared.pages.byte_count()),
        ),
    ];
    let figure = |(name, help, kind, value)| Figure {
        name,
        help,
        kind,
        value,
    };
    told.into_iter().map(figure).collect()
}

fn answer(status: StatusCode, media_type: HeaderValue, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text.into_bytes()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, media_type);
    response.headers_mut().insert(CACHE_CONTROL, NEVER_KEEP);
    response
}
