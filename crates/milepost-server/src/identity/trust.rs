//! Whom a service believes: its issuers, and what it is called by them. Configuration, the same for every client.

use super::{fault::TokenFault, grant::NAMELESS, issuer::Issuer};
use crate::keys::Keys;

/// What a service is told about identity. Without it, nobody's credentials are looked at.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    issuers: Vec<Issuer>,
    resource: Option<String>,
    grants: Option<Keys>,
}

/// What doesn't go together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedIdentity {
    /// Two issuers of one name: which one's keys are meant?
    #[error("issuer {issuer:?} is named twice")]
    Twice {
        /// The issuer.
        issuer: String,
    },
    /// What the service calls bearers of grants without a name.
    #[error("no issuer is called {NAMELESS}: bearers of grants without a name are")]
    Reserved,
    /// Not an absolute URL without a fragment (RFC 9728 §1.2).
    #[error(
        "{url:?} is not the service's URL: write it as clients do, such as https://api.example/v1"
    )]
    Resource {
        /// What was given.
        url: String,
    },
}

impl Identity {
    /// Believes these issuers.
    ///
    /// # Errors
    /// [`MalformedIdentity::Twice`] where two have one name, [`MalformedIdentity::Reserved`] where one has [`NAMELESS`]'s.
    pub fn of_issuers(issuers: Vec<Issuer>) -> Result<Self, MalformedIdentity> {
        if issuers.iter().any(|issuer| issuer.name() == NAMELESS) {
            return Err(MalformedIdentity::Reserved);
        }
        for (index, issuer) in issuers.iter().enumerate() {
            let mut before = issuers.iter().take(index);
            if before.any(|other| other.name() == issuer.name()) {
                let issuer = issuer.name().to_owned();
                return Err(MalformedIdentity::Twice { issuer });
            }
        }
        Ok(Self {
            issuers,
            resource: None,
            grants: None,
        })
    }

    /// The service's base as clients write it: its resource identifier (RFC 9728 §1.2). Otherwise what each client
    /// calls it in `Host`.
    ///
    /// # Errors
    /// [`MalformedIdentity::Resource`] where it is no absolute URL, or has a query or a fragment.
    pub fn resource(mut self, url: &str) -> Result<Self, MalformedIdentity> {
        let parsed: Option<http::Uri> = url.parse().ok();
        let is_web = |uri: &http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
        let is_whole = parsed.is_some_and(|uri| is_web(&uri) && uri.query().is_none());
        if !is_whole || url.contains(['#', '"', '\\']) {
            let url = url.to_owned();
            return Err(MalformedIdentity::Resource { url });
        }
        self.resource = Some(url.trim_end_matches('/').to_owned());
        Ok(self)
    }

    /// Believes grants too, by the keys of this ring: those that seal state, or others.
    #[must_use]
    pub fn grants(mut self, keys: Keys) -> Self {
        self.grants = Some(keys);
        self
    }

    /// Whether grants are believed too.
    pub(crate) const fn takes_grants(&self) -> bool {
        self.grants.is_some()
    }

    pub(super) fn grant_keys(&self) -> Option<&Keys> {
        self.grants.as_ref()
    }

    /// The issuers.
    #[must_use]
    pub fn issuers(&self) -> &[Issuer] {
        &self.issuers
    }

    pub(super) fn configured_resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The issuer that a token says it is from.
    pub(super) fn issuer(&self, claimed: Option<&str>) -> Result<&Issuer, TokenFault> {
        let claimed = claimed.ok_or(TokenFault::Claim("iss"))?;
        let mut issuers = self.issuers.iter();
        issuers
            .find(|issuer| issuer.name() == claimed)
            .ok_or(TokenFault::Issuer)
    }
}
