//! Which code answers a request: one match over what the URL names and the method.

use http::{
    HeaderValue, Method, Response, StatusCode,
    header::{ALLOW, LOCATION},
    request::Parts,
};
use milepost_semantics::{Issue, ProblemType, problem::Part};

use crate::{
    body::Body,
    collection::{self, Moment},
    edge::Begun,
    feed, flows, identity,
    intake::RequestBody,
    media,
    method::{Access, Verb, allowed},
    pages, preference,
    refusal::{Answer, Refusal},
    resource,
    route::{Followed, Route, Stray},
    service::{Shared, SharedHandle},
    transaction, versions,
};

/// Answers a request for `route`.
pub(crate) async fn dispatch(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    route: Route<'_>,
    body: RequestBody<'_>,
) -> Response<Body> {
    match answer(shared, request, begun, route, body).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(&shared.base),
    }
}

/// All but the hottest way is boxed, so that its future stays small.
async fn answer(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    route: Route<'_>,
    body: RequestBody<'_>,
) -> Answer {
    let verb = admitted(shared, request, &route)?;
    match (route, verb) {
        (Route::Resource(key), Verb::Read) => resource::read(shared, request, key).await,
        (route, Verb::Options) => Ok(options(&route, shared.access)),
        (Route::Page(page), Verb::Read) => pages::answer(shared, page, request),
        (Route::Resource(key), Verb::Put) => {
            Box::pin(resource::put(shared, request, key, body)).await
        }
        (Route::Resource(key), Verb::Patch) => {
            Box::pin(resource::patch(shared, request, key, body)).await
        }
        (Route::Resource(key), Verb::Delete) => {
            Box::pin(resource::delete(shared, request, key)).await
        }
        (Route::Collection(address), Verb::Read) => {
            Box::pin(collection::list(shared, request, &address, Moment::Now)).await
        }
        (Route::Collection(address), Verb::Query) => {
            Box::pin(collection::query(
                shared,
                request,
                &address,
                Moment::Now,
                body,
            ))
            .await
        }
        (Route::Collection(address), Verb::Post) if crate::method::takes_post(&address) => {
            Box::pin(collection::create(shared, request, &address, body)).await
        }
        (Route::Snapshot { followed, at }, Verb::Read) => {
            Box::pin(snapshot(shared, request, followed, at)).await
        }
        (
            Route::Snapshot {
                followed: Followed::Collection(address),
                at,
            },
            Verb::Query,
        ) => {
            let at = Moment::At(at);
            Box::pin(collection::query(shared, request, &address, at, body)).await
        }
        (Route::Changes { followed, after }, Verb::Read) => {
            changes(shared, request, begun, followed, after).await
        }
        (Route::Versions(key), Verb::Read) => Box::pin(versions::list(shared, request, &key)).await,
        (Route::Version { key, at }, Verb::Read) => {
            Box::pin(versions::read(shared, request, &key, at)).await
        }
        (Route::Transaction { id }, Verb::Read) => {
            Box::pin(transaction::read(shared, request, id)).await
        }
        (Route::Transaction { id }, Verb::Put) => {
            Box::pin(transaction::put(shared, request, id, body)).await
        }
        (Route::Flow { name }, Verb::Read | Verb::Post) => {
            Box::pin(flows::answer(shared, request, name, body)).await
        }
        (route, Verb::Put | Verb::Patch | Verb::Delete | Verb::Post | Verb::Query) => {
            Err(not_allowed(request, &route, shared.access))
        }
    }
}

/// The request's method, where clients may ask by it, and this one may.
fn admitted(shared: &Shared, request: &Parts, route: &Route<'_>) -> Result<Verb, Refusal> {
    let access = shared.access;
    let verb = Verb::of(&request.method).ok_or_else(|| unknown(request, route, access))?;
    if !access.admits(verb) {
        return Err(not_allowed(request, route, access));
    }
    if has_no_keys(route) {
        preference::refuse_keys_if_strict(request)?;
    }
    if verb.is_write() {
        refuse_unless_allowed(shared, request, route)?;
    }
    Ok(verb)
}

/// What identity alone decides. Transactions and flows are asked about each of their writes.
fn refuse_unless_allowed(
    shared: &Shared,
    request: &Parts,
    route: &Route<'_>,
) -> Result<(), Refusal> {
    match route {
        Route::Resource(key) => identity::check_write(shared, request, &key.collection),
        Route::Collection(address) => identity::check_write(shared, request, &address.collection),
        Route::Transaction { .. } => identity::check_transaction(request),
        _ => Ok(()),
    }
}

