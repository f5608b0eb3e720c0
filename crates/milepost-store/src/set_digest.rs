//! A digest of a set of resources: kept with every write, proved by a client in ten lines.

use std::fmt;

use milepost_semantics::{EntityTag, Position};
use sha2::{Digest, Sha256};

use crate::ResourceKey;

/// What is in a collection, as 256 bits: two sides that hold the same resources in the same versions
/// have the same digest, in whatever order they learnt of them.
///
/// For each resource take the SHA-256 (FIPS 180-4) of this text in UTF-8: its id, one space, and its
/// entity tag with the quotes (`17 "k3f7.1050-x7qa"`). In a child collection the ids of the resources
/// that it lies below come before its own, outermost first, joined by slashes
/// (`17/t-9 "k3f7.1050-x7qa"`). Read each hash as a number, most significant byte first, and add them
/// up modulo 2^256. The digest is the sum in 64 lower-case hexadecimal digits; that of nothing is
/// all zeros.
///
/// ```python
/// total = sum(int.from_bytes(hashlib.sha256(f'{id} {etag}'.encode()).digest()) for id, etag in held)
/// digest = f'{total % 2**256:064x}'
/// ```
///
/// It finds mistakes, not malice: who chooses versions freely can make sums meet.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct SetDigest {
    /// The sum, least significant part first.
    parts: [u64; 4],
}

impl SetDigest {
    /// Takes a resource in, in the version that the write at `position` made.
    pub fn add(&mut self, key: &ResourceKey, position: Position) {
        let mut carry = false;
        for (part, term) in self.parts.iter_mut().zip(term(key, position)) {
            let (sum, one) = part.overflowing_add(term);
            let (sum, other) = sum.overflowing_add(u64::from(carry));
            *part = sum;
            carry = one || other;
        }
    }

    /// Takes a resource out, in the version in which it was taken in.
    pub fn remove(&mut self, key: &ResourceKey, position: Position) {
        let mut borrow = false;
        for (part, term) in self.parts.iter_mut().zip(term(key, position)) {
            let (rest, one) = part.overflowing_sub(term);
            let (rest, other) = rest.overflowing_sub(u64::from(borrow));
            *part = rest;
            borrow = one || other;
        }
    }

    /// The sum as 32 bytes, most significant first.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (chunk, part) in chunks.iter_mut().zip(self.parts.iter().rev()) {
            *chunk = part.to_be_bytes();
        }
        bytes
    }

    /// The reverse of [`SetDigest::to_bytes`].
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut parts = [0; 4];
        let (chunks, _) = bytes.as_chunks::<8>();
        for (part, chunk) in parts.iter_mut().rev().zip(chunks) {
            *part = u64::from_be_bytes(*chunk);
        }
        Self { parts }
    }
}

fn term(key: &ResourceKey, position: Position) -> [u64; 4] {
    let mut hasher = Sha256::new();
    if !key.parent.as_str().is_empty() {
        hasher.update(key.parent.as_str());
        hasher.update("/");
    }
    hasher.update(key.id.as_str());
    hasher.update(" \"");
    hasher.update(EntityTag::from(position).opaque());
    hasher.update("\"");
    SetDigest::from_bytes(hasher.finalize().into()).parts
}

impl fmt::Display for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts
            .iter()
            .rev()
            .try_for_each(|part| write!(f, "{part:016x}"))
    }
}

impl fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetDigest({self})")
    }
}

#[cfg(test)]
mod tests {
    use milepost_semantics::Position;

    use super::SetDigest;
    use crate::{CollectionPath, ParentPath, ResourceKey};

    fn key(parent: &str, id: &str) -> ResourceKey {
        ResourceKey {
            collection: CollectionPath::parse("accounts.transactions").expect("a name"),
            parent: ParentPath::from_stored(parent),
            id: id.parse().expect("an id"),
        }
    }

    fn position(text: &str) -> Position {
        text.parse().expect("a position")
    }

    #[test]
    fn the_digest_is_the_sum_that_the_description_says() {
        let mut digest = SetDigest::default();
        assert_eq!(digest.to_string(), "0".repeat(64));
        digest.add(&key("", "17"), position("k3f7.1050-x7qa"));
        // printf '17 "k3f7.1050-x7qa"' | sha256sum
        assert_eq!(digest.to_string(), ONE);
        digest.add(&key("17", "t-9"), position("k3f7.1051-0000"));
        // The same of '17/t-9 "k3f7.1051-0000"', added up with Python.
        assert_eq!(digest.to_string(), BOTH);
    }

    #[test]
    fn what_is_taken_out_again_leaves_no_trace_in_any_order() {
        let (one, other) = (key("", "1"), key("9", "2"));
        let (first, second) = (position("a.1-0000"), position("a.2-0000"));
        let mut digest = SetDigest::default();
        digest.remove(&one, first);
        digest.add(&other, second);
        digest.add(&one, first);
        let mut alone = SetDigest::default();
        alone.add(&other, second);
        assert_eq!(digest, alone);
        assert_eq!(SetDigest::from_bytes(digest.to_bytes()), digest);
        digest.remove(&other, second);
        assert_eq!(digest, SetDigest::default());
    }

    const ONE: &str = "2235b8c92712a0a3993ef3d64b234b51b3609af6adb3491e35d732d0e11b4e97";
    const BOTH: &str = "d7172a0c2171aca0aaf1b414a3ceb154817504fd567f61099d8b34fe1d3e3aa2";
}
