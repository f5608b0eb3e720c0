//! Where databases are, as people write it, taken apart into places that are tried one by one.
//!
//! Nothing here connects. What is shown of an address never holds its password.

use std::{fmt, path::PathBuf, time::Duration};

use tokio_postgres::{
    Config,
    config::{Host, SslMode, TargetSessionAttrs},
};

use crate::OpenError;

/// How long one server has to answer a connection's beginning.
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(3);
/// The port of servers that name none.
const PORT: u16 = 5432;

/// Where a database is, and who asks.
#[derive(Clone, Debug)]
pub struct Address {
    /// Everything but the places.
    settings: Config,
    places: Vec<Place>,
    /// The file of `sslrootcert`, where the address names one.
    root_certificates: Option<PathBuf>,
}

/// A server, by name and port or by the folder of its socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: Host,
    pub(crate) port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => write!(formatter, "[{name}]:{}", self.port),
            Host::Tcp(name) => write!(formatter, "{name}:{}", self.port),
            Host::Unix(folder) => write!(formatter, "{}", folder.display()),
        }
    }
}

impl Address {
    /// Reads a URL (`postgres://user@host:5432/name`, with several hosts `postgres://one,other:5433/name`)
    /// or libpq's `key=value` pairs; of libpq's further settings also `sslrootcert`, and
    /// `sslmode=verify-full`, which is what `sslmode=require` means here.
    ///
    /// # Errors
    /// [`OpenError::MalformedAddress`], without the address, as that may hold a password.
    pub fn parse(text: &str) -> Result<Self, OpenError> {
        let (plain, root_certificates) = without_trust(text);
        let malformed = |detail: String| OpenError::MalformedAddress { detail };
        let config: Config = plain
            .parse()
            .map_err(|error| malformed(why_malformed(&plain, &error)))?;
        let places = places(&config).map_err(malformed)?;
        let mut settings = settings(&config);
        if root_certificates.is_some() {
            settings.ssl_mode(SslMode::Require);
        }
        Ok(Self {
            settings,
            places,
            root_certificates,
        })
    }

    /// The same with this password.
    #[must_use]
    pub fn with_password(mut self, password: &str) -> Self {
        self.settings.password(password);
        self
    }

    /// The same over TLS only.
    #[must_use]
    pub fn with_tls(mut self) -> Self {
        self.settings.ssl_mode(SslMode::Require);
        self
    }

    /// Whether it holds a password.
    #[must_use]
    pub fn has_password(&self) -> bool {
        self.settings.get_password().is_some()
    }

    /// Whether nothing but TLS will do.
    #[must_use]
    pub fn has_tls(&self) -> bool {
        self.settings.get_ssl_mode() == SslMode::Require
    }

    /// The file of certificates that the address itself names (`sslrootcert`).
    #[must_use]
    pub fn root_certificates(&self) -> Option<&PathBuf> {
        self.root_certificates.as_ref()
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Who asks, as far as the address says it.
    pub(crate) fn user(&self) -> &str {
        self.settings.get_user().unwrap_or("the system's user")
    }

    /// Which database is meant.
    pub(crate) fn database(&self) -> &str {
        self.settings.get_dbname().unwrap_or_else(|| self.user())
    }

    /// What connecting to one place takes.
    pub(crate) fn at(&self, place: &Place, only: TargetSessionAttrs) -> Config {
        let mut config = self.settings.clone();
        match &place.host {
            Host::Tcp(name) => config.host(name),
            Host::Unix(folder) => config.host_path(folder),
        };
        config.port(place.port).target_session_attrs(only);
        config
    }
}

/// For people: which database on which servers, never the password.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let places: Vec<String> = self.places.iter().map(Place::to_string).collect();
        write!(formatter, "{} on {}", self.database(), places.join(", "))
    }
}

/// The address without what only libpq knows, and the file of certificates that it names.
fn without_trust(text: &str) -> (String, Option<PathBuf>) {
    let is_url = text.starts_with("postgres://") || text.starts_with("postgresql://");
    let (head, parameters, separator) = match text.split_once('?') {
        Some((head, parameters)) if is_url => (format!("{head}?"), parameters, "&"),
        _ if is_url => return (text.to_owned(), None),
        _ => (String::new(), text, " "),
    };
    let mut certificates = None;
    let mut kept = Vec::new();
    for parameter in parameters.split(separator) {
        match parameter.split_once('=') {
            Some(("sslrootcert", file)) => certificates = Some(PathBuf::from(file)),
            Some(("sslmode", "verify-full" | "verify-ca")) => kept.push("sslmode=require"),
            _ => kept.push(parameter),
        }
    }
    (head + &kept.join(separator), certificates)
}