/// Whether there are no query keys to have.
fn has_no_keys(route: &Route<'_>) -> bool {
    matches!(
        route,
        Route::Page(_)
            | Route::Resource(_)
            | Route::Changes { after: None, .. }
            | Route::Version { .. }
            | Route::Transaction { .. }
    )
}

async fn snapshot(shared: &SharedHandle, request: &Parts, followed: Followed, at: &str) -> Answer {
    match followed {
        Followed::Collection(address) => {
            collection::list(shared, request, &address, Moment::At(at)).await
        }
        Followed::Everything => feed::snapshot(shared, request, at).await,
    }
}

async fn changes(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    followed: Followed,
    after: Option<&str>,
) -> Answer {
    let Some(since) = after else {
        return Box::pin(feed::remembered(shared, request, followed)).await;
    };
    match feed::kept(shared, request) {
        Some(answer) => answer,
        None => Box::pin(feed::changes(shared, request, begun, followed, since)).await,
    }
}

/// RFC 9110 §9.3.7: `OPTIONS *` asks whether the service is there.
pub(crate) fn options_of_service(access: Access) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let all = match access {
        Access::Full => "GET, HEAD, PUT, PATCH, DELETE, POST, QUERY, OPTIONS",
        Access::ReadOnly => "GET, HEAD, QUERY, OPTIONS",
    };
    response
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(all));
    response
}

/// RFC 9110 §9.3.7: what this URL takes.
fn options(route: &Route<'_>, access: Access) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ALLOW, allowed(route, access));
    match route {
        Route::Resource(_) if access.admits(Verb::Patch) => {
            headers.insert(media::ACCEPT_PATCH, media::patches());
        }
        Route::Collection(address) => {
            headers.insert(media::ACCEPT_QUERY, media::queries());
            if access.admits(Verb::Post) && crate::method::takes_post(address) {
                headers.insert(media::ACCEPT_POST, media::json());
            }
        }
        Route::Snapshot {
            followed: Followed::Collection(_),
            ..
        } => {
            headers.insert(media::ACCEPT_QUERY, media::queries());
        }
        Route::Flow { .. } if access.admits(Verb::Post) => {
            headers.insert(
                media::ACCEPT_POST,
                HeaderValue::from_static("application/json, application/x-www-form-urlencoded"),
            );
        }
        Route::Snapshot {
            followed: Followed::Everything,
            ..
        }
        | Route::Page(_)
        | Route::Resource(_)
        | Route::Changes { .. }
        | Route::Versions(_)
        | Route::Version { .. }
        | Route::Transaction { .. }
        | Route::Flow { .. } => {}
    }
    response
}

/// RFC 9110 §15.5.6: known here, but not for this URL.
fn not_allowed(request: &Parts, route: &Route<'_>, access: Access) -> Refusal {
    let allow = allowed(route, access);
    let list = allow.to_str().unwrap_or_default();
    let detail = format!("{} is not for this URL, which has {list}", request.method);
    Refusal::new(ProblemType::MethodNotAllowed, detail).with(ALLOW, allow)
}

/// RFC 9110 §9.1: a method that is registered but for no URL here, or one that nobody knows.
fn unknown(request: &Parts, route: &Route<'_>, access: Access) -> Refusal {
    match request.method {
        Method::TRACE | Method::CONNECT => not_allowed(request, route, access),
        _ => not_implemented(request, route, access),
    }
}

/// RFC 9110 §15.6.2: known for no URL.
fn not_implemented(request: &Parts, route: &Route<'_>, access: Access) -> Refusal {
    let detail = format!(
        "{:.32} is no method of this service",
        request.method.as_str()
    );
    Refusal::new(ProblemType::NotImplemented, detail).with(ALLOW, allowed(route, access))
}

impl Stray {
    /// The answer to a request for a path that names nothing.
    pub(crate) fn into_response(self, request: &Parts, base: &str) -> Response<Body> {
        match self {
            Self::Nowhere(detail) => Refusal::not_found(detail).into_response(base),
            Self::Malformed { segment, detail } => {
                let issue =
                    Issue::new(Part::Path, "id", detail.clone()).with_value(segment.as_str());
                let detail = format!("{segment:?} can't be a name: {detail}");
                Refusal::issues(ProblemType::InvalidId, detail, vec![issue]).into_response(base)
            }
            Self::Elsewhere(path) => redirect(&match request.uri.query() {
                Some(query) => format!("{path}?{query}"),
                None => path,
            }),
        }
    }
}

/// 308 (RFC 9110 §15.4.9): the same request, to the canonical URL.
pub(crate) fn redirect(location: &str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::PERMANENT_REDIRECT;
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}
