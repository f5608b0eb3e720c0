//! What is said of issuers, by options or in a file of JSON, and what becomes of it.

use std::{fs, path::Path, sync::Arc};

use milepost_server::{
    Identity,
    identity::{Algorithm, ClaimTest, FetchPace, Issuer, KeySource},
};
use milepost_store::CollectionPath;
use serde::Deserialize;

use super::{Believed, LOCAL_AUDIENCE, fetch::KeysOverHttp, key_file::KeyFile};
use crate::exit::{Exit, Failure};

/// The file that `--identity` names.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct IdentitySettings {
    #[serde(default)]
    pub(super) resource: Option<String>,
    pub(super) issuers: Vec<IssuerSettings>,
}

/// One issuer. Empty lists stand for what holds by default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct IssuerSettings {
    pub(super) issuer: String,
    /// A file, or a URL.
    pub(super) keys: String,
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    #[serde(default)]
    pub(super) types: Vec<String>,
    #[serde(default)]
    pub(super) algorithms: Vec<String>,
    #[serde(default)]
    pub(super) clock_skew_seconds: Option<u64>,
    #[serde(default)]
    pub(super) admin: Vec<String>,
    #[serde(default)]
    pub(super) epochs: Option<String>,
}

impl IdentitySettings {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|error| Failure::file(path.display(), &error))?;
        let settings: Self = serde_json::from_slice(&text).map_err(|error| {
            Failure::new(Exit::InvalidInput, format!("{}: {error}", path.display()))
                .hint("docs/identity.md shows such a file")
        })?;
        if settings.issuers.is_empty() {
            let message = format!("{}: \"issuers\" names nobody", path.display());
            return Err(Failure::new(Exit::InvalidInput, message));
        }
        Ok(settings)
    }

    pub(super) fn believed(self) -> Result<Believed, Failure> {
        let mut believed = Believed::default();
        let resource = self.resource;
        let issuers = self.issuers.into_iter();
        let issuers = issuers.map(|issuer| issuer.issuer(resource.as_deref(), &mut believed));
        let issuers = issuers.collect::<Result<Vec<_>, _>>()?;
        let identity = Identity::of_issuers(issuers).map_err(usage)?;
        believed.identity = match &resource {
            Some(url) => identity.resource(url).map_err(usage)?,
            None => identity,
        };
        Ok(believed)
    }
}

impl IssuerSettings {
    fn issuer(self, resource: Option<&str>, believed: &mut Believed) -> Result<Issuer, Failure> {
        let audiences = self.audiences(resource)?;
        let keys = self.keys(believed)?;
        let mut issuer = Issuer::new(&self.issuer, audiences, keys).map_err(usage)?;
        if !self.types.is_empty() {
            issuer = issuer.kinds(self.types).map_err(usage)?;
        }
        if !self.algorithms.is_empty() {
            let algorithms = self.algorithms.iter().map(|name| algorithm(name));
            let algorithms = algorithms.collect::<Result<_, _>>()?;
            issuer = issuer.algorithms(algorithms).map_err(usage)?;
        }
        if let Some(seconds) = self.clock_skew_seconds {
            issuer = issuer.clock_skew_s(seconds).map_err(usage)?;
        }
        if let Some(name) = &self.epochs {
            let collection = CollectionPath::parse(name).filter(|path| path.depth() == 1);
            let collection = collection.ok_or_else(|| {
                Failure::usage(format!("{name:?} can't be a collection: say the name of the one with the subjects' own resources, such as users"))
            })?;
            issuer = issuer.epochs(collection);
        }
        let admin = self.admin.iter().map(|test| test.parse::<ClaimTest>());
        Ok(issuer.admin(admin.collect::<Result<_, _>>().map_err(usage)?))
    }

    fn audiences(&self, resource: Option<&str>) -> Result<Vec<String>, Failure> {
        match resource {
            _ if !self.audiences.is_empty() => Ok(self.audiences.clone()),
            Some(resource) => Ok(vec![resource.to_owned()]),
            None if !is_url(&self.keys) => Ok(vec![LOCAL_AUDIENCE.to_owned()]),
            None => Err(Failure::usage(format!(
                "issuer {} mints for other services too: which aud do its tokens for this one have?",
                self.issuer
            ))
            .hint("--audience https://api.example/v1, as the issuer has it")),
        }
    }

    fn keys(&self, believed: &mut Believed) -> Result<KeySource, Failure> {
        if !is_url(&self.keys) {
            let file = KeyFile::at(&self.keys);
            let source = KeySource::given(file.read()?);
            believed.files.push((file, source.clone()));
            return Ok(source);
        }
        if !is_safe(&self.keys) {
            let message = format!("{}: keys that come without TLS are anybody's", self.keys);
            return Err(Failure::usage(message).hint("use https, or a file"));
        }
        let fetcher = Arc::new(KeysOverHttp::default());
        let source = KeySource::fetched(&self.keys, fetcher, FetchPace::default());
        believed.sources.push((self.issuer.clone(), source.clone()));
        Ok(source)
    }
}

fn usage(error: impl std::fmt::Display) -> Failure {
    Failure::usage(error.to_string())
}

fn algorithm(name: &str) -> Result<Algorithm, Failure> {
    Algorithm::from_name(name).ok_or_else(|| {
        let known = Algorithm::ALL.map(Algorithm::name).join(", ");
        Failure::usage(format!("{name:?} is no algorithm that is taken: {known}"))
    })
}

fn is_url(keys: &str) -> bool {
    keys.contains("://")
}

/// Whether nobody between here and there can answer instead.
fn is_safe(url: &str) -> bool {
    let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
    let is_local =
        |rest: &str| !rest.contains('@') && (rest.is_empty() || rest.starts_with([':', '/']));
    url.starts_with("https://")
        || local
            .iter()
            .any(|prefix| url.strip_prefix(prefix).is_some_and(is_local))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_over_tls_or_from_this_machine() {
        for good in [
            "https://a.example/jwks",
            "http://127.0.0.1:8080/jwks",
            "http://localhost/j",
        ] {
            assert!(is_safe(good), "{good}");
        }
        for bad in [
            "http://a.example/jwks",
            "http://localhost.evil.example/j",
            "http://localhost:1@evil.example/j",
            "ftp://a.example",
        ] {
            assert!(!is_safe(bad), "{bad}");
        }
    }
}
