//! What lies below something that is to be deleted: resources below a resource, collections below a definition.
//!
//! A cascade was declared by whoever defined the collections: it is decided by whoever deletes the parent, and
//! asks no rules of what goes with it.

use std::sync::Arc;

use super::{CHANGES_MAX, Held, State, Write, hold, state::Overlay};
use crate::{CollectionPath, Definition, Failure, ResourceKey, definition::OnParentDelete};

/// Refuses to delete the definition of a collection that is in use.
pub(super) fn definition_unused<S: State>(
    key: &ResourceKey,
    overlay: &mut Overlay<'_, S>,
) -> Held<S::Error> {
    let Some(collection) = CollectionPath::parse(key.id.as_str()) else {
        return Ok(Ok(()));
    };
    let child = child_definitions(&collection, overlay)
        .next()
        .map(|(path, _)| path);
    if let Some(child) = child {
        return Ok(Err(Failure::CollectionInUse { collection: child }));
    }
    if overlay.has_live(&collection)? {
        return Ok(Err(Failure::CollectionInUse { collection }));
    }
    Ok(Ok(()))
}

fn child_definitions<S: State>(
    collection: &CollectionPath,
    overlay: &Overlay<'_, S>,
) -> std::vec::IntoIter<(CollectionPath, Arc<Definition>)> {
    let children = overlay.definitions().children_of(collection);
    let standing = children.filter_map(|(path, _)| Some((path.clone(), overlay.definition(path)?)));
    standing.collect::<Vec<_>>().into_iter()
}

/// Sees to what lies below a resource that is to be deleted: refuses, or deletes it too.
pub(super) fn children<S: State>(
    key: &ResourceKey,
    overlay: &mut Overlay<'_, S>,
) -> Held<S::Error> {
    // Depth is bounded by `DEPTH_MAX`, so a stack of keys stays small but for wide cascades.
    let mut parents = vec![key.clone()];
    while let Some(parent) = parents.pop() {
        for (collection, definition) in child_definitions(&parent.collection, overlay) {
            let cascade = definition.on_parent_delete == OnParentDelete::Cascade;
            let limit = if cascade { CHANGES_MAX + 1 } else { 1 };
            let below = overlay.live_below(&collection, &parent.as_parent(), limit)?;
            if below
                .iter()
                .any(|child| !cascade || overlay.has_written(child))
            {
                return Ok(Err(Failure::HasChildren { collection }));
            }
            for child in below {
                hold!(delete_below(&child, overlay)?);
                parents.push(child);
            }
        }
    }
    Ok(Ok(()))
}

fn delete_below<S: State>(child: &ResourceKey, overlay: &mut Overlay<'_, S>) -> Held<S::Error> {
    let previous = overlay.current(child)?;
    let key = child.clone();
    Ok(overlay.also(Write {
        key,
        contents: None,
        digest: [0; 16],
        previous,
    }))
}
