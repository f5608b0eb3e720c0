//! Where requests go: origins, and URLs taken apart and resolved (RFC 3986, as far as http needs).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A URL that can't be audited.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{url} is no http or https URL")]
pub(crate) struct MalformedUrl {
    /// The text.
    pub(crate) url: String,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct Origin {
    /// Whether it is https.
    pub(crate) tls: bool,
    /// The host without brackets.
    pub(crate) host: String,
    /// The port, the scheme's default included.
    pub(crate) port: u16,
}

/// An origin and a path with query on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) origin: Origin,
    pub(crate) target: String,
}

impl Place {
    /// Parses an absolute URL; the fragment is dropped.
    pub(crate) fn parse(url: &str) -> Result<Self, MalformedUrl> {
        let malformed = || MalformedUrl {
            url: url.to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "http" => false,
            "https" => true,
            _ => return Err(malformed()),
        };
        let rest = rest.split('#').next().unwrap_or(rest);
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = split_authority(authority, tls).ok_or_else(malformed)?;
        let is_writable = |c: char| c.is_ascii_graphic();
        if host.is_empty() || !target.chars().all(is_writable) {
            return Err(malformed());
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Self {
            origin: Origin { tls, host, port },
            target: format!("{slash}{target}"),
        })
    }

    /// The path without the query and without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        let path = self.target.split('?').next().unwrap_or_default();
        path.trim_end_matches('/')
    }
}

fn split_authority(authority: &str, tls: bool) -> Option<(String, u16)> {
    let default = if tls { 443 } else { 80 };
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        let port = port
            .strip_prefix(':')
            .map_or(Some(default), |port| port.parse().ok())?;
        return Some((host.to_owned(), port));
    }
    match authority.rsplit_once(':') {
        Some((host, port)) => Some((host.to_ascii_lowercase(), port.parse().ok()?)),
        None => Some((authority.to_ascii_lowercase(), default)),
    }
}

impl Origin {
    /// As it stands in `Host`: without the port where that is the scheme's own.
    pub(crate) fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        let default = if self.tls { 443 } else { 80 };
        if self.port == default {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

/// The target that a reference means where it was read, if it stays on the origin.
pub(crate) fn resolve(origin: &Origin, at: &str, reference: &str) -> Option<String> {
    let reference = reference.split('#').next().unwrap_or_default().trim();
    if reference.is_empty() || !reference.chars().all(|c| c.is_ascii_graphic()) {
        return None;
    }
    if reference.contains("://") {
        let place = Place::parse(reference).ok()?;
        return (place.origin == *origin).then_some(place.target);
    }
    if reference.starts_with("//") || has_scheme(reference) {
        return None;
    }
    let path = at.split('?').next().unwrap_or_default();
    if reference.starts_with('?') {
        return Some(format!("{path}{reference}"));
    }
    let joined = if reference.starts_with('/') {
        reference.to_owned()
    } else {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{folder}/{reference}")
    };
    Some(without_dots(&joined))
}

fn has_scheme(reference: &str) -> bool {
    let first = reference.split(['/', '?']).next().unwrap_or_default();
    let is_letter = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    first
        .split_once(':')
        .is_some_and(|(scheme, _)| scheme.chars().all(is_letter))
}

/// RFC 3986 §5.2.4.
fn without_dots(target: &str) -> String {
    let (path, query) = target
        .split_once('?')
        .map_or((target, None), |(path, query)| (path, Some(query)));
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path.split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." && kept.len() > 1 {
                    kept.pop();
                }
                // A folder is meant, and its name ends with a slash.
                if is_last {
                    kept.push("");
                }
            }
            segment => kept.push(segment),
        }
    }
    let path = kept.join("/");
    query.map_or(path.clone(), |query| format!("{path}?{query}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        let place = Place::parse("http://127.0.0.1:8080/v1/?a=b#c").unwrap();
        assert_eq!(place.origin.to_string(), "http://127.0.0.1:8080");
        assert_eq!((place.target.as_str(), place.base()), ("/v1/?a=b", "/v1"));
        let six = Place::parse("https://[::1]").unwrap();
        assert_eq!(six.origin.authority(), "[::1]");
        for wrong in [
            "ftp://a/",
            "http://",
            "nonsense",
            "http://a:b/",
            "http://a/ b",
        ] {
            assert!(Place::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn references_resolve_and_never_leave_the_origin() {
        let origin = Place::parse("http://127.0.0.1:1/").unwrap().origin;
        let resolve = |reference| resolve(&origin, "/a/b?c", reference);
        assert_eq!(resolve("d").as_deref(), Some("/a/d"));
        assert_eq!(resolve("../d?x").as_deref(), Some("/d?x"));
        assert_eq!(resolve("?q=1").as_deref(), Some("/a/b?q=1"));
        for up in ["..", "../", "../..", "/."] {
            assert_eq!(resolve(up).as_deref(), Some("/"), "{up}");
        }
        assert_eq!(resolve(".").as_deref(), Some("/a/"));
        assert_eq!(resolve("http://127.0.0.1:1/z").as_deref(), Some("/z"));
        for foreign in [
            "//evil.example/",
            "http://127.0.0.1:2/",
            "mailto:a@b",
            "http://10.0.0.1/",
        ] {
            assert_eq!(resolve(foreign), None, "{foreign}");
        }
    }
}
