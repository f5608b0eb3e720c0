//! URLs as a follower needs them: taken apart, joined, compared (RFC 3986).
//!
//! Only `http` and `https`. What a path means is the server's business; nothing is normalised but
//! scheme, host and default port, since a link is to be asked for exactly as it was given.

use std::fmt;

use http::Uri;
use percent_encoding::percent_decode_str;

/// A URL without fragment: scheme, authority, path, and a query where there is one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Url {
    /// `https://example.org:8443`, in lower case, without the scheme's default port.
    origin: String,
    /// Begins with a slash.
    path: String,
    /// Without the question mark.
    query: Option<String>,
}

/// The text is no URL that can be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no http or https URL")]
pub struct MalformedUrl {
    /// What was given.
    pub text: String,
}

impl Url {
    /// Reads a complete URL.
    ///
    /// # Errors
    /// When it is malformed, has another scheme than `http` or `https`, or no host.
    pub fn parse(text: &str) -> Result<Self, MalformedUrl> {
        Self::parsed(text).ok_or_else(|| MalformedUrl {
            text: text.to_owned(),
        })
    }

    fn parsed(text: &str) -> Option<Self> {
        let text = text.split('#').next()?;
        let uri: Uri = text.parse().ok()?;
        let scheme = uri.scheme_str()?.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let authority = uri.authority()?;
        let host = authority.host().to_ascii_lowercase();
        let has_user = authority.as_str().contains('@');
        if host.is_empty() || has_user {
            return None;
        }
        let port = authority.port_u16().filter(|port| *port != default_port);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(Self {
            origin: format!("{scheme}://{host}{port}"),
            path: match uri.path() {
                "" => "/".to_owned(),
                path => path.to_owned(),
            },
            query: uri.query().map(str::to_owned),
        })
    }

    /// Scheme, host and port.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether the host is this machine, by name or address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let authority = self.origin.split("//").nth(1).unwrap_or_default();
        let host = match authority.strip_prefix('[') {
            Some(rest) => rest.split(']').next().unwrap_or_default(),
            None => authority.split(':').next().unwrap_or_default(),
        };
        let ip: Result<std::net::IpAddr, _> = host.parse();
        host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }

    /// The path, with the slash it begins with.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Path and query: the link as a replica keeps it, good under every name of the server.
    #[must_use]
    pub fn to_reference(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// Whether both have the same scheme, host and port (RFC 6454 §5).
    #[must_use]
    pub fn is_same_origin(&self, other: &Self) -> bool {
        self.origin == other.origin
    }

    /// What a reference means here (RFC 3986 §5.2): a URL, `//host/path`, `/path`, `path`, `?query`.
    ///
    /// # Errors
    /// When the result is no URL.
    pub fn join(&self, reference: &str) -> Result<Self, MalformedUrl> {
        let reference = reference.split('#').next().unwrap_or_default();
        if has_scheme(reference) {
            return Self::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            let scheme = self.origin.split("//").next().unwrap_or_default();
            return Self::parse(&format!("{scheme}//{rest}"));
        }
        if reference.is_empty() {
            return Ok(self.clone());
        }
        let (path, query) = match reference.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (reference, None),
        };
        let path = match path {
            "" => self.path.clone(),
            absolute if absolute.starts_with('/') => without_dots(absolute),
            relative => {
                let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                without_dots(&format!("{folder}/{relative}"))
            }
        };
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        Self::parse(&format!("{}{path}{query}", self.origin))
    }

    /// The pairs of the query, percent-decoded, in the order they stand in.
    #[must_use]
    pub fn pairs(&self) -> Vec<(String, String)> {
        let pairs = self.query.as_deref().unwrap_or_default().split('&');
        pairs
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
                (decoded(key), decoded(value))
            })
            .collect()
    }

    /// The same URL with this pair, in the place where an ordered query has it; a pair of the same
    /// key is replaced. `key` and `value` stand in it as they are: letters and digits only.
    #[must_use]
    pub fn with_pair(&self, key: &str, value: &str) -> Self {
        let mut pairs = self.others(key);
        let at = pairs.iter().position(|pair| key_of(pair) > key);
        let pair = format!("{key}={value}");
        pairs.insert(at.unwrap_or(pairs.len()), &pair);
        Self {
            query: Some(pairs.join("&")),
            ..self.clone()
        }
    }

    /// The same URL without the pairs of this key.
    #[must_use]
    pub fn without_pair(&self, key: &str) -> Self {
        let pairs = self.others(key);
        Self {
            query: (!pairs.is_empty()).then(|| pairs.join("&")),
            ..self.clone()
        }
    }

    /// The pairs of other keys, as they stand.
    fn others(&self, key: &str) -> Vec<&str> {
        let pairs = self.query.as_deref().unwrap_or_default().split('&');
        pairs
            .filter(|pair| !pair.is_empty() && key_of(pair) != key)
            .collect()
    }
}

