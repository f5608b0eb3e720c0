//! What credentials a request brings along: at most one, in `Authorization` (RFC 6750 §2.1), or a grant in the URL.
//!
//! Cookies are never read. A browser adds nothing by itself that would be read here.

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use super::linked::Linked;

/// What a request brings along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presented<'r> {
    /// Nothing.
    Nothing,
    /// A token or a grant.
    Bearer(&'r str),
    /// A grant, in the URL.
    Linked(&'r str),
    /// Credentials of a scheme that isn't known here.
    Foreign,
}

/// Why credentials can't be taken as they were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("a request has one Authorization field at most: which one is meant?")]
    Twice,
    #[error("a request has one grant, in Authorization or in the URL: which one is meant?")]
    Both,
    #[error(
        "a URL carries a grant for GET or HEAD, where the service takes grants, and nothing else: use Authorization"
    )]
    InUrl,
    #[error("Authorization is of the form: Bearer, one space, and a token")]
    Malformed,
}

/// Reads what a request brings along.
pub(super) fn presented<'r>(
    fields: &'r HeaderMap,
    linked: Option<&'r Linked>,
) -> Result<Presented<'r>, Unreadable> {
    match (in_field(fields)?, linked.map(|linked| &*linked.0)) {
        (in_field, None) => Ok(in_field),
        (Presented::Nothing, Some([one])) => Ok(Presented::Linked(one)),
        (_, Some(_)) => Err(Unreadable::Both),
    }
}

fn in_field(fields: &HeaderMap) -> Result<Presented<'_>, Unreadable> {
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
    if !unpadded.is_empty() && is_token(unpadded.as_bytes()) {
        Ok(Presented::Bearer(token))
    } else {
        Err(Unreadable::Malformed)
    }
}

/// Looks at all bytes, whatever they are, and so at many at a time.
fn is_token(text: &[u8]) -> bool {
    text.iter().fold(true, |is_token, byte| {
        let is_letter = (byte | 0x20).wrapping_sub(b'a') < 26;
        // Of `-./0123456789` all, and three more.
        let is_other = byte.wrapping_sub(b'-') < 13;
        let is_mark = (*byte == b'_') | (*byte == b'~') | (*byte == b'+');
        is_token & (is_letter | is_other | is_mark)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_of(fields: &[&'static str]) -> Result<String, Unreadable> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(AUTHORIZATION, HeaderValue::from_static(field));
        }
        presented(&headers, None).map(|presented| format!("{presented:?}"))
    }

    #[test]
    fn a_token_is_made_of_the_bytes_of_a_b64token_and_no_others() {
        for byte in 0..=u8::MAX {
            let is_mark = matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/');
            let expected = byte.is_ascii_alphanumeric() || is_mark;
            assert_eq!(is_token(&[b'a', byte, b'z']), expected, "{byte}");
        }
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
