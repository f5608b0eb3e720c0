//! A resource's retained versions: the list of them, and each as it was.

use std::fmt::Write;

use http::{HeaderValue, Response, header::LINK, request::Parts};
use milepost_semantics::{Issue, Position, ProblemType, problem::Part};
use milepost_store::{ReadError, ResourceKey, Version, VersionPage};
use serde_json::json;

use crate::{
    body::Body,
    collection::{Params, malformed_query},
    conditional::held,
    failure,
    governed::Governed,
    href,
    log::Rfc3339,
    media,
    refusal::{Answer, Refusal},
    representation::{FIELDS_EXPECTED, Freshness, describe, entity_tag, is_json},
    rules::Sightline,
    service::Shared,
};

/// How many versions are looked at at a time.
const CHUNK_VERSIONS: usize = 64;

/// Answers GET and HEAD of `…/versions`: newest first, tombstones included.
///
/// Keys: `before`, a position to go on from, and `pageSize`.
pub(crate) async fn list(shared: &Shared, request: &Parts, key: &ResourceKey) -> Answer {
    let governed = Governed::of(shared, &key.collection)?;
    let asked = Asked::read(shared, request)?;
    media::require_json_accepted(&request.headers)?;
    let line = governed.admit(request)?;
    let page = if line.is_whole() {
        shared
            .store
            .versions(key, asked.before, asked.page_size)
            .await
    } else {
        seen(shared, &line, key, &asked).await
    };
    let page = page.map_err(|error| failure::of_read(shared, error))?;
    governed.still(shared, &key.collection)?;
    let Some(newest) = page.versions.first() else {
        return Err(Refusal::not_found(
            "no version of this resource is retained",
        ));
    };
    if let Some(etag) = held(&request.headers, newest.position, None)? {
        return Ok(shared.outline.not_modified(etag, governed.freshness()));
    }
    let etag = entity_tag(newest.position);
    Ok(represent_list(
        shared,
        key,
        &asked,
        &page,
        etag,
        governed.freshness(),
    ))
}

/// Answers GET and HEAD of `…/versions/{position}`: the bytes that one write made, for ever.
pub(crate) async fn read(shared: &Shared, request: &Parts, key: &ResourceKey, at: &str) -> Answer {
    let governed = Governed::of(shared, &key.collection)?;
    let line = governed.admit(request)?;
    let position: Position = at
        .parse()
        .map_err(|error| Refusal::malformed_position(at, &error))?;
    media::require_json_accepted(&request.headers)?;
    let not_retained =
        || Refusal::not_found("the resource has no version of this position, or no longer");
    let mut version = match shared.store.version(key, position).await {
        Ok(Some(version)) => version,
        // Of another history: never a version of this resource.
        Ok(None) | Err(ReadError::Expired { .. }) => return Err(not_retained()),
        Err(error) => return Err(failure::of_read(shared, error)),
    };
    governed.still(shared, &key.collection)?;
    let Some(body) = version.body.take() else {
        return Err(if line.is_whole() {
            Refusal::not_found("the write of this position deleted the resource")
        } else {
            not_retained()
        });
    };
    if !line.shows(key, &body) {
        return Err(not_retained());
    }
    let freshness = Freshness::Immutable(governed.visibility());
    if let Some(etag) = held(&request.headers, position, Some(version.modified))? {
        return Ok(shared.outline.not_modified(etag, freshness));
    }
    // What it replaced may be hidden.
    let replaced = version.replaced.filter(|_| line.is_whole());
    let links = HeaderValue::try_from(relations(shared, key, replaced)).ok();
    Ok(shared.outline.represent(&version, body, freshness, links))
}

