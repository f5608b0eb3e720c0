//! What credentials a request brings along: at most one, in `Authorization` (RFC 6750 §2.1).
//!
//! Cookies are never read. A browser adds nothing by itself that would be read here.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

/// What a request brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented<'r> {
    /// Nothing.
    Nothing,
    /// A token.
    Bearer(&'r str),
    /// Credentials of a scheme that isn't known here.
    Foreign,
}

/// Why credentials can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("a request has one Authorization field at most: which one is meant?")]
    Twice,
    #[error("Authorization is of the form: Bearer, one space, and a token")]
    Malformed,
}

/// Reads what a request brings along.
pub(super) fn presented(fields: &HeaderMap) -> Result<Presented<'_>, Unreadable> {
    let mut told = fields.get_all(AUTHORIZATION).iter();
    match (told.next(), told.next()) {
        (None, _) => Ok(Presented::Nothing),
        (Some(one), None) => read(one),
        (Some(_), Some(_)) => Err(Unreadable::Twice),
    }
}

/// RFC 9110 §11.4, RFC 6750 §2.1: the scheme in any case, then a `b64token`.
fn read(field: &HeaderValue) -> Result<Presented<'_>, Unreadable> {
    let text = field.to_str().map_err(|_other| Unreadable::Malformed)?;
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(Presented::Foreign);
    }
    let token = rest.trim_start_matches(' ');
    let unpadded = token.trim_end_matches('=');
    let is_token_byte = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    if !unpadded.is_empty() && unpadded.bytes().all(is_token_byte) {
        Ok(Presented::Bearer(token))
    } else {
        Err(Unreadable::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(fields: &[&'static str]) -> Result<String, Unreadable> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(AUTHORIZATION, HeaderValue::from_static(field));
        }
        presented(&headers).map(|presented| format!("{presented:?}"))
    }

    #[test]
    fn a_request_brings_one_bearer_token_or_none() {
        assert_eq!(read_of(&[]).unwrap(), "Nothing");
        assert_eq!(read_of(&["Bearer a.b.c"]).unwrap(), "Bearer(\"a.b.c\")");
        assert_eq!(read_of(&["bEARER  a=="]).unwrap(), "Bearer(\"a==\")");
        assert_eq!(read_of(&["Basic YTpi"]).unwrap(), "Foreign");
        assert_eq!(read_of(&["Bearer a", "Bearer a"]), Err(Unreadable::Twice));
        for bad in ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer ="] {
            assert_eq!(read_of(&[bad]), Err(Unreadable::Malformed), "{bad}");
        }
    }
}
