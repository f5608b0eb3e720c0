//! Which URLs a grant is for: one, to the letter, or a path and all below it. Nothing is decoded, normalised or guessed: what is
//! written otherwise is another URL.

use http::request::Parts;

use super::GrantError;

/// The query key that carries a grant (RFC 6750 §2.3).
pub(in crate::identity) const URL_NAME: &str = "access_token";

/// What a request asks for: the method, with `HEAD` as `GET` (RFC 9110 §9.3.2), and the URL without credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asked<'r> {
    pub(super) method: &'r str,
    pub(super) path: &'r str,
    pub(super) query: &'r str,
}

impl<'r> Asked<'r> {
    pub(super) fn of(request: &'r Parts) -> Self {
        let method = match request.method.as_str() {
            "HEAD" => "GET",
            other => other,
        };
        Self {
            method,
            path: request.uri.path(),
            query: request.uri.query().unwrap_or_default(),
        }
    }
}

/// The URLs that something is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// Without a slash at its end, where all below it is meant.
    pub(super) path: String,
    /// Without its question mark; empty for none, and where all below is meant.
    pub(super) query: String,
    pub(super) below: bool,
}

impl Target {
    /// Reads path and query, as they stand in a URL behind the host.
    pub(super) fn parse(url: &str, below: bool) -> Result<Self, GrantError> {
        let (path, query) = url.split_once('?').unwrap_or((url, ""));
        let target = Self {
            path: if below {
                path.strip_suffix('/').unwrap_or(path).to_owned()
            } else {
                path.to_owned()
            },
            query: query.to_owned(),
            below,
        };
        match fault(path, query, below) {
            None => Ok(target),
            Some(detail) => Err(GrantError::Url {
                url: url.to_owned(),
                detail,
            }),
        }
    }

    /// Whether a URL is among them.
    pub(super) fn reaches(&self, path: &str, query: &str) -> bool {
        if self.below {
            let rest = path.strip_prefix(&*self.path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        } else {
            path == self.path && query == self.query
        }
    }

    /// Whether all of another's URLs are among them.
    pub(super) fn holds(&self, other: &Self) -> bool {
        if self.below {
            self.reaches(&other.path, &other.query)
        } else {
            self == other
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.below, &*self.query) {
            (true, _) => write!(f, "{}/ and all below it", self.path),
            (false, "") => f.write_str(&self.path),
            (false, query) => write!(f, "{}?{query}", self.path),
        }
    }
}

/// What keeps a URL from being granted.
fn fault(path: &str, query: &str, below: bool) -> Option<&'static str> {
    let is_path_byte =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/');
    let is_query_byte = |byte: u8| byte.is_ascii_graphic() && !b"\"#<>\\".contains(&byte);
    if !path.starts_with('/') || !path.bytes().all(is_path_byte) {
        Some(
            "its path begins with a slash, and has letters, digits, '-', '.', '_' and '~' between slashes, not encoded",
        )
    } else if path.split('/').any(|segment| matches!(segment, "." | "..")) {
        Some("a path has no '.' or '..' here")
    } else if !query.bytes().all(is_query_byte) {
        Some("its query has to be percent-encoded as the request will have it")
    } else if below && !query.is_empty() {
        Some("all below a path is meant with any query: leave the query out")
    } else if query.split('&').any(is_credential) {
        Some("it carries a grant already: leave access_token out")
    } else {
        None
    }
}

fn is_credential(pair: &str) -> bool {
    pair.split('=').next() == Some(URL_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn below(path: &str) -> Target {
        Target::parse(path, true).unwrap()
    }

    #[test]
    fn one_url_is_meant_to_the_letter() {
        let one = Target::parse("/v1/a?b=1&c", false).unwrap();
        assert!(one.reaches("/v1/a", "b=1&c"));
        for (path, query) in [
            ("/v1/a", ""),
            ("/v1/a", "c&b=1"),
            ("/v1/a", "b=1&c&d"),
            ("/v1/a/", "b=1&c"),
            ("/v1/A", "b=1&c"),
            ("/v1/%61", "b=1&c"),
        ] {
            assert!(!one.reaches(path, query), "{path} {query}");
        }
    }

    #[test]
    fn below_a_path_is_that_path_and_what_has_it_before_a_slash() {
        for reaching in [below("/v1/a"), below("/v1/a/")] {
            assert!(reaching.reaches("/v1/a", "b"));
            assert!(reaching.reaches("/v1/a/b", ""));
            assert!(!reaching.reaches("/v1/ab", ""));
            assert!(!reaching.reaches("/v1/", ""));
        }
        assert!(below("/").reaches("/v1/a", ""));
        assert!(below("/v1/a").holds(&below("/v1/a/b")));
        assert!(!below("/v1/a/b").holds(&below("/v1/a")));
    }

    #[test]
    fn what_no_request_can_ask_for_is_not_granted() {
        for (url, is_below) in [
            ("v1/a", false),
            ("", false),
            ("/v1/%61", false),
            ("/v1/../a", false),
            ("/v1/./a", true),
            ("/v1/a b", false),
            ("/v1/ä", false),
            ("/v1/a?b=\"", false),
            ("/v1/a?b#c", false),
            ("/v1/a?b", true),
            ("/v1/a?access_token=x", false),
        ] {
            assert!(Target::parse(url, is_below).is_err(), "{url}");
        }
    }
}
