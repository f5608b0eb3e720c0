//! Where a server is, and what a short path means there.
//!
//! `http://127.0.0.1:7070` stands for its `/v1`; a path in the address replaces that.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::exit::Failure;

/// The address that is meant when none is given.
pub(crate) const DEFAULT_ADDRESS: &str = "http://127.0.0.1:7070";
/// The base path that is meant when the address has none.
const DEFAULT_BASE: &str = "/v1";

/// A server's origin (RFC 6454) and the path its resources lie below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    origin: String,
    base: String,
    host: String,
}

impl Address {
    /// Reads `http://host[:port][/base]`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let malformed = |why: &str| {
            Failure::usage(format!("{text:?} is no server address: {why}"))
                .hint(format!("an address looks like {DEFAULT_ADDRESS}"))
        };
        let uri: Uri = text
            .parse()
            .map_err(|error| malformed(&format!("{error}")))?;
        let scheme = uri
            .scheme_str()
            .ok_or_else(|| malformed("it has no scheme"))?;
        if !matches!(scheme, "http" | "https") {
            return Err(malformed("only http and https are spoken"));
        }
        let authority = uri.authority().ok_or_else(|| malformed("it has no host"))?;
        let base = uri.path().trim_end_matches('/');
        let base = if base.is_empty() { DEFAULT_BASE } else { base };
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            base: base.to_owned(),
            host: authority.host().to_owned(),
        })
    }

    /// Scheme, host and port.
    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// The path that resources lie below, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether the server is on this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let ip: Result<IpAddr, _> = self.host.trim_matches(['[', ']']).parse();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// Whether a URL belongs to this server, so that it may see the credentials.
    pub(crate) fn is_same_origin(&self, url: &str) -> bool {
        let rest = url.strip_prefix(&self.origin);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    }

    /// The complete URL of a path below the base, of an absolute path, or of a URL.
    pub(crate) fn resolve(&self, target: &str) -> Result<String, Failure> {
        let url = if target.starts_with("http://") || target.starts_with("https://") {
            target.to_owned()
        } else if target.starts_with('/') {
            format!("{}{target}", self.origin)
        } else {
            format!(
                "{}{}/{}",
                self.origin,
                self.base,
                target.trim_start_matches("./")
            )
        };
        match url.parse::<Uri>() {
            Ok(_) => Ok(url),
            Err(error) => Err(Failure::usage(format!(
                "{target:?} is no path or URL: {error}"
            ))),
        }
    }

    /// What stands after the base in a path or URL of this server: `accounts/17`.
    pub(crate) fn relative<'a>(&self, url: &'a str) -> &'a str {
        let path = url.strip_prefix(&self.origin).unwrap_or(url);
        let below = path
            .strip_prefix(&self.base)
            .and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(path)
    }
}

/// A path as an argument: `-/collections/books` is one, though it begins like an option.
pub(crate) fn path(argument: &str) -> Result<String, String> {
    match argument.strip_prefix('-') {
        Some(rest) if !rest.starts_with('/') => Err("there is no such option".to_owned()),
        _ => Ok(argument.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).unwrap()
    }

    #[test]
    fn an_address_without_a_path_means_its_v1() {
        let here = address("http://127.0.0.1:7070/");
        assert_eq!(
            here.resolve("accounts/17").unwrap(),
            "http://127.0.0.1:7070/v1/accounts/17"
        );
        assert_eq!(
            here.resolve("/health").unwrap(),
            "http://127.0.0.1:7070/health"
        );
        assert!(here.is_loopback());
    }

    #[test]
    fn a_path_in_the_address_is_the_base() {
        let there = address("https://example.org/bank/v1");
        assert_eq!(
            there.resolve("a/1").unwrap(),
            "https://example.org/bank/v1/a/1"
        );
        assert_eq!(there.relative("https://example.org/bank/v1/a/1"), "a/1");
        assert_eq!(there.relative("/bank/v1/a/1"), "a/1");
        assert!(!there.is_loopback());
    }

    #[test]
    fn credentials_stay_with_their_server() {
        let here = address("http://example.org");
        assert!(here.is_same_origin("http://example.org/v1/a"));
        assert!(!here.is_same_origin("http://example.org.evil.test/v1/a"));
        assert!(!here.is_same_origin("https://example.org/v1/a"));
    }

    #[test]
    fn the_service_s_own_paths_are_no_options() {
        assert!(path("-/collections/books").is_ok());
        assert!(path("--jsno").is_err());
        assert!(path("-x").is_err());
    }

    #[test]
    fn what_is_no_address_is_a_usage_error() {
        for text in ["", "example.org", "ftp://example.org", "http://"] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
    }
}
