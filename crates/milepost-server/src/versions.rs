//! A resource's retained versions: the list of them, and each as it was.

use std::fmt::Write;

use http::{HeaderValue, Response, header::LINK, request::Parts};
use milepost_semantics::{Issue, Position, ProblemType, problem::Part};
use milepost_store::{ReadError, ResourceKey, VersionPage};
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
    service::Shared,
};

/// Answers GET and HEAD of `…/versions`: newest first, tombstones included.
///
/// Keys: `before`, a position to go on from, and `pageSize`.
pub(crate) async fn list(shared: &Shared, request: &Parts, key: &ResourceKey) -> Answer {
    let governed = Governed::of(shared, &key.collection)?;
    let asked = Asked::read(shared, request)?;
    media::require_json_accepted(&request.headers)?;
    let page = shared
        .store
        .versions(key, asked.before, asked.page_size)
        .await;
    let page = page.map_err(|error| failure::of_read(shared, error))?;
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
    let Some(body) = version.body.take() else {
        return Err(Refusal::not_found(
            "the write of this position deleted the resource",
        ));
    };
    let freshness = Freshness::Immutable(governed.visibility());
    if let Some(etag) = held(&request.headers, position, Some(version.modified))? {
        return Ok(shared.outline.not_modified(etag, freshness));
    }
    let links = HeaderValue::try_from(relations(shared, key, version.replaced)).ok();
    Ok(shared.outline.represent(&version, body, freshness, links))
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
