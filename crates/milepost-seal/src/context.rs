//! What sealed state is bound to, as associated data: [`Context`], which the opener brings along, and
//! [`Stamp`], which the state tells.
//!
//! The encoding is injective: every part has its length before it, so no two contexts share their bytes.

use crate::{Content, KeyId, Purpose, Timestamp, limits::SCOPE_BYTES_MAX};

/// What opens every associated data and salts every derivation: the format and its version.
pub(crate) const DOMAIN: &[u8] = b"milepost-seal-v1";

/// Where and whose a sealed state is. Its opener must bring along the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context<'a> {
    /// Where it belongs: a flow's name, a collection's. At most [`SCOPE_BYTES_MAX`] bytes.
    pub scope: &'a str,
    /// Who it was sealed for; `None` for nobody in particular. At most [`SCOPE_BYTES_MAX`] bytes.
    pub subject: Option<&'a str>,
}

impl Context<'_> {
    /// Whether scope and subject are within their bounds.
    pub(crate) fn is_bounded(&self) -> bool {
        let subject = self.subject.unwrap_or_default();
        self.scope.len() <= SCOPE_BYTES_MAX && subject.len() <= SCOPE_BYTES_MAX
    }
}

/// What a sealed state says of itself, readable by its holder and protected from change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// From this moment on it no longer opens.
    pub expires: Timestamp,
    /// The revision of what it belongs to, such as a flow's definition. What the number means is the caller's.
    pub revision: u64,
}

impl Stamp {
    /// Both numbers, big-endian, expiry first.
    pub(crate) fn to_bytes(self) -> [u8; 16] {
        let [expires, revision] = [self.expires.as_unix_seconds(), self.revision];
        let both = u128::from(expires) << 64 | u128::from(revision);
        both.to_be_bytes()
    }

    pub(crate) fn from_bytes(bytes: [u8; 16]) -> Self {
        let [
            e0,
            e1,
            e2,
            e3,
            e4,
            e5,
            e6,
            e7,
            r0,
            r1,
            r2,
            r3,
            r4,
            r5,
            r6,
            r7,
        ] = bytes;
        let expires = u64::from_be_bytes([e0, e1, e2, e3, e4, e5, e6, e7]);
        Self {
            expires: Timestamp::from_unix_seconds(expires),
            revision: u64::from_be_bytes([r0, r1, r2, r3, r4, r5, r6, r7]),
        }
    }
}

/// The associated data of a sealed thing of this content.
pub(crate) fn associated_data<C: Content>(
    key: KeyId,
    context: &Context<'_>,
    stamp: Stamp,
) -> Vec<u8> {
    let mut data = DOMAIN.to_vec();
    let purpose: Purpose = C::PURPOSE;
    push(&mut data, purpose.name().as_bytes());
    push(&mut data, key.as_str().as_bytes());
    data.extend_from_slice(&stamp.to_bytes());
    push(&mut data, context.scope.as_bytes());
    match context.subject {
        None => data.push(0),
        Some(subject) => {
            data.push(1);
            push(&mut data, subject.as_bytes());
        }
    }
    data
}

/// The length as 8 bytes, big-endian, then the bytes.
fn push(data: &mut Vec<u8>, part: &[u8]) {
    // No slice is longer than u64 counts.
    let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(part);
}
