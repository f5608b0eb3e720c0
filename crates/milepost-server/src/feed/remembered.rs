//! What is remembered of changes: `…/changes`, without a position.

use http::request::Parts;
use milepost_semantics::{EntityTag, Position};
use milepost_store::{ChangesQuery, Definition, Feed, PageLimit};
use serde_json::{Value, json};

use super::asked::view_of;
use crate::{
    collection::Params,
    conditional::held_tag,
    failure,
    governed::{Governed, not_defined},
    href,
    identity::subject_of,
    media,
    refusal::{Answer, Refusal},
    representation::Freshness,
    route::{Address, Followed},
    rules::SEEN_BY,
    service::Shared,
};

/// Answers GET and HEAD.
pub(crate) async fn remembered(shared: &Shared, request: &Parts, followed: Followed) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let (tag, document, freshness) = match &followed {
        Followed::Collection(address) => of_collection(shared, request, address).await?,
        Followed::Everything => of_everything(shared, request).await?,
    };
    if let Some(etag) = held_tag(&request.headers, tag.clone(), None)? {
        return Ok(shared.outline.not_modified(etag, freshness));
    }
    let bytes = document.to_string().into_bytes();
    Ok(shared
        .outline
        .page(tag.to_header_value(), bytes, freshness, None))
}

async fn of_collection(
    shared: &Shared,
    request: &Parts,
    address: &Address,
) -> Result<(EntityTag, Value, Freshness), Refusal> {
    let governed = Governed::of(shared, &address.collection)?;
    let state = shared.store.collection(&address.collection).await;
    let state = state.map_err(|error| failure::of_read(shared, error))?;
    let state = state.ok_or_else(|| not_defined(shared, &address.collection))?;
    let url = href::address(&shared.base, address);
    // Where some is hidden, its newest change doesn't show, and what it was must be known to tell changes.
    let (head, oldest) = if governed.admit(request)?.is_each() {
        (shared.store.head(), state.oldest_snapshot)
    } else {
        (state.head, state.oldest_change)
    };
    let view = governed.view(&address.collection, request);
    let params = as_seen(view.as_deref());
    let document = json!({
        "self": format!("{url}/changes"),
        "head": head.to_string(),
        "oldest": oldest.to_string(),
        "oldestSnapshot": state.oldest_snapshot.to_string(),
        "retention": retention(&state.definition),
        "snapshot": params.url(&format!("{url}/snapshots/{head}")),
        "resume": params.url(&format!("{url}/changes/{head}")),
    });
    let tag = tag(head, &[oldest, state.oldest_snapshot], view.as_deref());
    Ok((tag, document, governed.freshness()))
}

/// Leads on as a view.
fn as_seen(view: Option<&str>) -> Params {
    let mut params = Params::default();
    if let Some(view) = view {
        params.push(SEEN_BY, view.to_owned());
    }
    params
}

async fn of_everything(
    shared: &Shared,
    request: &Parts,
) -> Result<(EntityTag, Value, Freshness), Refusal> {
    let head = shared.store.head();
    let nothing = ChangesQuery {
        feed: Feed::Everything,
        since: head,
        versions: false,
        limit: PageLimit { items: 1, bytes: 1 },
    };
    let page = shared.store.changes(&nothing).await;
    let page = page.map_err(|error| failure::of_read(shared, error))?;
    let url = href::followed(&shared.base, &Followed::Everything);
    let definitions = shared.store.definitions();
    let view = view_of(&Followed::Everything, &definitions, subject_of(request));
    let params = as_seen(view.as_deref());
    let document = json!({
        "self": format!("{url}/changes"),
        "head": head.to_string(),
        "oldest": page.oldest.to_string(),
        "snapshot": params.url(&format!("{url}/snapshots/{head}")),
        "resume": params.url(&format!("{url}/changes/{head}")),
    });
    let freshness = Governed::everything(shared, &definitions).freshness();
    let tag = tag(head, &[page.oldest], view.as_deref());
    Ok((tag, document, freshness))
}

/// All that such a document depends on: the head, which moves with the definition too, floors, which move with
/// time, and the reader's view.
fn tag(head: Position, floors: &[Position], view: Option<&str>) -> EntityTag {
    let floors = floors.iter().map(|floor| format!("/{}", floor.sequence()));
    let view = view.map(|view| format!("/{view}")).unwrap_or_default();
    let text = format!("{head}{}{view}", floors.collect::<String>());
    EntityTag::strong(&text).unwrap_or_else(|_never| EntityTag::from(head))
}

/// The retention as the definition's representation says it.
fn retention(definition: &Definition) -> Value {
    let representation: Option<Value> = serde_json::from_slice(&definition.representation).ok();
    representation
        .and_then(|mut document| Some(document.get_mut("retention")?.take()))
        .unwrap_or_default()
}
