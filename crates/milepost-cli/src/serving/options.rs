//! The options of a server, and what they mean to the store, the service and the listener.

use std::{net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Args, ValueEnum, builder::FalseyValueParser};
use milepost_server::{
    ApiInfo, Hosts, Identity, Keys, Service,
    cors::{Cors, Origins},
    listen::{ListenOptions, TlsFiles},
    log::{Log, LogFlush, LogLevel},
};
use milepost_store::{Store, decision};
use ureq::http::HeaderValue;

use super::{identity::IdentityOptions, limits};
use crate::exit::Failure;

/// The address that is listened on when none is given.
const DEFAULT_LISTEN: &str = "127.0.0.1:7070";

/// How a server listens and what it allows.
#[derive(Args, Clone, Debug)]
pub(crate) struct ServingOptions {
    /// Where to listen; may be repeated, port 0 takes any free one
    #[arg(
        long,
        value_name = "ADDRESS",
        env = "MILEPOST_LISTEN",
        value_delimiter = ','
    )]
    #[arg(default_value = DEFAULT_LISTEN)]
    pub(crate) listen: Vec<SocketAddr>,

    /// Let everybody who can reach the address do everything; without it, only this machine
    #[arg(long, env = "MILEPOST_OPEN", value_parser = FalseyValueParser::new())]
    pub(crate) open: bool,

    /// The path that everything lies below
    #[arg(
        long,
        value_name = "PATH",
        env = "MILEPOST_BASE",
        default_value = "/v1"
    )]
    pub(crate) base: String,

    /// Certificate chain for TLS, as PEM; read again on SIGHUP
    #[arg(
        long,
        value_name = "FILE",
        env = "MILEPOST_TLS_CERT",
        requires = "tls_key"
    )]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Private key for TLS, as PEM
    #[arg(
        long,
        value_name = "FILE",
        env = "MILEPOST_TLS_KEY",
        requires = "tls_cert"
    )]
    pub(crate) tls_key: Option<PathBuf>,

    /// Which requests to log, one line of JSON each, on stdout [default: all; errors for demo]
    #[arg(long, value_name = "WHICH", env = "MILEPOST_LOG")]
    pub(crate) log: Option<Logged>,

    /// An origin whose pages may read and write, e.g. `https://app.example`; may be repeated; `*` for
    /// any, `none` for none [default: none; any with --open]
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "MILEPOST_CORS_ORIGIN",
        value_delimiter = ','
    )]
    pub(crate) cors_origin: Vec<HeaderValue>,

    /// A further name that requests may call the server by, e.g. that of a proxy's site; may be
    /// repeated [default: localhost and the addresses; any with --open, or with --issuer where others can connect]
    #[arg(
        long,
        value_name = "NAME",
        env = "MILEPOST_HOST",
        value_delimiter = ','
    )]
    pub(crate) host: Vec<String>,

    #[command(flatten)]
    pub(crate) identity: IdentityOptions,

    #[command(flatten)]
    pub(crate) contact: ContactOptions,

    /// A limit by the name the service document tells, e.g. resourceBytesMax=2M; may be repeated
    #[arg(
        long,
        value_name = "NAME=N",
        env = "MILEPOST_LIMIT",
        value_delimiter = ','
    )]
    pub(crate) limit: Vec<String>,

    /// Memory for hot representations, in bytes; K, M, G allowed
    #[arg(
        long,
        value_name = "BYTES",
        env = "MILEPOST_CACHE",
        default_value = "128M"
    )]
    #[arg(value_parser = bytes)]
    pub(crate) cache: u64,

    /// The file of keys that several nodes share, from `milepost keys create`; read again on SIGHUP
    /// [default: the node's own, keys.json in its directory]
    #[arg(
        long,
        visible_alias = "key-ring",
        value_name = "FILE",
        env = "MILEPOST_KEYS"
    )]
    pub(crate) keys: Option<PathBuf>,

    /// Print {"urls", "pid"} on stdout once it listens
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom the API's documentation names.
#[derive(Args, Clone, Debug)]
pub(crate) struct ContactOptions {
    /// The API's title, in its OpenAPI document
    #[arg(long, value_name = "TEXT", env = "MILEPOST_TITLE")]
    pub(crate) title: Option<String>,

    /// Who answers questions about the API: a name
    #[arg(long, value_name = "NAME", env = "MILEPOST_CONTACT_NAME")]
    pub(crate) contact_name: Option<String>,

    /// Their email address
    #[arg(long, value_name = "ADDRESS", env = "MILEPOST_CONTACT_EMAIL")]
    pub(crate) contact_email: Option<String>,

    /// Their page
    #[arg(long, value_name = "URL", env = "MILEPOST_CONTACT_URL")]
    pub(crate) contact_url: Option<String>,
}

