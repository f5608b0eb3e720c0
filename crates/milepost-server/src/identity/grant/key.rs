//! The key that grants are signed with: derived from a key of the ring, so that revoking that revokes them.

use biscuit_auth::{Algorithm, KeyPair, PrivateKey, PublicKey, error::Format};
use milepost_seal::{Key, KeyId, KeyRing};
use sha2::{Digest, Sha256};

/// A key that makes grants. Doesn't print its secret.
pub struct GrantKey {
    pub(super) pair: KeyPair,
    pub(super) number: u32,
}

impl std::fmt::Debug for GrantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GrantKey")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl GrantKey {
    /// The one that belongs to the ring's active key.
    #[must_use]
    pub fn active(ring: &KeyRing) -> Option<Self> {
        let active = ring.keys().find(|key| key.id() == ring.active());
        active.and_then(Self::of)
    }

    fn of(key: &Key) -> Option<Self> {
        let seed = key.grant_seed()?;
        let private = PrivateKey::from_bytes(seed.as_slice(), Algorithm::Ed25519).ok()?;
        Some(Self {
            pair: KeyPair::from(&private),
            number: number(key.id()),
        })
    }
}

/// The public half that a grant's number names, of whatever key of the ring still opens.
pub(super) fn public(ring: &KeyRing, told: Option<u32>) -> Result<PublicKey, Format> {
    let mut keys = ring.keys().filter(|key| told == Some(number(key.id())));
    let found = keys.find_map(GrantKey::of);
    found
        .map(|key| key.pair.public())
        .ok_or(Format::UnknownPublicKey)
}

/// A key's identifier as Biscuit has room for it. That of two keys may be one; then the older is tried, and what the newer signed
/// is refused: of 64 keys, one time in two million.
fn number(id: KeyId) -> u32 {
    let hash = Sha256::digest(id.as_str());
    let mut bytes = [0; 4];
    bytes.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    u32::from_be_bytes(bytes)
}
