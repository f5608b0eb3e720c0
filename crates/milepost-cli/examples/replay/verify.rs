//! Whether the server holds what the model says.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    Failed,
    model::{Key, Model},
    wire::{Service, items, text},
};

/// The state now equals the last revision.
pub(crate) fn end(service: &Service, model: &Model) -> Result<String, Failed> {
    let mut found = BTreeMap::new();
    for collection in &model.collections {
        found.extend(service.pages(collection, format!("/v1/{collection}?pageSize=100"))?);
    }
    same(&found, &model.state)?;
    Ok(format!(
        "at the end, all {} resources equal the last revision",
        found.len()
    ))
}

/// The snapshot at a position equals the state after the revision that was written there.
pub(crate) fn snapshot(
    service: &Service,
    position: &str,
    state: &BTreeMap<Key, Value>,
) -> Result<String, Failed> {
    let mut found = BTreeMap::new();
    let collections: std::collections::BTreeSet<_> = state.keys().map(|(name, _)| name).collect();
    for collection in collections {
        let first = format!("/v1/{collection}/snapshots/{position}?pageSize=100");
        found.extend(service.pages(collection, first)?);
    }
    same(&found, state)?;
    Ok(format!(
        "the snapshot at {position} equals it, {} resources",
        found.len()
    ))
}

fn same(found: &BTreeMap<Key, Value>, expected: &BTreeMap<Key, Value>) -> Result<(), Failed> {
    let differs = |key: &&Key| found.get(*key) != expected.get(*key);
    match found.keys().chain(expected.keys()).find(differs) {
        None => Ok(()),
        Some((collection, id)) => Err(format!("{collection}/{id} is not what it should be").into()),
    }
}

/// Every resource's versions are its edits, in their order.
pub(crate) fn versions(service: &Service, model: &Model) -> Result<String, Failed> {
    let mut total = 0;
    let mut most = (0, "");
    for ((collection, id), edits) in &model.edits {
        let path = format!("/v1/{collection}/{id}");
        let listed = listed(service, &path)?;
        if listed.len() != edits.len() {
            let counts = format!("{} versions, {} edits", listed.len(), edits.len());
            return Err(format!("{path} has {counts}").into());
        }
        for (version, edit) in listed.iter().rev().zip(edits) {
            check(service, &path, version, edit.as_ref())?;
        }
        total += edits.len();
        most = most.max((edits.len(), id));
    }
    let (count, id) = most;
    let resources = model.edits.len();
    Ok(format!(
        "the versions of all {resources} resources are their {total} edits; {id} has most, {count}"
    ))
}

/// A resource's versions, newest first.
fn listed(service: &Service, path: &str) -> Result<Vec<Value>, Failed> {
    let mut versions = Vec::new();
    let mut next = Some(format!("{path}/versions"));
    while let Some(page) = next {
        let page = service.get(&page)?;
        versions.extend_from_slice(items(&page));
        next = page.get("next").and_then(Value::as_str).map(str::to_owned);
    }
    Ok(versions)
}

fn check(
    service: &Service,
    path: &str,
    version: &Value,
    edit: Option<&Value>,
) -> Result<(), Failed> {
    let is_deleted = version.get("deleted").is_some();
    let position = text(version, "position")?;
    let is_right = match edit {
        None => is_deleted,
        Some(value) => {
            !is_deleted && service.get(&format!("{path}/versions/{position}"))? == *value
        }
    };
    if is_right {
        return Ok(());
    }
    Err(format!("{path} at {position} is not what the edit made of it").into())
}
