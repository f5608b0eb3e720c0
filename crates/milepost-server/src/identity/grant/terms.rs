//! What a grant says, as the facts that the service's key signs. What holders add is out of sight of what reads them here.

use biscuit_auth::{
    Authorizer,
    builder::{Fact, Term, fact, string},
};
use serde_json::{Map, Value};

use super::target::{Asked, Target};

const ONE: &str = "one";
const BELOW: &str = "below";

/// What a grant is for, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub(super) method: String,
    pub(super) target: Target,
    /// Seconds since 1970; from then on it is no good.
    pub(super) expires_s: u64,
}

/// Whom a grant speaks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Speaker {
    pub(super) issuer: String,
    pub(super) id: String,
    pub(super) claims: Map<String, Value>,
}

impl Terms {
    /// `grant("GET", "/v1/a", "", "one", 1700000000)`
    pub(super) fn fact(&self) -> Fact {
        let expires = i64::try_from(self.expires_s).unwrap_or(i64::MAX);
        let reach = if self.target.below { BELOW } else { ONE };
        fact(
            "grant",
            &[
                string(&self.method),
                string(&self.target.path),
                string(&self.target.query),
                string(reach),
                Term::Integer(expires),
            ],
        )
    }

    /// `None` where there is not exactly one such fact.
    pub(super) fn of(authorizer: &mut Authorizer) -> Option<Self> {
        let rule = "told($method, $path, $query, $reach, $expires) <- grant($method, $path, $query, $reach, $expires)";
        let (method, path, query, reach, expires): (_, _, _, String, i64) =
            authorizer.query_exactly_one(rule).ok()?;
        let expires_s = u64::try_from(expires).ok()?;
        let below = match &*reach {
            ONE => false,
            BELOW => true,
            _ => return None,
        };
        Some(Self {
            method,
            target: Target { path, query, below },
            expires_s,
        })
    }

    pub(super) fn allow(&self, asked: Asked<'_>) -> bool {
        self.method == asked.method && self.target.reaches(asked.path, asked.query)
    }
}

impl std::fmt::Display for Terms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.target)
    }
}

impl Speaker {
    /// `speaks("urn:milepost:local", "ada", "{}")`
    pub(super) fn fact(&self) -> Fact {
        let claims = Value::Object(self.claims.clone()).to_string();
        fact(
            "speaks",
            &[string(&self.issuer), string(&self.id), string(&claims)],
        )
    }

    /// `None` where there is not exactly one such fact.
    pub(super) fn of(authorizer: &mut Authorizer) -> Option<Self> {
        let rule = "told($issuer, $id, $claims) <- speaks($issuer, $id, $claims)";
        let (issuer, id, claims): (_, _, String) = authorizer.query_exactly_one(rule).ok()?;
        let claims = serde_json::from_str(&claims).ok()?;
        Some(Self { issuer, id, claims })
    }
}
