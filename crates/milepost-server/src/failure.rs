//! What a store says went wrong, as what a client can do about it. Every failure becomes a problem
//! here and nowhere else.

use http::{HeaderValue, header::ETAG, request::Parts};
use milepost_semantics::{
    Issue, ProblemType, patch::PatchError, precondition::Condition, problem::Part,
};
use milepost_store::{
    CollectionPath, Failure, ReadError, ResourceKey, Version, Violation, WriteError,
};
use serde_json::Value;

use crate::{
    governed::not_defined, href, identity::not_permitted, refusal::Refusal,
    representation::entity_tag, service::Shared,
};

/// How long to wait where a moment is enough, and where somebody must do something first.
const SOON_S: u32 = 1;
const LATER_S: u32 = 30;
/// What whoever may not write is told: nothing of what stands.
const FORBIDDEN: &str = "the collection's rules don't let the subject of this request do that";

/// A question that has no answer.
pub(crate) fn of_read(shared: &Shared, error: ReadError) -> Refusal {
    let query = |name: &str, detail: String| {
        let issue = Issue::new(Part::Query, name, detail.clone());
        Refusal::issues(ProblemType::InvalidQuery, detail, vec![issue])
    };
    match error {
        ReadError::CollectionNotDefined { collection } => not_defined(shared, &collection),
        ReadError::Expired { oldest } => {
            let detail = "the position is older than what is remembered, or not of this history";
            Refusal::new(ProblemType::PositionExpired, detail)
                .with_member("oldest", oldest.to_string())
        }
        ReadError::Undeclared { collection, names } => {
            let issues = names
                .iter()
                .map(|name| Issue::new(Part::Query, name, "is not declared as an index"))
                .collect();
            let detail = format!(
                "collection {collection} declares no index {}",
                names.join(", ")
            );
            let refusal = Refusal::issues(ProblemType::UndeclaredIndex, detail, issues);
            match ResourceKey::definition(&collection) {
                Some(key) => refusal.with_member("definition", href::resource(&shared.base, &key)),
                None => refusal,
            }
        }
        ReadError::IndexBuilding { collection, index } => {
            let detail =
                format!("index {index} of {collection} was declared lately and is being built");
            Refusal::new(ProblemType::IndexBuilding, detail).retry_after_s(SOON_S)
        }
        ReadError::SortTooBroad { index, limit } => query(
            "sort",
            format!(
                "more than {limit} resources share one value of {index}, too many to order them by a further key"
            ),
        ),
        ReadError::MalformedText { detail } => query("q", detail),
        ReadError::MalformedCursor => query(
            "after",
            "is not the end of a page of this listing: take it from a page's \"next\"".to_owned(),
        ),
        ReadError::Unavailable(cause) => Refusal::new(
            ProblemType::StorageUnavailable,
            "the store can't be read now",
        )
        .retry_after_s(SOON_S)
        .caused_by(cause),
        other => internal(&other),
    }
}

/// A write whose fate is not an outcome.
pub(crate) fn of_write(error: WriteError) -> Refusal {
    match error {
        WriteError::Overloaded => Refusal::new(
            ProblemType::Overloaded,
            "more writes are waiting than are taken",
        )
        .retry_after_s(SOON_S),
        WriteError::Full => {
            Refusal::new(ProblemType::StorageFull, "there is no space left to write")
                .retry_after_s(LATER_S)
        }
        WriteError::Poisoned => {
            let detail = "the storage failed and takes no writes until it was looked after; whether this one was made is not known";
            Refusal::new(ProblemType::OutcomeUnknown, detail).retry_after_s(LATER_S)
        }
        WriteError::Unknown => {
            let detail = "the storage was lost sight of meanwhile; whether this was written is not known";
            Refusal::new(ProblemType::OutcomeUnknown, detail).retry_after_s(SOON_S)
        }
        WriteError::Stopped => Refusal::new(
            ProblemType::StorageUnavailable,
            "the storage failed before and takes no writes until it was looked after; nothing was done",
        )
        .retry_after_s(LATER_S),
        WriteError::Unavailable(cause) => Refusal::new(
            ProblemType::StorageUnavailable,
            "the store can't be written now",
        )
        .retry_after_s(SOON_S)
        .caused_by(cause),
        other => internal(&other),
    }
}

/// The same as [`of_operation`], where the operation is the whole request: who may not make it is told how to say who it is.
pub(crate) fn of_request(
    shared: &Shared,
    request: &Parts,
    key: &ResourceKey,
    failure: Failure,
    show_current: bool,
) -> Refusal {
    match failure {
        Failure::Forbidden => not_permitted(request, FORBIDDEN),
        failure => of_operation(shared, key, failure, show_current),
    }
}

