//! From a request's credentials to its subject, before anything is read or routed.
//!
//! In the order of RFC 6750: what can't be read is 400, what isn't believed 401. Nothing at all is no mistake: what nobody in
//! particular may do is for rules.

use http::{Method, request::Parts};

use super::{
    challenge, epoch,
    fault::TokenFault,
    grant::{self, Carried, NAMELESS},
    issuer::Issuer,
    key_source::Renewed,
    presented::{Presented, Unreadable, presented},
    subject::Subject,
    token::Unverified,
    trust::Identity,
};
use crate::{keys::Keys, refusal::Refusal, service::Shared};

/// Finds out whom a request speaks for, and lets it carry that along.
pub(crate) async fn admit(
    shared: &Shared,
    identity: &Identity,
    request: &mut Parts,
) -> Result<(), Refusal> {
    if request.extensions.get::<Subject>().is_some() {
        // The application's word.
        return Ok(());
    }
    let credentials = presented(&request.headers, request.extensions.get());
    let credentials = credentials.map_err(|unreadable| challenge::unreadable(&unreadable))?;
    let subject = match credentials {
        Presented::Nothing => return Ok(()),
        Presented::Foreign => return Err(challenge::foreign()),
        Presented::Bearer(text) => match grant_keys(identity, text) {
            Some(keys) => {
                of_grant(shared, identity, keys, (request, text, Carried::InField)).await?
            }
            None => of_token(shared, identity, text).await?,
        },
        Presented::Linked(text) => {
            let is_read = matches!(request.method, Method::GET | Method::HEAD);
            let keys = grant_keys(identity, text).filter(|_| is_read);
            let keys = keys.ok_or_else(|| challenge::unreadable(&Unreadable::InUrl))?;
            of_grant(shared, identity, keys, (request, text, Carried::InUrl)).await?
        }
    };
    request.extensions.insert(subject);
    Ok(())
}

/// What a grant is checked with, where grants are taken and this may be one: tokens have dots, and grants have none.
fn grant_keys<'i>(identity: &'i Identity, text: &str) -> Option<&'i Keys> {
    identity.grant_keys().filter(|_| !text.contains('.'))
}

async fn of_token(shared: &Shared, identity: &Identity, text: &str) -> Result<Subject, Refusal> {
    let token = Unverified::read(text).map_err(challenge::invalid)?;
    let issuer = identity.issuer(token.claimed_issuer());
    let issuer = issuer.map_err(challenge::invalid)?;
    issuer.check_header(&token).map_err(challenge::invalid)?;
    match issuer.check_signature(&token, &issuer.keys.current()) {
        Err(TokenFault::Key) => Box::pin(with_newer_keys(issuer, &token)).await?,
        checked => checked.map_err(challenge::invalid)?,
    }
    let now_s = shared.clock.now().as_seconds();
    let subject = issuer.subject(token.into_claims(), now_s);
    let subject = subject.map_err(challenge::invalid)?;
    if let Some(collection) = &issuer.epochs {
        let checked = Box::pin(epoch::check(shared, collection, &subject)).await?;
        checked.map_err(challenge::invalid)?;
    }
    Ok(subject)
}

/// A grant speaks for its subject as long as tokens of that subject would be good.
async fn of_grant(
    shared: &Shared,
    identity: &Identity,
    keys: &Keys,
    (request, text, carried): (&Parts, &str, Carried),
) -> Result<Subject, Refusal> {
    let now_s = shared.clock.now().as_seconds();
    let subject = grant::admitted(&keys.ring(), text, request, (now_s, carried));
    let subject = subject.map_err(|fault| challenge::ungranted(&fault))?;
    if subject.issuer() == Some(NAMELESS) && subject.id() == Some(NAMELESS) {
        return Ok(subject);
    }
    let issuer = identity.issuer(subject.issuer());
    let issuer = issuer.map_err(challenge::invalid)?;
    if let Some(collection) = &issuer.epochs {
        let checked = Box::pin(epoch::check(shared, collection, &subject)).await?;
        checked.map_err(challenge::invalid)?;
    }
    Ok(subject)
}

/// The key isn't known: it may have been made since the keys were fetched.
async fn with_newer_keys(issuer: &Issuer, token: &Unverified<'_>) -> Result<(), Refusal> {
    match issuer.keys.renewed().await {
        Renewed::Keys(keys) => issuer
            .check_signature(token, &keys)
            .map_err(challenge::invalid),
        Renewed::Unavailable => Err(challenge::keys_unavailable()),
    }
}
