//! Whom a server believes: the options about issuers, or the file that says the same of several.
//!
//! What tokens have to be is `milepost-server`'s; here stands where its settings come from.

mod fetch;
mod key_file;
mod settings;

use std::path::PathBuf;

use clap::{Args, builder::FalseyValueParser};
use milepost_server::{Identity, Keys, identity::KeySource};

pub(crate) use self::key_file::KeyFile;
use self::settings::{IdentitySettings, IssuerSettings};
use crate::exit::Failure;

/// What the local issuer is called, whose tokens `milepost token` mints unless told otherwise.
pub(crate) const LOCAL_ISSUER: &str = "urn:milepost:local";
/// What its tokens are for.
pub(crate) const LOCAL_AUDIENCE: &str = "urn:milepost";

/// Whose tokens are believed.
#[derive(Args, Clone, Debug)]
pub(crate) struct IdentityOptions {
    /// An issuer whose tokens are believed, and its keys: a file (JWK, JWK Set, or a shared secret; read again on SIGHUP), or the
    /// URL of a JWK Set; a file alone stands for the issuer of `milepost token`; may be repeated
    #[arg(
        long,
        value_name = "[NAME=]KEYS",
        env = "MILEPOST_ISSUER",
        value_delimiter = ',',
        conflicts_with = "identity"
    )]
    issuer: Vec<String>,

    /// What tokens for this service have in `aud`; may be repeated [default: --resource; urn:milepost where all keys are files]
    #[arg(
        long,
        value_name = "NAME",
        env = "MILEPOST_AUDIENCE",
        value_delimiter = ',',
        conflicts_with = "identity"
    )]
    audience: Vec<String>,

    /// Who may write definitions and flows: those whose token has this claim; may be repeated [default: nobody]
    #[arg(
        long,
        value_name = "CLAIM=VALUE",
        env = "MILEPOST_ADMIN",
        value_delimiter = ',',
        conflicts_with = "identity"
    )]
    admin: Vec<String>,

    /// The collection of the subjects' own resources: a token whose `epoch` is below the resource's is revoked
    #[arg(
        long,
        value_name = "COLLECTION",
        env = "MILEPOST_EPOCHS",
        conflicts_with = "identity"
    )]
    epochs: Option<String>,

    /// The kinds of tokens that are taken, by `typ`; may be repeated [default: at+jwt]
    #[arg(
        long,
        value_name = "TYPE",
        env = "MILEPOST_TOKEN_TYPE",
        value_delimiter = ',',
        conflicts_with = "identity"
    )]
    token_type: Vec<String>,

    /// The algorithms that are taken: HS256, ES256, EdDSA, RS256; may be repeated [default: what the keys are for]
    #[arg(
        long,
        value_name = "NAME",
        env = "MILEPOST_TOKEN_ALGORITHM",
        value_delimiter = ',',
        conflicts_with = "identity"
    )]
    token_algorithm: Vec<String>,

    /// How much clocks may differ, in seconds, 300 at most [default: 30]
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MILEPOST_CLOCK_SKEW",
        conflicts_with = "identity"
    )]
    clock_skew: Option<u64>,

    /// The service's base as clients write it, for metadata and challenges [default: what each client calls it]
    #[arg(
        long,
        value_name = "URL",
        env = "MILEPOST_RESOURCE",
        conflicts_with = "identity"
    )]
    resource: Option<String>,

    /// Take grants too, made with the server's keys: see milepost grant
    #[arg(long, env = "MILEPOST_GRANTS", value_parser = FalseyValueParser::new())]
    grants: bool,

    /// A file that says the same of several issuers, each with settings of its own; see docs/identity.md
    #[arg(long, value_name = "FILE", env = "MILEPOST_IDENTITY")]
    identity: Option<PathBuf>,
}

/// Whom a server believes, and what is read again when it is asked to.
#[derive(Debug, Default)]
pub(crate) struct Believed {
    pub(crate) identity: Identity,
    /// Where keys can't be had, this tells.
    pub(crate) sources: Vec<(String, KeySource)>,
    pub(crate) files: Vec<(KeyFile, KeySource)>,
}

impl IdentityOptions {
    /// Whether credentials are looked at.
    pub(crate) fn is_some(&self) -> bool {
        self.identity.is_some() || !self.issuer.is_empty()
    }

    /// Whom to believe; `None` where no issuer was named. To be called within a runtime, since URLs of keys are asked from
    /// now on.
    pub(crate) fn believed(&self, keys: &Keys) -> Result<Option<Believed>, Failure> {
        let mut believed = self.of_issuers()?;
        if let Some(believed) = believed.as_mut().filter(|_| self.grants) {
            let identity = std::mem::take(&mut believed.identity);
            believed.identity = identity.grants(keys.clone());
        }
        Ok(believed)
    }

    fn of_issuers(&self) -> Result<Option<Believed>, Failure> {
        if let Some(path) = &self.identity {
            return IdentitySettings::read(path)?.believed().map(Some);
        }
        if self.issuer.is_empty() {
            return match self.idle_option() {
                None => Ok(None),
                Some(option) => Err(Failure::usage(format!(
                    "{option} is about who asks, and no --issuer is named"
                ))
                .hint("milepost token --key dev.jwk --subject ada > ada.token")
                .hint("milepost serve --issuer dev.jwk")),
            };
        }
        self.settings().believed().map(Some)
    }

    /// An option that does nothing without an issuer.
    fn idle_option(&self) -> Option<&'static str> {
        let given = [
            (!self.audience.is_empty(), "--audience"),
            (!self.admin.is_empty(), "--admin"),
            (self.epochs.is_some(), "--epochs"),
            (!self.token_type.is_empty(), "--token-type"),
            (!self.token_algorithm.is_empty(), "--token-algorithm"),
            (self.clock_skew.is_some(), "--clock-skew"),
            (self.resource.is_some(), "--resource"),
            (self.grants, "--grants"),
        ];
        given
            .into_iter()
            .find_map(|(is_given, name)| is_given.then_some(name))
    }

    fn settings(&self) -> IdentitySettings {
        let issuer = |named: &String| {
            let (name, keys) = named.split_once('=').unwrap_or((LOCAL_ISSUER, named));
            IssuerSettings {
                issuer: name.to_owned(),
                keys: keys.to_owned(),
                audiences: self.audience.clone(),
                types: self.token_type.clone(),
                algorithms: self.token_algorithm.clone(),
                clock_skew_seconds: self.clock_skew,
                admin: self.admin.clone(),
                epochs: self.epochs.clone(),
            }
        };
        IdentitySettings {
            resource: self.resource.clone(),
            issuers: self.issuer.iter().map(issuer).collect(),
        }
    }
}
