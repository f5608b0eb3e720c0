//! The decision about one operation.

use bytes::Bytes;
use http::Method;
use milepost_semantics::{
    EntityTag, UnixSeconds, Validators, json,
    patch::{self, PatchLimits},
    precondition::{Condition, IfMatch, Outcome},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{
    Contents, Current, Governed, Held, Limits, Prepared, State, Write,
    below::{children, definition_unused},
    hold,
    judgement::seen,
    prepare::ready,
    state::Overlay,
};
use crate::{
    Change, CollectionPath, Effect, Failure, Operation, ResourceKey, definition::PreconditionRule,
};

pub(super) fn decide_operation<S: State>(
    prepared: &Prepared,
    overlay: &mut Overlay<'_, S>,
    limits: Limits,
) -> Held<S::Error> {
    let operation = &prepared.operation;
    if overlay.has_written(&operation.key) {
        return Ok(Err(Failure::DuplicateOperation));
    }
    let governed = hold!(governed(overlay, &operation.key));
    match &operation.change {
        Change::Put(document) => {
            let contents = prepared.contents(&governed, &document.bytes, &document.value);
            put(prepared, &governed, contents, overlay)
        }
        Change::MergePatch(_) | Change::JsonPatch(_) => patch(prepared, &governed, overlay, limits),
        Change::Delete => delete(prepared, &governed, overlay),
        Change::Check => check(prepared, &governed, overlay),
    }
}

/// What rules over the resource: its collection must be defined, and open to clients' writes.
fn governed<S: State>(overlay: &Overlay<'_, S>, key: &ResourceKey) -> Result<Governed, Failure> {
    if key.collection == CollectionPath::collections() {
        return Ok(Governed::AsDefinitions);
    }
    if key.collection.is_reserved() {
        return Err(Failure::ReadOnly);
    }
    overlay
        .definition(&key.collection)
        .map(Governed::By)
        .ok_or_else(|| Failure::CollectionNotDefined {
            collection: key.collection.clone(),
        })
}

fn put<S: State>(
    prepared: &Prepared,
    governed: &Governed,
    contents: Result<Contents, Failure>,
    overlay: &mut Overlay<'_, S>,
) -> Held<S::Error> {
    let operation = &prepared.operation;
    hold!(parent_stands(prepared, overlay)?);
    let contents = hold!(contents);
    hold!(prepared.review(&contents));
    let current = overlay.current(&operation.key)?;
    let judge = prepared.judge(governed);
    let there = seen(judge.as_ref(), current.as_ref());
    if let Some(judge) = &judge {
        hold!(judge.admit(there, Some(&contents)));
    }
    let is_hidden = there.is_none() && current.as_ref().is_some_and(Current::is_live);
    let same = |current: &Current| current.version.body.as_ref() == Some(&contents.bytes);
    match hold!(conditions(operation, &Method::PUT, governed, there, same)) {
        // That it is taken is all that whoever may create here learns.
        Standing::Holds if is_hidden => Ok(Err(Failure::Forbidden)),
        Standing::AlreadyApplied => {
            overlay.stands(
                &operation.key,
                Effect::AlreadyApplied,
                current.map(|current| current.version),
            );
            Ok(Ok(()))
        }
        Standing::Holds => match current {
            Some(current) if same(&current) => {
                overlay.stands(&operation.key, Effect::Unchanged, Some(current.version));
                Ok(Ok(()))
            }
            previous => {
                let replaces = previous.as_ref().is_some_and(Current::is_live);
                let effect = if replaces {
                    Effect::Replaced
                } else {
                    Effect::Created
                };
                Ok(overlay.write(effect, write(operation, Some(contents), previous)))
            }
        },
    }
}

fn patch<S: State>(
    prepared: &Prepared,
    governed: &Governed,
    overlay: &mut Overlay<'_, S>,
    limits: Limits,
) -> Held<S::Error> {
    let operation = &prepared.operation;
    let judge = prepared.judge(governed);
    let current = overlay.current(&operation.key)?.filter(Current::is_live);
    let Some(current) =
        current.filter(|current| judge.as_ref().is_none_or(|judge| judge.sees(current)))
    else {
        return Ok(Err(Failure::NotFound));
    };
    let made = || patched(&operation.change, &current, governed, limits);
    // Rules before conditions; what can't be applied may be so only because a condition is false.
    let judged = judge.as_ref().map(|judge| (judge, made()));
    if let Some((judge, Ok(contents))) = &judged {
        hold!(judge.admit(Some(&current), Some(contents)));
    }
    let digest = digest(&operation.change);
    let same = |current: &Current| current.digest == digest;
    match hold!(conditions(
        operation,
        &Method::PATCH,
        governed,
        Some(&current),
        same
    )) {
        Standing::AlreadyApplied => {
            overlay.stands(
                &operation.key,
                Effect::AlreadyApplied,
                Some(current.version),
            );
            Ok(Ok(()))
        }
        Standing::Holds => {
            let contents = hold!(judged.map_or_else(made, |(_, contents)| contents));
            hold!(prepared.review(&contents));
            if current.version.body.as_ref() == Some(&contents.bytes) {
                overlay.stands(&operation.key, Effect::Unchanged, Some(current.version));
                return Ok(Ok(()));
            }
            let write = Write {
                digest,
                ..write(operation, Some(contents), Some(current))
            };
            Ok(overlay.write(Effect::Replaced, write))
        }
    }
}

fn delete<S: State>(
    prepared: &Prepared,
    governed: &Governed,
    overlay: &mut Overlay<'_, S>,
) -> Held<S::Error> {
    let operation = &prepared.operation;
    let judge = prepared.judge(governed);
    let current = overlay.current(&operation.key)?;
    let Some(current) =
        current.filter(|current| judge.as_ref().is_none_or(|judge| judge.sees(current)))
    else {
        return Ok(Err(Failure::NotFound));
    };
    if !current.is_live() {
        if replaced_named(operation, &current) {
            overlay.stands(
                &operation.key,
                Effect::AlreadyApplied,
                Some(current.version),
            );
            return Ok(Ok(()));
        }
        return Ok(Err(Failure::NotFound));
    }
    if let Some(judge) = &judge {
        hold!(judge.admit(Some(&current), None));
    }
    hold!(conditions(
        operation,
        &Method::DELETE,
        governed,
        Some(&current),
        |_| false
    ));
    match governed {
        Governed::AsDefinitions => hold!(definition_unused(&operation.key, overlay)?),
        Governed::By(_) => hold!(children(&operation.key, overlay)?),
    }
    Ok(overlay.write(Effect::Deleted, write(operation, None, Some(current))))
}

fn check<S: State>(
    prepared: &Prepared,
    governed: &Governed,
    overlay: &mut Overlay<'_, S>,
) -> Held<S::Error> {
    let operation = &prepared.operation;
    let current = overlay.current(&operation.key)?;
    let there = seen(prepared.judge(governed).as_ref(), current.as_ref());
    hold!(evaluate(operation, &Method::PUT, there));
    let version = there.map(|there| there.version.clone());
    overlay.stands(&operation.key, Effect::Checked, version);
    Ok(Ok(()))
}

/// How an operation stands to its conditions, where none fails.
enum Standing {
    Holds,
    AlreadyApplied,
}

/// RFC 9110 §13.2.2, then the repetition of §13.1.1, then whether a condition was required.
fn conditions(
    operation: &Operation,
    method: &Method,
    governed: &Governed,
    current: Option<&Current>,
    same: impl Fn(&Current) -> bool,
) -> Result<Standing, Failure> {
    if let Err(failure) = evaluate(operation, method, current) {
        let repeated = |current: &Current| replaced_named(operation, current) && same(current);
        return if current.is_some_and(repeated) {
            Ok(Standing::AlreadyApplied)
        } else {
            Err(failure)
        };
    }
    let live = current.filter(|current| current.is_live());
    match live {
        Some(current) if is_required(governed) && !operation.preconditions.is_guarded() => {
            Err(Failure::PreconditionRequired {
                current: current.version.clone(),
            })
        }
        _ => Ok(Standing::Holds),
    }
}

fn evaluate(
    operation: &Operation,
    method: &Method,
    current: Option<&Current>,
) -> Result<(), Failure> {
    let live = current.filter(|current| current.is_live());
    let validators = live.map(|current| Validators {
        etag: current.version.entity_tag(),
        last_modified: Some(UnixSeconds::new(current.version.modified.as_seconds())),
    });
    match operation
        .preconditions
        .evaluate(method, validators.as_ref())
    {
        Outcome::Proceed | Outcome::ProceedIgnoringRange => Ok(()),
        Outcome::Failed(condition) => Err(failed(condition, current)),
        // Only GET and HEAD are answered so, and neither is an operation.
        Outcome::NotModified => Err(failed(Condition::IfNoneMatch, current)),
    }
}

fn failed(condition: Condition, current: Option<&Current>) -> Failure {
    Failure::PreconditionFailed {
        condition,
        current: current.map(|current| current.version.clone()),
    }
}

/// Whether the version that `current` replaced is one that the operation's `If-Match` names.
fn replaced_named(operation: &Operation, current: &Current) -> bool {
    let Some(replaced) = current.version.replaced.map(EntityTag::from) else {
        return false;
    };
    match &operation.preconditions.if_match {
        Some(IfMatch::Tags(tags)) => tags.iter().any(|tag| tag.strong_eq(&replaced)),
        Some(IfMatch::Any) | None => false,
    }
}

fn is_required(governed: &Governed) -> bool {
    match governed {
        Governed::By(definition) => definition.preconditions == PreconditionRule::Required,
        Governed::AsDefinitions => true,
    }
}

fn write(operation: &Operation, contents: Option<Contents>, previous: Option<Current>) -> Write {
    Write {
        key: operation.key.clone(),
        contents,
        digest: [0; 16],
        previous,
    }
}

/// Identifies a patch by its kind and content, as this version of the program writes them: after an
/// upgrade a repetition may be answered as a failed condition, which is safe.
fn digest(change: &Change) -> [u8; 16] {
    let (kind, text) = match change {
        Change::MergePatch(patch) => (b"merge-patch\0".as_slice(), patch.to_string()),
        Change::JsonPatch(patch) => (b"json-patch\0\0".as_slice(), format!("{patch:?}")),
        Change::Put(_) | Change::Delete | Change::Check => return [0; 16],
    };
    let hash = Sha256::new()
        .chain_update(kind)
        .chain_update(text)
        .finalize();
    let mut digest = [0; 16];
    digest
        .iter_mut()
        .zip(hash)
        .for_each(|(to, from)| *to = from);
    digest
}

/// The representation that a patch makes of what stands.
fn patched(
    change: &Change,
    current: &Current,
    governed: &Governed,
    limits: Limits,
) -> Result<Contents, Failure> {
    let body = current.version.body.as_deref().unwrap_or_default();
    // What is stored was strict JSON when it was written, under limits that may have been wider.
    let stored =
        json::parse(body, json::Limits::with_depth(json::DEPTH_MAX)).unwrap_or(Value::Null);
    let value = match change {
        Change::MergePatch(merge) => patch::merge_patch(stored, merge.clone()),
        Change::JsonPatch(operations) => {
            let mut value = stored;
            let limits = PatchLimits::new(limits.bytes_max, limits.depth_max);
            operations
                .apply_within(&mut value, limits)
                .map_err(Failure::PatchFailed)?;
            value
        }
        Change::Put(_) | Change::Delete | Change::Check => stored,
    };
    let bytes = Bytes::from(value.to_string());
    let is_within = bytes.len() <= limits.bytes_max
        && json::parse(&bytes, json::Limits::with_depth(limits.depth_max)).is_ok();
    if !is_within {
        return Err(Failure::ResultTooLarge {
            bytes_max: limits.bytes_max,
            depth_max: limits.depth_max,
        });
    }
    ready(governed, &bytes, &value)
}

fn parent_stands<S: State>(prepared: &Prepared, overlay: &mut Overlay<'_, S>) -> Held<S::Error> {
    let key = &prepared.operation.key;
    if key.collection == CollectionPath::collections() {
        return Ok(parent_defined(key, overlay));
    }
    match key.parent_key() {
        Some(parent) if !prepared.is_parent_there(&parent, overlay)? => {
            Ok(Err(Failure::ParentNotFound { parent }))
        }
        _ => Ok(Ok(())),
    }
}

/// A definition's own parent: `accounts.transactions` needs `accounts`.
fn parent_defined<S: State>(key: &ResourceKey, overlay: &Overlay<'_, S>) -> Result<(), Failure> {
    let Some(collection) =
        CollectionPath::parse(key.id.as_str()).filter(|path| !path.is_reserved())
    else {
        return Err(Failure::InvalidDefinition(vec![crate::Violation {
            pointer: String::new(),
            detail: "the name of a collection must be [a-z][a-z0-9-]{0,62}, up to three of them joined by dots".to_owned(),
        }]));
    };
    match collection.parent() {
        Some(parent) if overlay.definition(&parent).is_none() => {
            Err(Failure::CollectionNotDefined { collection: parent })
        }
        _ => Ok(()),
    }
}