/// What is wrong, without quoting what may be a part of a password.
fn why_malformed(text: &str, error: &tokio_postgres::Error) -> String {
    if text.matches('@').count() > 1
        || text
            .split_once('?')
            .is_some_and(|(_, rest)| rest.contains('@'))
    {
        return "in a password of a URL, @ / ? # and % are written %40 %2F %3F %23 and %25"
            .to_owned();
    }
    let cause = std::error::Error::source(error);
    cause.map_or_else(|| error.to_string(), ToString::to_string)
}

fn places(config: &Config) -> Result<Vec<Place>, String> {
    let mut hosts = config.get_hosts().to_vec();
    if !config.get_hostaddrs().is_empty() {
        return Err("hostaddr is not supported: name the host".to_owned());
    }
    if hosts.is_empty() {
        hosts.push(Host::Tcp("localhost".to_owned()));
    }
    let ports = config.get_ports();
    if ports.len() > 1 && ports.len() != hosts.len() {
        return Err("there are not as many ports as hosts".to_owned());
    }
    let port = |at: usize| ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
    let places = hosts.into_iter().enumerate();
    Ok(places
        .map(|(at, host)| Place {
            host,
            port: port(at),
        })
        .collect())
}

/// Everything of a configuration but hosts and ports.
fn settings(config: &Config) -> Config {
    let mut settings = Config::new();
    if let Some(user) = config.get_user() {
        settings.user(user);
    }
    if let Some(password) = config.get_password() {
        settings.password(password);
    }
    if let Some(name) = config.get_dbname() {
        settings.dbname(name);
    }
    if let Some(options) = config.get_options() {
        settings.options(options);
    }
    settings
        .application_name(config.get_application_name().unwrap_or("milepost"))
        .ssl_mode(config.get_ssl_mode())
        .ssl_negotiation(config.get_ssl_negotiation())
        .channel_binding(config.get_channel_binding())
        .connect_timeout(*config.get_connect_timeout().unwrap_or(&CONNECT_MAX))
        .keepalives(config.get_keepalives())
        .keepalives_idle(config.get_keepalives_idle());
    settings
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Address;

    #[test]
    fn an_address_is_taken_apart_into_places_and_shown_without_its_password() {
        let address = Address::parse("postgres://ada:hush@one,other:5433/books").expect("a URL");
        assert_eq!(address.to_string(), "books on one:5432, other:5433");
        assert!(address.has_password() && !address.has_tls());
        assert!(!format!("{address:?}").contains("hush"));
        let pairs = Address::parse("host=/run/postgresql user=ada").expect("pairs");
        assert_eq!(pairs.to_string(), "ada on /run/postgresql");
    }

    #[test]
    fn tls_is_asked_for_as_libpq_is_asked() {
        for text in [
            "postgres://ada@one/books?sslmode=verify-full&sslrootcert=/etc/ca.pem",
            "host=one user=ada sslmode=verify-full sslrootcert=/etc/ca.pem dbname=books",
        ] {
            let address = Address::parse(text).expect("an address");
            assert!(address.has_tls());
            let file = address.root_certificates().map(AsRef::as_ref);
            assert_eq!(file, Some(Path::new("/etc/ca.pem")));
            assert_eq!(address.to_string(), "books on one:5432");
        }
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said_without_its_password() {
        for (text, said) in [
            (
                "postgres://ada:hu@sh@one/books?sslmode=no",
                "are written %40",
            ),
            ("postgres://ada:hush@one/books?sslmode=no", "sslmode"),
            ("postgres://ada:hush@one/books?cow=1", "cow"),
            ("postgres://ada:hush@one,two,three:1,four:x/books", "port"),
        ] {
            let error = Address::parse(text).expect_err("is malformed").to_string();
            assert!(error.contains(said), "{error}");
            assert!(!error.contains("hush") && !error.contains("sh@"), "{error}");
        }
    }
}
