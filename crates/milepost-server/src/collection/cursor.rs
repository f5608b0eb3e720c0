//! Where a page ended, as it stands in a URL's `after`: opaque to clients, and nothing the server
//! would have to remember.
//!
//! In the plain order of one parent's resources it is the last id. Otherwise it is the store's
//! [`Cursor`], in base64url: number of values, each value with its length, then parent and id.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_store::{Cursor, ParentPath};

use crate::route::Address;

/// More values than any order has.
const VALUES_MAX: usize = 64;

/// Writes a cursor. `plain`: the order is that of ids alone.
pub(crate) fn encode(cursor: &Cursor, address: &Address, plain: bool) -> String {
    if plain && address.parent().is_some() {
        return cursor.id.as_str().to_owned();
    }
    let mut bytes = Vec::with_capacity(64);
    bytes.push(u8::try_from(cursor.values.len()).unwrap_or(u8::MAX));
    for value in &cursor.values {
        // An encoded value has at most some 1,027 bytes, so its length fits.
        bytes.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(value);
    }
    bytes.extend_from_slice(cursor.parent.as_str().as_bytes());
    bytes.push(0);
    bytes.extend_from_slice(cursor.id.as_str().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads what [`encode`] wrote; `None` where it can't have been for such a listing.
pub(crate) fn decode(text: &str, address: &Address, plain: bool) -> Option<Cursor> {
    if let Some(parent) = address.parent().filter(|_| plain) {
        return Some(Cursor {
            values: Vec::new(),
            parent: parent.clone(),
            id: text.parse().ok()?,
        });
    }
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (count, mut rest) = bytes.split_first()?;
    let count = usize::from(*count);
    if count > VALUES_MAX {
        return None;
    }
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (value, behind) = behind.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        values.push(value.to_vec());
        rest = behind;
    }
    let (parent, id) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
    let is_path = parent.is_empty()
        || parent
            .split('/')
            .all(|id| id.parse::<milepost_semantics::ResourceId>().is_ok());
    let id = id.parse().ok()?;
    is_path.then(|| Cursor {
        values,
        parent: ParentPath::from_stored(parent),
        id,
    })
}