impl ContactOptions {
    fn api_info(&self) -> ApiInfo {
        let mut api = ApiInfo::default();
        let replace = |text: &mut String, with: &Option<String>| {
            if let Some(with) = with {
                with.clone_into(text);
            }
        };
        replace(&mut api.title, &self.title);
        replace(&mut api.contact.name, &self.contact_name);
        replace(&mut api.contact.email, &self.contact_email);
        replace(&mut api.contact.url, &self.contact_url);
        api
    }
}

/// Which requests are logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Logged {
    /// Every one
    All,
    /// Those answered by 5xx
    Errors,
    /// None
    Off,
}

impl From<Logged> for LogLevel {
    fn from(logged: Logged) -> Self {
        match logged {
            Logged::All => Self::All,
            Logged::Errors => Self::Errors,
            Logged::Off => Self::Off,
        }
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    limits::number(text).ok_or_else(|| "a number of bytes, such as 64M".to_owned())
}

impl ServingOptions {
    pub(super) fn cache_bytes(&self) -> usize {
        usize::try_from(self.cache).unwrap_or(usize::MAX)
    }

    /// What a patch may make of a representation: the same as what may be put.
    pub(super) fn store_limits(&self) -> Result<decision::Limits, Failure> {
        let request = limits::settings(&self.limit)?.request;
        Ok(decision::Limits {
            bytes_max: request.resource_bytes_max,
            depth_max: request.depth_max,
        })
    }

    pub(super) fn listen_options(&self) -> Result<ListenOptions, Failure> {
        Ok(limits::settings(&self.limit)?.listen)
    }

    /// How long to go on as before when asked to stop.
    pub(super) fn leave_time(&self) -> Result<Duration, Failure> {
        Ok(limits::settings(&self.limit)?.leave_time)
    }

    /// What is worth knowing about limits that don't go together.
    pub(super) fn limits_warning(&self) -> Result<Option<String>, Failure> {
        let limits::Settings {
            request, listen, ..
        } = limits::settings(&self.limit)?;
        let waiting = request.waits_max.saturating_add(request.streams_max);
        let is_within = waiting < listen.connections_max;
        Ok((!is_within).then(|| {
            format!(
                "waitsMax and streamsMax, {waiting} together, may take all {} connections (connectionsMax): over HTTP/1.1 nobody else would be answered",
                listen.connections_max
            )
        }))
    }

    pub(super) fn has_tls(&self) -> bool {
        self.tls_cert.is_some()
    }

    pub(super) fn tls_files(&self) -> Result<Option<TlsFiles>, Failure> {
        match (&self.tls_cert, &self.tls_key) {
            (Some(certificates), Some(key)) => Ok(Some(TlsFiles {
                certificates: certificates.clone(),
                key: key.clone(),
            })),
            (None, None) => Ok(None),
            _ => Err(Failure::usage("--tls-cert and --tls-key belong together")),
        }
    }

    /// The service over a store, and what has its log written out when dropped.
    pub(super) fn service(
        &self,
        store: Arc<dyn Store>,
        keys: Keys,
        identity: Option<Identity>,
    ) -> Result<(Service, Option<LogFlush>), Failure> {
        let metrics = Arc::default();
        let (log, flush) = match self.log.unwrap_or(Logged::All) {
            Logged::Off => (Log::off(), None),
            logged => {
                let started = Log::start(logged.into(), std::io::stdout(), Arc::clone(&metrics));
                let (log, flush) = started.map_err(|error| Failure::file("the log", &error))?;
                (log, Some(flush))
            }
        };
        let builder = Service::builder(store)
            .limits(limits::settings(&self.limit)?.request)
            .base(&self.base)
            .map_err(|error| Failure::usage(error.to_string()))?;
        let builder = match identity {
            Some(identity) => builder.identity(identity),
            None => builder,
        };
        let service = builder
            .keys(keys)
            .api_info(self.contact.api_info())
            .cors(Cors::new(self.origins()))
            .hosts(self.hosts())
            .log(log)
            .metrics(metrics)
            .build();
        Ok((service, flush))
    }

    /// A browser here would be this machine too: it is to be led to no name but those.
    fn hosts(&self) -> Hosts {
        let is_local = self.listen.iter().all(|address| address.ip().is_loopback());
        let is_public = self.open || (self.identity.is_some() && !is_local);
        if is_public && self.host.is_empty() {
            return Hosts::Any;
        }
        Hosts::local(&self.listen, &self.host)
    }

    fn origins(&self) -> Origins {
        match &*self.cors_origin {
            // Without credentials, being on this machine is all that lets anybody in: any page that
            // is open in a browser here would be let in with its reader.
            [] if !self.open => Origins::None,
            [] => Origins::Any,
            [one] if one == "none" => Origins::None,
            [one] if one == "*" => Origins::Any,
            these => Origins::These(these.to_vec()),
        }
    }
}
