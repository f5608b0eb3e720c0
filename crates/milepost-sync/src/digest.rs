//! The set digest (protocol §6.8): what proves that a replica holds exactly what the server holds.
//!
//! For each resource the SHA-256 of its id, one space, and its entity tag with the quotes
//! (`17 "k3f7.1050-x7qa"`); in a child collection the ids above it come first, joined by slashes. The hashes,
//! read as numbers, are added up modulo 2^256. A sum does not depend on the order, and a change costs two
//! hashes however large the collection is.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// A digest over a set of (key, entity tag); the empty set's is zero.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct SetDigest {
    /// The sum, the least significant byte first.
    sum: [u8; 32],
}

impl SetDigest {
    /// Adds a resource, by the text of its [`crate::Key`].
    pub fn insert(&mut self, key: &str, etag: &str) {
        self.add(&hash(key, etag));
    }

    /// Takes a resource out that was put in before.
    pub fn remove(&mut self, key: &str, etag: &str) {
        self.add(&negated(hash(key, etag)));
    }

    fn add(&mut self, number: &[u8; 32]) {
        let mut carry = 0_u16;
        for (byte, other) in self.sum.iter_mut().zip(number) {
            let [low, high] = (u16::from(*byte) + u16::from(*other) + carry).to_le_bytes();
            *byte = low;
            carry = u16::from(high);
        }
    }

    /// Reads what [`fmt::Display`] writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut sum = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, at) in sum.iter_mut().rev().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self { sum })
    }
}

/// The resource's part: a little-endian number.
fn hash(key: &str, etag: &str) -> [u8; 32] {
    let mut hasher = Sha256::new();
    // Ids and names of collections alternate in a key; only the ids count.
    for (number, id) in key.split('/').step_by(2).enumerate() {
        hasher.update(if number == 0 { "" } else { "/" });
        hasher.update(id);
    }
    hasher.update(" ");
    hasher.update(etag);
    let mut bytes: [u8; 32] = hasher.finalize().into();
    bytes.reverse();
    bytes
}

/// What makes zero with the number: its two's complement.
fn negated(number: [u8; 32]) -> [u8; 32] {
    let mut result = SetDigest {
        sum: number.map(|byte| !byte),
    };
    let mut one = [0; 32];
    if let Some(lowest) = one.first_mut() {
        *lowest = 1;
    }
    result.add(&one);
    result.sum
}

impl fmt::Display for SetDigest {
    /// 64 hexadecimal digits in lower case, the most significant first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.sum.iter().rev() {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for SetDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SetDigest({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_what_is_in_it_and_not_on_the_way_there() {
        let mut one = SetDigest::default();
        one.insert("17", "\"k.1-aaaa\"");
        one.insert("18", "\"k.2-aaaa\"");
        one.insert("19", "\"k.3-aaaa\"");
        one.remove("19", "\"k.3-aaaa\"");
        let mut other = SetDigest::default();
        other.insert("18", "\"k.2-aaaa\"");
        other.insert("17", "\"k.1-aaaa\"");
        assert_eq!(one, other);
        other.remove("17", "\"k.1-aaaa\"");
        assert_ne!(one, other);
        other.remove("18", "\"k.2-aaaa\"");
        assert_eq!(other, SetDigest::default());
    }

    #[test]
    fn it_is_the_sum_that_the_protocol_says() {
        let mut digest = SetDigest::default();
        assert_eq!(digest.to_string(), "0".repeat(64));
        // printf '17 "k3f7.1050-x7qa"' | sha256sum
        digest.insert("17", "\"k3f7.1050-x7qa\"");
        let one = "2235b8c92712a0a3993ef3d64b234b51b3609af6adb3491e35d732d0e11b4e97";
        assert_eq!(digest.to_string(), one);
        // And that of '17/t-9 "k3f7.1051-0000"'.
        digest.insert("17/transactions/t-9", "\"k3f7.1051-0000\"");
        let both = "d7172a0c2171aca0aaf1b414a3ceb154817504fd567f61099d8b34fe1d3e3aa2";
        assert_eq!(digest.to_string(), both);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let mut digest = SetDigest::default();
        digest.insert("17", "\"k.1-aaaa\"");
        assert_eq!(SetDigest::parse(&digest.to_string()), Some(digest));
        assert_eq!(SetDigest::parse("12"), None);
    }
}