fn key_of(pair: &str) -> &str {
    pair.split('=').next().unwrap_or_default()
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.origin, self.to_reference())
    }
}

/// Whether a reference begins with a scheme (RFC 3986 §3.1).
fn has_scheme(reference: &str) -> bool {
    let end = reference.find([':', '/', '?']);
    let Some(scheme) = end.and_then(|end| reference.get(..end)) else {
        return false;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme
        && reference
            .get(scheme.len()..)
            .is_some_and(|rest| rest.starts_with(':'))
}

/// RFC 3986 §5.2.4, for a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.split('/').skip(1) {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let end = if ends_in_folder && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", kept.join("/"))
}

/// A part of a query, as forms write it; what is no UTF-8 is replaced.
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(base: &str, reference: &str) -> String {
        let base = Url::parse(base).unwrap();
        base.join(reference).unwrap().to_string()
    }

    #[test]
    fn references_are_joined_as_rfc_3986_says() {
        let base = "http://h:8080/v1/accounts/changes/k.1-aaaa?owner=ada";
        for (reference, url) in [
            ("/v1/accounts", "http://h:8080/v1/accounts"),
            (
                "k.2-bbbb?owner=ada",
                "http://h:8080/v1/accounts/changes/k.2-bbbb?owner=ada",
            ),
            (
                "../snapshots/k.2-bbbb",
                "http://h:8080/v1/accounts/snapshots/k.2-bbbb",
            ),
            (
                "?wait=20",
                "http://h:8080/v1/accounts/changes/k.1-aaaa?wait=20",
            ),
            ("//other/x", "http://other/x"),
            ("https://other/x#y", "https://other/x"),
            ("", base),
            ("..", "http://h:8080/v1/accounts/"),
        ] {
            assert_eq!(joined(base, reference), url, "{reference}");
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port_in_one_writing() {
        let url = |text| Url::parse(text).unwrap();
        assert!(url("HTTP://Example.org:80/a").is_same_origin(&url("http://example.org/b")));
        assert!(!url("http://example.org/").is_same_origin(&url("https://example.org/")));
        assert!(!url("http://example.org/").is_same_origin(&url("http://example.org.evil.test/")));
        assert!(url("http://[::1]:7070/").is_loopback());
        assert!(url("http://127.0.0.1:7070/").is_loopback());
        assert!(!url("http://127.0.0.1.evil.test/").is_loopback());
        for text in ["", "/v1", "ftp://h/", "http://user@h/", "http://"] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_pair_is_put_where_an_ordered_query_has_it() {
        let url = Url::parse("http://h/a?owner=ada&tick=3&wait=1&zip=x").unwrap();
        assert_eq!(
            url.with_pair("wait", "20").to_reference(),
            "/a?owner=ada&tick=3&wait=20&zip=x"
        );
        assert_eq!(
            Url::parse("http://h/a")
                .unwrap()
                .with_pair("wait", "5")
                .to_reference(),
            "/a?wait=5"
        );
        assert_eq!(
            url.without_pair("wait").to_reference(),
            "/a?owner=ada&tick=3&zip=x"
        );
    }
}
