//! Whether a grant allows a request, and whom it speaks for.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use biscuit_auth::{
    Authorizer, AuthorizerBuilder, AuthorizerLimits, Biscuit,
    builder::{Term, fact, string},
    error::{Format, Token},
};
use http::request::Parts;
use milepost_seal::KeyRing;

use super::{
    GRANT_BYTES_MAX, GRANT_IN_URL_S_MAX, IN_URL_SLACK_S, closed,
    key::public,
    target::Asked,
    terms::{Speaker, Terms},
};
use crate::identity::{
    fault::TokenFault,
    subject::{Credential, Subject},
};

/// How a grant came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::identity) enum Carried {
    InField,
    InUrl,
}

/// Why a grant does not allow a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(in crate::identity) enum GrantFault {
    /// Nobody would believe it, whatever it is sent with.
    #[error(transparent)]
    Unbelieved(#[from] TokenFault),
    /// It is for something else.
    #[error("the grant is for {granted} alone")]
    Beyond { granted: String },
    /// It was for more once.
    #[error(
        "the grant was narrowed by whoever held it, and this is outside of what is left of {granted}"
    )]
    Narrowed { granted: String },
    /// It is too good for the place where it stands.
    #[error(
        "a grant in a URL is good for {GRANT_IN_URL_S_MAX} seconds at most: narrow it (milepost grant --narrow, --for 1h), or send it in Authorization"
    )]
    LongInUrl,
}

/// The subject of a grant that allows this request.
pub(in crate::identity) fn admitted(
    ring: &KeyRing,
    text: &str,
    request: &Parts,
    (now_s, carried): (u64, Carried),
) -> Result<Subject, GrantFault> {
    let grant = verified(ring, text)?;
    let asked = Asked::of(request);
    let mut authorizer = authorizer(&grant, asked, now_s).ok_or(TokenFault::NoGrant)?;
    let terms = Terms::of(&mut authorizer).ok_or(TokenFault::NoGrant)?;
    if now_s >= terms.expires_s {
        return Err(TokenFault::Expired.into());
    }
    let granted = terms.to_string();
    if !terms.allow(asked) {
        return Err(GrantFault::Beyond { granted });
    }
    if authorizer.authorize().is_err() {
        // At the beginning of time, none has come to its end.
        return Err(match allows(&grant, asked, 0) {
            true => TokenFault::Expired.into(),
            false => GrantFault::Narrowed { granted },
        });
    }
    if carried == Carried::InUrl {
        let later_s = now_s.saturating_add(GRANT_IN_URL_S_MAX + IN_URL_SLACK_S);
        if later_s < terms.expires_s && allows(&grant, asked, later_s) {
            return Err(GrantFault::LongInUrl);
        }
    }
    let subject = subject(&mut authorizer).ok_or(TokenFault::NoGrant)?;
    Ok(subject)
}

/// The grant, once it has the closed form and its signatures hold.
fn verified(ring: &KeyRing, text: &str) -> Result<Biscuit, TokenFault> {
    if text.len() > GRANT_BYTES_MAX {
        return Err(TokenFault::TooLong);
    }
    let bytes = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_other| TokenFault::NoGrant)?;
    closed::check(&bytes)?;
    let known = |number| public(ring, number);
    let grant = Biscuit::from(&bytes, known).map_err(|error| match error {
        Token::Format(Format::UnknownPublicKey) => TokenFault::GrantKey,
        Token::Format(Format::Signature(_) | Format::SealedSignature) => TokenFault::Signature,
        _ => TokenFault::NoGrant,
    })?;
    // What stands around what was signed can be written in several ways: one text stands for one grant.
    match grant.to_vec() {
        Ok(again) if again == bytes => Ok(grant),
        _ => Err(TokenFault::NoGrant),
    }
}

/// What holders' checks are evaluated over: four facts about the request, and what the service's key signed.
fn authorizer(grant: &Biscuit, asked: Asked<'_>, at_s: u64) -> Option<Authorizer> {
    let text = |name, value| fact(name, &[string(value)]);
    let facts = AuthorizerBuilder::new()
        .fact(text("method", asked.method))
        .and_then(|facts| facts.fact(text("path", asked.path)))
        .and_then(|facts| facts.fact(text("query", asked.query)))
        .and_then(|facts| facts.fact(fact("time", &[Term::Date(at_s)])))
        .and_then(|facts| facts.policy("allow if true"));
    facts.ok()?.set_limits(limits()).build(grant).ok()
}

fn allows(grant: &Biscuit, asked: Asked<'_>, at_s: u64) -> bool {
    let authorizer = authorizer(grant, asked, at_s);
    authorizer.is_some_and(|mut authorizer| authorizer.authorize().is_ok())
}

/// With room for a thread that isn't scheduled for a while: the closed form bounds the work, not the clock.
fn limits() -> AuthorizerLimits {
    AuthorizerLimits {
        max_time: Duration::from_secs(5),
        ..AuthorizerLimits::default()
    }
}

fn subject(authorizer: &mut Authorizer) -> Option<Subject> {
    let Speaker { issuer, id, claims } = Speaker::of(authorizer)?;
    Subject::known(&id, Some(&issuer), claims, Credential::Grant).ok()
}
