//! `Repr-Digest`, `Content-Digest` and `Want-Repr-Digest` (RFC 9530): what a representation's bytes
//! hash to.
//!
//! Reads and writes the fields, as structured fields (RFC 9651); hashing is the caller's. Only the
//! two algorithms that are not deprecated are known.

use http::header::{HeaderMap, HeaderName, HeaderValue};
use sfv::{BareItem, Dictionary, Key, ListEntry, Parser};

use crate::field::{MalformedField, combined};

/// The digest of the selected representation.
pub const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// The digest of a message's content.
pub const CONTENT_DIGEST: HeaderName = HeaderName::from_static("content-digest");

/// Asks for a `Repr-Digest`.
pub const WANT_REPR_DIGEST: HeaderName = HeaderName::from_static("want-repr-digest");

/// A hash algorithm of the registry whose status is "Active".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DigestAlgorithm {
    /// `sha-256`, 32 bytes.
    Sha256,
    /// `sha-512`, 64 bytes.
    Sha512,
}

impl DigestAlgorithm {
    /// Every algorithm, the cheaper first.
    pub const ALL: [Self; 2] = [Self::Sha256, Self::Sha512];

    /// The key in the fields.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha512 => "sha-512",
        }
    }

    /// How many bytes the hash has.
    #[must_use]
    pub const fn digest_bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// The value of `Repr-Digest` or `Content-Digest` with one hash; `None` when the hash is not of the
/// algorithm's length.
#[must_use]
pub fn digest_value(algorithm: DigestAlgorithm, hash: &[u8]) -> Option<HeaderValue> {
    if hash.len() != algorithm.digest_bytes() {
        return None;
    }
    let mut dictionary = sfv::DictSerializer::new();
    dictionary.bare_item(sfv::KeyRef::from_str(algorithm.key()).ok()?, hash);
    HeaderValue::try_from(dictionary.finish()?).ok()
}

/// The hashes in a `Repr-Digest` or `Content-Digest` field, of the algorithms known here.
///
/// # Errors
/// When it is no dictionary, or a hash is no byte sequence of its algorithm's length.
pub fn digests(
    headers: &HeaderMap,
    field: &HeaderName,
) -> Result<Vec<(DigestAlgorithm, Vec<u8>)>, MalformedField> {
    let Some((text, dictionary)) = dictionary(headers, field)? else {
        return Ok(Vec::new());
    };
    let mut digests = Vec::new();
    for algorithm in DigestAlgorithm::ALL {
        match member(&dictionary, algorithm) {
            None => {}
            Some(BareItem::ByteSequence(hash)) if hash.len() == algorithm.digest_bytes() => {
                digests.push((algorithm, hash.clone()));
            }
            Some(_) => {
                let bytes = algorithm.digest_bytes();
                let detail = format!("{} is a byte sequence of {bytes} bytes", algorithm.key());
                return Err(MalformedField::new(field, &detail, text.as_bytes()));
            }
        }
    }
    Ok(digests)
}

/// The algorithm that `Want-Repr-Digest` wants most: the highest preference from 1 to 10, the
/// cheaper one of equals. `None` when it wants none, or none known here.
///
/// # Errors
/// When it is no dictionary of integers from 0 to 10.
pub fn wanted_digest(headers: &HeaderMap) -> Result<Option<DigestAlgorithm>, MalformedField> {
    let Some((text, dictionary)) = dictionary(headers, &WANT_REPR_DIGEST)? else {
        return Ok(None);
    };
    let mut wanted: Option<(DigestAlgorithm, i64)> = None;
    for algorithm in DigestAlgorithm::ALL {
        let preference = match member(&dictionary, algorithm) {
            None => continue,
            Some(BareItem::Integer(preference)) => i64::from(*preference),
            Some(_) => -1,
        };
        if !(0..=10).contains(&preference) {
            let detail = "preferences are integers from 0 to 10";
            return Err(MalformedField::new(
                &WANT_REPR_DIGEST,
                detail,
                text.as_bytes(),
            ));
        }
        let is_better = wanted.is_none_or(|(_, best)| preference > best);
        if preference > 0 && is_better {
            wanted = Some((algorithm, preference));
        }
    }
    Ok(wanted.map(|(algorithm, _)| algorithm))
}

fn dictionary(
    headers: &HeaderMap,
    field: &HeaderName,
) -> Result<Option<(String, Dictionary)>, MalformedField> {
    let Some(text) = combined(headers, field)? else {
        return Ok(None);
    };
    match Parser::new(&text).parse::<Dictionary>() {
        Ok(dictionary) => Ok(Some((text, dictionary))),
        Err(error) => {
            let detail = format!("it is no dictionary (RFC 9651): {error}");
            Err(MalformedField::new(field, &detail, text.as_bytes()))
        }
    }
}

/// The member of an algorithm; an inner list counts as one of the wrong type.
fn member(dictionary: &Dictionary, algorithm: DigestAlgorithm) -> Option<&BareItem> {
    const WRONG: &BareItem = &BareItem::Boolean(false);
    let key = Key::from_string(algorithm.key().to_owned()).ok()?;
    match dictionary.get(&key)? {
        ListEntry::Item(item) => Some(&item.bare_item),
        ListEntry::InnerList(_) => Some(WRONG),
    }
}
