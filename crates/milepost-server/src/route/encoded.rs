//! Percent-encoding in paths: needless, or a trick.

use percent_encoding::percent_decode_str;

use super::{Stray, parse};

/// What a path with a `%` in it is instead of a route.
pub(super) fn stray(base: &str, path: &str) -> Stray {
    let mut canonical = String::with_capacity(path.len());
    for (index, segment) in path.split('/').enumerate() {
        if index > 0 {
            canonical.push('/');
        }
        match decode(segment) {
            Ok(name) => canonical.push_str(&name),
            Err(stray) => return stray,
        }
    }
    match parse(base, &canonical) {
        Ok(_) => Stray::Elsewhere(canonical),
        Err(stray) => stray,
    }
}

/// A segment with its percent-encoded bytes decoded, where they stand for unreserved characters.
fn decode(segment: &str) -> Result<String, Stray> {
    let malformed = |detail: &str| Stray::Malformed {
        segment: segment.to_owned(),
        detail: detail.to_owned(),
    };
    if !is_well_encoded(segment) {
        return Err(malformed(
            "a '%' must be followed by two hexadecimal digits",
        ));
    }
    let decoded = percent_decode_str(segment).decode_utf8();
    let decoded = decoded.map_err(|_utf8| malformed("it is not UTF-8 when decoded"))?;
    // Also keeps the loop of decode and parse from ever going a second round.
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    if decoded.bytes().all(is_unreserved) {
        Ok(decoded.into_owned())
    } else {
        Err(malformed(
            "only letters, digits, '-', '.', '_' and '~' may stand in a path here, encoded or not",
        ))
    }
}

fn is_well_encoded(segment: &str) -> bool {
    let mut pieces = segment.split('%');
    pieces.next();
    pieces
        .all(|piece| piece.len() >= 2 && piece.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}
