//! One issuer whose tokens are believed, and what is demanded of them.
//!
//! What a token may be is pinned here, before any token is seen: algorithms, kinds, audiences.

use milepost_store::CollectionPath;
use serde_json::{Map, Value};

use super::{
    algorithm::Algorithm,
    claims::{self, CLOCK_SKEW_S_MAX, ClaimTest, Expected},
    fault::TokenFault,
    key_set::{KeySet, Unmatched},
    key_source::KeySource,
    subject::{Credential, Subject},
    token::Unverified,
};

/// What tokens are called where nothing else was agreed on (RFC 9068 §2.1).
const ACCESS_TOKEN: &str = "at+jwt";
/// How much clocks may differ where nothing is said, in seconds.
const CLOCK_SKEW_S: u64 = 30;

/// An issuer whose tokens are believed.
#[derive(Clone, Debug)]
pub struct Issuer {
    name: String,
    audiences: Vec<String>,
    pub(super) keys: KeySource,
    algorithms: Vec<Algorithm>,
    kinds: Vec<String>,
    skew_s: u64,
    admin: Vec<ClaimTest>,
    pub(super) epochs: Option<CollectionPath>,
}

/// What can't be an issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedIssuer {
    /// Its name is empty, too long, or has control characters.
    #[error("an issuer's name has 1 to 512 bytes, and no control characters")]
    Name,
    /// It has no audience: then a token for any other service would do here.
    #[error("issuer {issuer:?} has no audience: say which aud its tokens for this service have")]
    NoAudience {
        /// The issuer.
        issuer: String,
    },
    /// No algorithm or no kind is left.
    #[error("issuer {issuer:?} has an empty list of {what}: no token could be believed")]
    Nothing {
        /// The issuer.
        issuer: String,
        /// Which list.
        what: &'static str,
    },
    /// The clocks may differ by more than is sensible.
    #[error("clocks may differ by {CLOCK_SKEW_S_MAX} s at most, not {seconds}")]
    ClockSkew {
        /// What was given.
        seconds: u64,
    },
}

impl Issuer {
    /// An issuer of this name (`iss`), whose tokens for this service have one of these audiences (`aud`).
    ///
    /// Takes every algorithm that a key of its has, tokens of type `at+jwt`, and clocks that differ by 30 seconds.
    ///
    /// # Errors
    /// [`MalformedIssuer`] where the name can't be one, or there is no audience.
    pub fn new(
        name: &str,
        audiences: Vec<String>,
        keys: KeySource,
    ) -> Result<Self, MalformedIssuer> {
        if !super::subject::is_issuer(name) {
            return Err(MalformedIssuer::Name);
        }
        let name = name.to_owned();
        if audiences.is_empty() {
            return Err(MalformedIssuer::NoAudience { issuer: name });
        }
        Ok(Self {
            name,
            audiences,
            keys,
            algorithms: Algorithm::ALL.to_vec(),
            kinds: vec![ACCESS_TOKEN.to_owned()],
            skew_s: CLOCK_SKEW_S,
            admin: Vec::new(),
            epochs: None,
        })
    }

    /// Takes these algorithms only, whatever keys there are.
    ///
    /// # Errors
    /// [`MalformedIssuer::Nothing`] where there is none.
    pub fn algorithms(mut self, algorithms: Vec<Algorithm>) -> Result<Self, MalformedIssuer> {
        self.refuse_empty(algorithms.is_empty(), "algorithms")?;
        self.algorithms = algorithms;
        Ok(self)
    }

    /// Takes tokens of these types (`typ`), such as `JWT`, instead of `at+jwt`. An ID token is a `JWT` too: where an issuer
    /// says `at+jwt`, keep to it (RFC 8725 §3.11).
    ///
    /// # Errors
    /// [`MalformedIssuer::Nothing`] where there is none.
    pub fn kinds(mut self, kinds: Vec<String>) -> Result<Self, MalformedIssuer> {
        self.refuse_empty(kinds.is_empty(), "types")?;
        self.kinds = kinds;
        Ok(self)
    }