/// An operation that does not hold. `show_current`: the client asked to be shown what stands.
pub(crate) fn of_operation(
    shared: &Shared,
    key: &ResourceKey,
    failure: Failure,
    show_current: bool,
) -> Refusal {
    match failure {
        Failure::PreconditionFailed { condition, current } => {
            precondition_failed(condition, current, show_current)
        }
        Failure::PreconditionRequired { current } => {
            let detail =
                "the resource exists: say which version of it the write is about, in If-Match";
            Refusal::new(ProblemType::PreconditionRequired, detail)
                .with_member("etag", current.entity_tag().to_string())
        }
        Failure::NotFound => Refusal::not_found("there is no resource at this URL"),
        Failure::CollectionNotDefined { collection } => not_defined(shared, &collection),
        Failure::ParentNotFound { parent } => {
            let parent = href::resource(&shared.base, &parent);
            Refusal::new(
                ProblemType::ParentNotFound,
                format!("there is no resource at {parent}, which this one would lie below"),
            )
            .with_member("parent", parent)
        }
        Failure::HasChildren { collection } => {
            let children = href::collection(&shared.base, &collection, &key.as_parent());
            Refusal::new(
                ProblemType::ParentHasChildren,
                format!("resources lie below this one, in {children}"),
            )
            .with_member("children", children)
        }
        Failure::CollectionInUse { collection } => definition_in_use(shared, key, &collection),
        Failure::InvalidDocument(violations) => violated(ProblemType::InvalidDocument, &violations),
        Failure::InvalidDefinition(violations) => {
            violated(ProblemType::InvalidDefinition, &violations)
        }
        Failure::PatchFailed(error) => of_patch(&error),
        Failure::ResultTooLarge {
            bytes_max,
            depth_max,
        } => {
            let detail = format!(
                "the patched representation would be too large: {bytes_max} bytes and {depth_max} levels are allowed"
            );
            Refusal::new(ProblemType::ResourceTooLarge, detail)
        }
        Failure::DuplicateOperation => Refusal::new(
            ProblemType::InvalidTransaction,
            "two operations name the same resource",
        ),
        Failure::TooManyChanges => Refusal::new(
            ProblemType::TransactionTooLarge,
            "more resources would change at once than the store takes",
        ),
        Failure::ReadOnly => Refusal::new(
            ProblemType::Forbidden,
            "only the service itself writes there",
        ),
        Failure::Forbidden => Refusal::new(ProblemType::NotPermitted, FORBIDDEN),
        other => internal_text(&format!("{other:?}")),
    }
}

/// 409: what stands in the way of a definition's going. `key` is the definition's.
fn definition_in_use(shared: &Shared, key: &ResourceKey, in_use: &CollectionPath) -> Refusal {
    let defined = CollectionPath::parse(key.id.as_str());
    if defined.as_ref() == Some(in_use) {
        let resources = href::everywhere(&shared.base, in_use);
        let detail =
            format!("collection {in_use} still has resources, at {resources}: delete them first");
        return Refusal::new(ProblemType::DefinitionInUse, detail)
            .with_member("resources", resources);
    }
    let definitions = shared.store.definitions();
    let children = defined
        .iter()
        .flat_map(|path| definitions.children_of(path));
    let mut children: Vec<CollectionPath> = children.map(|(path, _)| path.clone()).collect();
    if children.is_empty() {
        children.push(in_use.clone());
    }
    let names: Vec<&str> = children.iter().map(CollectionPath::as_str).collect();
    let detail = format!(
        "child collections are still defined below {}: {}; delete their definitions first",
        key.id.as_str(),
        names.join(", ")
    );
    let urls = children.iter().filter_map(ResourceKey::definition);
    let urls: Vec<Value> = urls
        .map(|key| href::resource(&shared.base, &key).into())
        .collect();
    Refusal::new(ProblemType::DefinitionInUse, detail).with_member("children", urls)
}

/// A patch that is none, or doesn't fit what stands.
pub(crate) fn of_patch(error: &PatchError) -> Refusal {
    let kind = if error.fault.is_malformed() {
        ProblemType::InvalidPatch
    } else if error.fault.is_limit() {
        ProblemType::ResourceTooLarge
    } else {
        ProblemType::PatchFailed
    };
    let pointer = error
        .operation
        .map_or_else(String::new, |index| format!("/{index}"));
    let issue = Issue::new(Part::Body, pointer, error.fault.to_string());
    Refusal::issues(kind, error.to_string(), vec![issue])
}

/// RFC 9110 §15.5.13.
fn precondition_failed(
    condition: Condition,
    current: Option<Version>,
    show_current: bool,
) -> Refusal {
    let live = current.filter(|version| !version.is_deleted());
    let Some(version) = live else {
        let detail = format!(
            "{} is false: there is no resource at this URL",
            condition.field()
        );
        return Refusal::new(ProblemType::PreconditionFailed, detail);
    };
    let etag = version.entity_tag().to_string();
    let detail = format!("{} is false: the current tag is {etag}", condition.field());
    let refusal = Refusal::new(ProblemType::PreconditionFailed, detail)
        .with(ETAG, entity_tag(version.position))
        .with_member("etag", etag);
    match version
        .body
        .filter(|_| show_current)
        .and_then(|body| serde_json::from_slice::<Value>(&body).ok())
    {
        Some(current) => refusal.with_member("current", current).with(
            milepost_semantics::prefer::PREFERENCE_APPLIED,
            HeaderValue::from_static("return=representation"),
        ),
        None => refusal,
    }
}

fn violated(kind: ProblemType, violations: &[Violation]) -> Refusal {
    let issues: Vec<_> = violations
        .iter()
        .map(|violation| Issue::new(Part::Body, &violation.pointer, &violation.detail))
        .collect();
    let detail = match violations {
        [only] if only.pointer.is_empty() => only.detail.clone(),
        [only] => format!("{}: {}", only.pointer, only.detail),
        _ => format!("{} parts of the document are wrong", violations.len()),
    };
    Refusal::issues(kind, detail, issues)
}

fn internal(error: &(dyn std::error::Error + 'static)) -> Refusal {
    internal_text(&error.to_string())
}

/// What no rule here knows: the text goes to the log.
pub(crate) fn internal_text(text: &str) -> Refusal {
    Refusal::new(ProblemType::Internal, "the service failed").caused_by(std::sync::Arc::from(
        Box::<dyn std::error::Error + Send + Sync>::from(text),
    ))
}