/// A page of the versions that the reader may read, as full as if there were no others. Who loses sight of a resource
/// sees it deleted, by the write that hid it.
async fn seen(
    shared: &Shared,
    line: &Sightline,
    key: &ResourceKey,
    asked: &Asked,
) -> Result<VersionPage, ReadError> {
    let mut versions: Vec<Version> = Vec::new();
    let mut gone: Option<Version> = None;
    let mut before = asked.before;
    // One more than fits tells whether there are more.
    while versions.len() <= asked.page_size {
        let page = shared.store.versions(key, before, CHUNK_VERSIONS).await?;
        for version in page.versions {
            if line.shows_version(key, &version) {
                versions.extend(gone.take());
                versions.push(version);
            } else {
                // Newest first: what hides a version comes right before it.
                gone = Some(Version {
                    body: None,
                    ..version
                });
            }
        }
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let has_more = versions.len() > asked.page_size;
    versions.truncate(asked.page_size);
    let last = versions.last().map(|version| version.position);
    let before = last.filter(|_| has_more);
    Ok(VersionPage { versions, before })
}

/// RFC 5829: the way to the newest version, to all, and to the one before.
fn relations(shared: &Shared, key: &ResourceKey, replaced: Option<Position>) -> String {
    let url = href::resource(&shared.base, key);
    let mut links =
        format!("<{url}>; rel=\"latest-version\", <{url}/versions>; rel=\"version-history\"");
    if let Some(replaced) = replaced {
        // Writing to a string doesn't fail.
        let _ = write!(
            links,
            ", <{url}/versions/{replaced}>; rel=\"predecessor-version\""
        );
    }
    links
}

/// What is asked of a list of versions.
#[derive(Debug)]
struct Asked {
    before: Option<Position>,
    page_size: usize,
    params: Params,
}

impl Asked {
    fn read(shared: &Shared, request: &Parts) -> Result<Self, Refusal> {
        let params = Params::of_query(request.uri.query()).map_err(malformed_query)?;
        let items_max = shared.limits.page_items_max;
        let mut asked = Self {
            before: None,
            page_size: shared.limits.page_items_default,
            params: Params::default(),
        };
        let mut issues = Vec::new();
        let mut wrong = |key: &str, value: &str, detail: String| {
            issues.push(Issue::new(Part::Query, key, detail).with_value(value))
        };
        for (key, value) in params.iter() {
            match key {
                "before" => match value.parse() {
                    Ok(position) => asked.before = Some(position),
                    Err(error) => wrong(key, value, format!("{error}")),
                },
                "pageSize" => match value
                    .parse()
                    .ok()
                    .filter(|size| (1..=items_max).contains(size))
                {
                    Some(size) => {
                        asked.page_size = size;
                        asked.params.push("pageSize", value);
                    }
                    None => wrong(key, value, format!("is a number from 1 to {items_max}")),
                },
                _ => wrong(
                    key,
                    value,
                    "a list of versions has the keys \"before\" and \"pageSize\"".to_owned(),
                ),
            }
        }
        if issues.is_empty() {
            return Ok(asked);
        }
        let detail: Vec<_> = issues
            .iter()
            .map(|issue| format!("{}: {}", issue.name, issue.detail))
            .collect();
        Err(Refusal::issues(
            ProblemType::InvalidQuery,
            detail.join("; "),
            issues,
        ))
    }

    fn url(&self, path: &str, before: Option<Position>) -> String {
        let mut params = self.params.clone();
        if let Some(before) = before {
            params.push("before", before.to_string());
        }
        params.url(path)
    }
}

fn represent_list(
    shared: &Shared,
    key: &ResourceKey,
    asked: &Asked,
    page: &VersionPage,
    etag: HeaderValue,
    freshness: Freshness,
) -> Response<Body> {
    let url = href::resource(&shared.base, key);
    let path = format!("{url}/versions");
    let items = page.versions.iter().map(|version| {
        let position = version.position;
        let modified = Rfc3339(version.modified.0.saturating_mul(1000)).to_string();
        if version.is_deleted() {
            json!({ "position": position.to_string(), "modified": modified, "deleted": true })
        } else {
            let href = href::version(&shared.base, key, position);
            json!({ "href": href, "position": position.to_string(), "etag": version.entity_tag().to_string(), "modified": modified })
        }
    });
    let mut document = json!({
        "self": asked.url(&path, asked.before),
        "latest": url,
        "items": items.collect::<Vec<_>>(),
    });
    let mut links = format!("<{url}>; rel=\"latest-version\"");
    if let (Some(before), Some(members)) = (page.before, document.as_object_mut()) {
        let next = asked.url(&path, Some(before));
        // Writing to a string doesn't fail.
        let _ = write!(links, ", <{next}>; rel=\"next\"");
        members.insert("next".to_owned(), next.into());
    }
    let mut response = Response::new(Body::from(document.to_string().into_bytes()));
    let headers = response.headers_mut();
    headers.reserve(FIELDS_EXPECTED);
    is_json(headers);
    describe(headers, etag, freshness);
    if let Ok(links) = HeaderValue::try_from(links) {
        headers.insert(LINK, links);
    }
    response
}