    /// Lets clocks differ by so many seconds.
    ///
    /// # Errors
    /// [`MalformedIssuer::ClockSkew`] above 300.
    pub fn clock_skew_s(mut self, seconds: u64) -> Result<Self, MalformedIssuer> {
        if seconds > CLOCK_SKEW_S_MAX {
            return Err(MalformedIssuer::ClockSkew { seconds });
        }
        self.skew_s = seconds;
        Ok(self)
    }

    /// Lets subjects write definitions and flows whose claims meet one of these demands; nobody, unless said.
    #[must_use]
    pub fn admin(mut self, tests: Vec<ClaimTest>) -> Self {
        self.admin = tests;
        self
    }

    /// Revokes by epochs: a token's `epoch` has to be at least that of its subject's own resource, which stands in this
    /// collection under the subject's id. Without the resource, no token of the subject is believed.
    #[must_use]
    pub fn epochs(mut self, collection: CollectionPath) -> Self {
        self.epochs = Some(collection);
        self
    }

    /// What its tokens call it.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn refuse_empty(&self, is_empty: bool, what: &'static str) -> Result<(), MalformedIssuer> {
        let issuer = self.name.clone();
        if is_empty {
            return Err(MalformedIssuer::Nothing { issuer, what });
        }
        Ok(())
    }

    /// Checks kind and algorithm, before a key is looked for.
    pub(super) fn check_header(&self, token: &Unverified<'_>) -> Result<(), TokenFault> {
        if !self.algorithms.contains(&token.algorithm) {
            return Err(TokenFault::Algorithm);
        }
        let kind = token.kind.as_deref().map(without_application);
        let is_taken = |taken: &String| {
            kind.is_some_and(|kind| kind.eq_ignore_ascii_case(without_application(taken)))
        };
        if self.kinds.iter().any(is_taken) {
            Ok(())
        } else {
            Err(TokenFault::Kind)
        }
    }

    /// Checks the signature with these keys.
    pub(super) fn check_signature(
        &self,
        token: &Unverified<'_>,
        keys: &KeySet,
    ) -> Result<(), TokenFault> {
        let matching = keys.matching(token.key_id.as_deref(), token.algorithm);
        let mut matching = matching.map_err(|unmatched| match unmatched {
            Unmatched::UnknownKey => TokenFault::Key,
            Unmatched::OtherAlgorithm => TokenFault::Algorithm,
        })?;
        if matching.any(|key| token.is_signed_by(key)) {
            Ok(())
        } else {
            Err(TokenFault::Signature)
        }
    }

    /// The subject of a token whose signature is this issuer's, where its claims hold.
    pub(super) fn subject(
        &self,
        claims: Map<String, Value>,
        now_s: u64,
    ) -> Result<Subject, TokenFault> {
        let expected = Expected {
            issuer: &self.name,
            audiences: &self.audiences,
            now_s,
            skew_s: self.skew_s,
        };
        claims::check(&claims, &expected)?;
        let is_admin = self.admin.iter().any(|test| test.holds(&claims));
        let id = claims::claim(&claims, "sub").and_then(Value::as_str);
        let id = id.unwrap_or_default().to_owned();
        let subject = Subject::known(&id, Some(&self.name), claims, Credential::Token);
        let subject = subject.map_err(|_malformed| TokenFault::Claim("sub"))?;
        Ok(if is_admin { subject.admin() } else { subject })
    }
}

/// RFC 7515 §4.1.9: `application/` may be left out.
fn without_application(kind: &str) -> &str {
    const PREFIX: &str = "application/";
    match kind.split_at_checked(PREFIX.len()) {
        Some((prefix, rest)) if prefix.eq_ignore_ascii_case(PREFIX) => rest,
        _ => kind,
    }
}
