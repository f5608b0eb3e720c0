//! Makes grants, with a key.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use biscuit_auth::{Biscuit, error::Token};
use serde_json::{Map, Value};

use super::{
    GRANT_BYTES_MAX, GrantError, GrantKey, NAMELESS,
    target::Target,
    terms::{Speaker, Terms},
};
use crate::identity::subject::{Credential, Subject};

const METHODS: [&str; 6] = ["GET", "PUT", "PATCH", "DELETE", "POST", "QUERY"];

/// What a grant allows, and for whom it speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// The method: GET, which stands for HEAD too, PUT, PATCH, DELETE, POST or QUERY.
    pub method: String,
    /// The URL behind the host, path and query to the letter: `/v1/accounts/17`, `/v1/accounts?owner=ada`.
    pub url: String,
    /// Whether everything below it is meant too, with any query; then it has none itself.
    pub below: bool,
    /// When it ends: seconds since 1970, exclusive.
    pub expires_s: u64,
    /// Whom it speaks for; `None` for a bearer without a name, [`NAMELESS`].
    pub subject: Option<GrantSubject>,
    /// What rules see as the subject's claims; `epoch` among them, where its issuer has epochs.
    pub claims: Map<String, Value>,
}

/// Whom a grant speaks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantSubject {
    /// Whose word that is, as tokens have it in `iss`: an issuer that the service believes.
    pub issuer: String,
    /// What that issuer calls it, as tokens have it in `sub`.
    pub id: String,
}

impl Grant {
    /// The grant as text, to be sent as a bearer token.
    ///
    /// # Errors
    /// [`GrantError::Method`], [`GrantError::Url`] and [`GrantError::Subject`] where no service would take that;
    /// [`GrantError::Reserved`] for an issuer that is none; [`GrantError::TooLong`] with too many claims.
    pub fn sign(&self, key: &GrantKey) -> Result<String, GrantError> {
        let terms = Terms {
            method: known_method(&self.method)?,
            target: Target::parse(&self.url, self.below)?,
            expires_s: self.expires_s,
        };
        refuse_own(&terms)?;
        let speaker = self.speaker()?;
        let bytes = signed(key, &terms, &speaker).map_err(GrantError::malformed)?;
        let text = URL_SAFE_NO_PAD.encode(bytes);
        if text.len() > GRANT_BYTES_MAX {
            return Err(GrantError::TooLong { bytes: text.len() });
        }
        Ok(text)
    }

    fn speaker(&self) -> Result<Speaker, GrantError> {
        let (issuer, id) = match &self.subject {
            Some(subject) if subject.issuer == NAMELESS => return Err(GrantError::Reserved),
            Some(subject) => (&*subject.issuer, &*subject.id),
            None => (NAMELESS, NAMELESS),
        };
        Subject::known(id, Some(issuer), Map::new(), Credential::Grant)?;
        Ok(Speaker {
            issuer: issuer.to_owned(),
            id: id.to_owned(),
            claims: self.claims.clone(),
        })
    }
}

/// To spare who makes a grant that every service refuses.
fn refuse_own(terms: &Terms) -> Result<(), GrantError> {
    let replaces = matches!(&*terms.method, "PUT" | "PATCH" | "DELETE");
    if replaces && terms.target.path.contains("/-/") {
        return Err(GrantError::Url {
            url: terms.target.path.clone(),
            detail: "no grant writes transactions and definitions: they are about other URLs than their own",
        });
    }
    Ok(())
}

fn signed(key: &GrantKey, terms: &Terms, speaker: &Speaker) -> Result<Vec<u8>, Token> {
    let builder = Biscuit::builder().root_key_id(key.number);
    let builder = builder.fact(terms.fact())?.fact(speaker.fact())?;
    builder.build(&key.pair)?.to_vec()
}

pub(super) fn known_method(method: &str) -> Result<String, GrantError> {
    let method = method.to_owned();
    if METHODS.contains(&&*method) {
        Ok(method)
    } else {
        Err(GrantError::Method { method })
    }
}
