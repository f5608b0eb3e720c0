//! Who a request speaks for, as a value. How that was found out is not looked at here.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::claims::claim;

/// The longest id, in bytes: what OpenID Connect Core §2 allows a `sub`.
const ID_BYTES_MAX: usize = 255;
/// The longest issuer, in bytes: together with the id and what parts them it fits what state is sealed for.
const ISSUER_BYTES_MAX: usize = 512;

/// Who a request speaks for: nobody in particular ([`Subject::ANONYMOUS`]), or somebody whom an issuer or
/// the application that mounts the service vouches for.
///
/// An extension of the request: an application that authenticates by itself inserts one, and the service then looks at no
/// credentials. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject(Option<Arc<Known>>);

#[derive(Clone, Debug, PartialEq)]
struct Known {
    id: String,
    issuer: Option<String>,
    claims: Map<String, Value>,
    credential: Credential,
    is_admin: bool,
}

/// What a subject is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credential {
    /// A bearer token of an issuer.
    Token,
    /// A grant of this service.
    Grant,
    /// The word of the application that mounts the service.
    Application,
}

impl Credential {
    /// As rules and logs call it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Grant => "grant",
            Self::Application => "application",
        }
    }
}

/// What can't be a subject.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedSubject {
    /// The id is empty, too long, or has control characters.
    #[error("a subject's id has 1 to {ID_BYTES_MAX} bytes, and no control characters")]
    Id,
    /// The same of the issuer.
    #[error("an issuer's name has 1 to {ISSUER_BYTES_MAX} bytes, and no control characters")]
    Issuer,
}

impl Subject {
    /// Nobody in particular: the request has no credentials.
    pub const ANONYMOUS: Self = Self(None);

    /// Somebody of this id, unique where the application says so.
    ///
    /// # Errors
    /// [`MalformedSubject::Id`] where the id has not 1 to 255 bytes, or has control characters.
    pub fn of_application(id: &str, claims: Map<String, Value>) -> Result<Self, MalformedSubject> {
        Self::known(id, None, claims, Credential::Application)
    }

    /// Somebody whom `issuer` calls `id`.
    pub(crate) fn known(
        id: &str,
        issuer: Option<&str>,
        claims: Map<String, Value>,
        credential: Credential,
    ) -> Result<Self, MalformedSubject> {
        if !is_name(id, ID_BYTES_MAX) {
            return Err(MalformedSubject::Id);
        }
        if issuer.is_some_and(|issuer| !is_issuer(issuer)) {
            return Err(MalformedSubject::Issuer);
        }
        Ok(Self(Some(Arc::new(Known {
            id: id.to_owned(),
            issuer: issuer.map(str::to_owned),
            claims,
            credential,
            is_admin: false,
        }))))
    }

    /// The same, who may also write definitions and flows.
    #[must_use]
    pub fn admin(self) -> Self {
        let known = self.0.map(Arc::unwrap_or_clone);
        Self(known.map(|known| {
            Arc::new(Known {
                is_admin: true,
                ..known
            })
        }))
    }

    /// Whether it is nobody in particular.
    #[must_use]
    pub fn is_anonymous(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it may write definitions and flows.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.is_admin)
    }

    /// What its issuer calls it; two issuers may mean two people by one id. `None` for nobody.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.0.as_ref().map(|known| &*known.id)
    }

    /// Who vouches for it; `None` for nobody, and where that is the application.
    #[must_use]
    pub fn issuer(&self) -> Option<&str> {
        self.0.as_ref()?.issuer.as_deref()
    }

    /// All that its issuer says of it; `None` for nobody.
    #[must_use]
    pub fn claims(&self) -> Option<&Map<String, Value>> {
        self.0.as_ref().map(|known| &known.claims)
    }

    /// One thing that its issuer says of it.
    pub(crate) fn claim(&self, name: &str) -> Option<&Value> {
        claim(self.claims()?, name)
    }

    /// What it is known by; `None` for nobody.
    #[must_use]
    pub fn credential(&self) -> Option<Credential> {
        self.0.as_ref().map(|known| known.credential)
    }

    /// What expressions see as `subject`: null for nobody, else `id`, `issuer`, `claims`, `credential` and `admin`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, |known| {
            json!({
                "id": known.id,
                "issuer": known.issuer,
                "claims": known.claims,
                "credential": known.credential.as_str(),
                "admin": known.is_admin,
            })
        })
    }

    /// What state is sealed for: one text for one subject of one issuer, by whatever credential it comes; `None` for
    /// nobody. Neither part has a line feed, so no two subjects share theirs.
    pub(crate) fn seal_name(&self) -> Option<String> {
        let known = self.0.as_ref()?;
        let issuer = known.issuer.as_deref().unwrap_or_default();
        Some(format!("{issuer}\n{}", known.id))
    }
}

/// Whether an issuer may be called so.
pub(super) fn is_issuer(name: &str) -> bool {
    is_name(name, ISSUER_BYTES_MAX)
}

fn is_name(text: &str, bytes_max: usize) -> bool {
    !text.is_empty() && text.len() <= bytes_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, issuer: Option<&str>) -> Result<Subject, MalformedSubject> {
        Subject::known(id, issuer, Map::new(), Credential::Token)
    }

    #[test]
    fn subjects_of_two_issuers_are_never_taken_for_each_other() {
        let names = [
            known("ada", None),
            known("ada", Some("https://a.example")),
            known("ada", Some("https://b.example")),
            known("https://a.example", None),
        ];
        let names: Vec<_> = names
            .into_iter()
            .map(|it| it.unwrap().seal_name())
            .collect();
        for (index, name) in names.iter().enumerate() {
            assert!(!names[..index].contains(name), "{name:?}");
        }
        assert_eq!(Subject::ANONYMOUS.seal_name(), None);
        assert_eq!(known("a\nb", Some("c")), Err(MalformedSubject::Id));
        assert_eq!(known("b", Some("c\na")), Err(MalformedSubject::Issuer));
    }

    #[test]
    fn the_longest_subject_fits_what_state_is_sealed_for() {
        let longest = known(
            &"a".repeat(ID_BYTES_MAX),
            Some(&"b".repeat(ISSUER_BYTES_MAX)),
        );
        assert!(longest.unwrap().seal_name().unwrap().len() <= 1024);
    }

    #[test]
    fn expressions_see_null_where_nobody_is_known() {
        assert_eq!(Subject::ANONYMOUS.to_value(), Value::Null);
        let ada = known("ada", Some("https://a.example")).unwrap().to_value();
        assert_eq!(ada["credential"], "token");
        assert_eq!(ada["admin"], false);
    }
}
