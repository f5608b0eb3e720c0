//! Whether what was looked up is there, for whoever asks.
//!
//! What may not be read answers as what is absent, and takes the same way: either way a name is looked up that isn't
//! there after the one that was asked for, and one rule is evaluated. What remains between the two is that the first of
//! them is there in one of the cases, and what the size of that document costs to read.

use bytes::Bytes;
use http::request::Parts;
use milepost_store::{ReadError, ResourceKey, Version};
use uuid::Uuid;

use super::Sightline;
use crate::{identity::subject_of, service::Shared};

/// What a document that isn't there is judged as.
const ABSENT: &[u8] = b"{}";

/// A resource as it is now, where the subject of a request may read it.
pub(crate) async fn look_up(
    shared: &Shared,
    request: &Parts,
    key: &ResourceKey,
) -> Result<Option<(Version, Bytes)>, ReadError> {
    let version = shared.store.read(key, None).await?;
    let there = version.and_then(|mut version| version.body.take().map(|body| (version, body)));
    // Looked at behind the read, so that rules are never older than what they judge.
    let definitions = shared.store.definitions();
    match definitions.of(&key.collection) {
        Some(defined) => {
            let line = Sightline::of(&defined.definition, subject_of(request));
            found(shared, &line, key, there).await
        }
        None => Ok(there),
    }
}

/// What was found, where it may be read.
pub(crate) async fn found(
    shared: &Shared,
    line: &Sightline,
    key: &ResourceKey,
    found: Option<(Version, Bytes)>,
) -> Result<Option<(Version, Bytes)>, ReadError> {
    if line.is_whole() {
        return Ok(found);
    }
    let is_shown = line.shows(key, found.as_ref().map_or(ABSENT, |(_, body)| body));
    if found.is_some() && is_shown {
        return Ok(found);
    }
    shared.store.read(&elsewhere(key), None).await?;
    Ok(None)
}

/// A name in the same collection that nothing has.
fn elsewhere(key: &ResourceKey) -> ResourceKey {
    let id = Uuid::new_v4().hyphenated().to_string();
    ResourceKey {
        id: id.parse().unwrap_or_else(|_never| key.id.clone()),
        ..key.clone()
    }
}
