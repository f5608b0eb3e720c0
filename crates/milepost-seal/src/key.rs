//! One key: its secret, the identifier and the subkeys that are derived from it, and where it is in its life.

use std::{fmt, str::FromStr};

use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{Entropy, NoEntropy, Purpose, Timestamp, context::DOMAIN, purpose::Variant};

/// A key's secret, in bytes.
pub const SECRET_BYTES: usize = 32;
/// What the seed of the key that signs grants is derived for.
const GRANT_INFO: &str = "grant ed25519";

/// A key's identifier, in characters.
pub(crate) const KEY_ID_CHARS: usize = 8;

/// What sealing and opening are done with.
pub(crate) type Subkey = Zeroizing<[u8; 32]>;

/// What everything of a key is derived from. It doesn't print itself, and is wiped when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; SECRET_BYTES]>);

impl Secret {
    /// A new one.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// The secret of these bytes, which must come from a source that nobody can guess.
    #[must_use]
    pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// The identifier that belongs to this secret, and tells nothing of it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
        let bytes: [u8; 8] = self.derive("key-id");
        let mut bits = u64::from_be_bytes(bytes);
        KeyId([(); KEY_ID_CHARS].map(|()| {
            let digit = usize::try_from(bits >> 59).unwrap_or_default();
            bits <<= 5;
            ALPHABET.get(digit).copied().unwrap_or(b'a')
        }))
    }

    /// HKDF-SHA-256 of the secret for one use (RFC 5869).
    fn derive<const N: usize>(&self, info: &str) -> [u8; N] {
        let mut output = [0; N];
        Hkdf::<Sha256>::new(Some(DOMAIN), self.as_bytes())
            .expand(info.as_bytes(), &mut output)
            .expect("no more than 255 times 32 bytes are asked for");
        output
    }

    fn subkey(&self, purpose: Purpose) -> Subkey {
        let cipher = match purpose.variant() {
            Variant::Randomised => "xchacha20-poly1305",
            Variant::Deterministic => "aes-256-gcm-siv",
        };
        Zeroizing::new(self.derive(&format!("{} {cipher}", purpose.name())))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Which key: eight characters of `a-z2-7`, derived from its secret, so that a damaged secret no longer
/// fits its identifier and no two keys share one by mistake.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KEY_ID_CHARS]);

impl KeyId {
    /// The identifier as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // It is made of ASCII only.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text is no key's identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key's identifier is {KEY_ID_CHARS} characters of a-z and 2-7")]
pub struct MalformedKeyId;

impl FromStr for KeyId {
    type Err = MalformedKeyId;

    fn from_str(text: &str) -> Result<Self, MalformedKeyId> {
        let bytes: [u8; KEY_ID_CHARS] = text.as_bytes().try_into().or(Err(MalformedKeyId))?;
        let is_known = |byte: &u8| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        let is_id = bytes.iter().all(is_known);
        is_id.then_some(Self(bytes)).ok_or(MalformedKeyId)
    }
}

/// Where a key is in its life. It only ever goes forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Opens, and seals nothing yet: handed to every node before any uses it.
    Created,
    /// Opens and seals. A ring has exactly one.
    Active,
    /// Opens what it sealed, and seals no more.
    Expired,
    /// Opens nothing; its secret is gone.
    Revoked,
}

impl KeyState {
    /// The state's name, as in files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

/// A key of a ring.
#[derive(Clone, Debug)]
pub struct Key {
    id: KeyId,
    state: KeyState,
    created_at: Timestamp,
    changed_at: Timestamp,
    /// None once revoked.
    material: Option<Material>,
}

/// The secret and what is derived from it.
#[derive(Clone, Debug)]
struct Material {
    secret: Secret,
    subkeys: Subkeys,
}

/// A key for each purpose.
#[derive(Clone)]
pub(crate) struct Subkeys([Subkey; Purpose::ALL.len()]);

impl Subkeys {
    /// All subkeys of a secret.
    pub(crate) fn derived(secret: &Secret) -> Self {
        Self(Purpose::ALL.map(|purpose| secret.subkey(purpose)))
    }

    /// The key of this purpose.
    pub(crate) fn of(&self, purpose: Purpose) -> &Subkey {
        let [flow_state, flow_place, link] = &self.0;
        match purpose {
            Purpose::FlowState => flow_state,
            Purpose::FlowPlace => flow_place,
            Purpose::Link => link,
        }
    }
}

impl fmt::Debug for Subkeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Subkeys")
    }
}

impl Key {
    /// A key that seals nothing yet.
    pub(crate) fn new(secret: Secret, now: Timestamp) -> Self {
        let subkeys = Subkeys::derived(&secret);
        Self {
            id: secret.id(),
            state: KeyState::Created,
            created_at: now,
            changed_at: now,
            material: Some(Material { secret, subkeys }),
        }
    }

    /// What is left of a key that was revoked.
    pub(crate) fn revoked(id: KeyId, created_at: Timestamp, changed_at: Timestamp) -> Self {
        Self {
            id,
            state: KeyState::Revoked,
            created_at,
            changed_at,
            material: None,
        }
    }

    /// The same in another state. A revoked key's secret is dropped, and wiped with it.
    pub(crate) fn become_state(&mut self, state: KeyState, now: Timestamp) {
        self.state = state;
        self.changed_at = now;
        if state == KeyState::Revoked {
            self.material = None;
        }
    }

    /// Which key it is.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// Where it is in its life.
    #[must_use]
    pub const fn state(&self) -> KeyState {
        self.state
    }

    /// When it was made.
    #[must_use]
    pub const fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When it came into its state.
    #[must_use]
    pub const fn changed_at(&self) -> Timestamp {
        self.changed_at
    }

    /// What a key that signs grants is made of: 32 bytes derived from the secret for that alone, the same on every node.
    /// `None` once revoked.
    #[must_use]
    pub fn grant_seed(&self) -> Option<Zeroizing<[u8; 32]>> {
        let secret = self.secret()?;
        Some(Zeroizing::new(secret.derive(GRANT_INFO)))
    }

    pub(crate) fn secret(&self) -> Option<&Secret> {
        self.material.as_ref().map(|material| &material.secret)
    }

    pub(crate) fn subkeys(&self) -> Option<&Subkeys> {
        self.material.as_ref().map(|material| &material.subkeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an HKDF of another make says: grants outlive changes here.
    #[test]
    fn the_seed_of_grants_is_derived_as_the_docs_say() {
        let seed: [u8; 32] = Secret::from_bytes([3; 32]).derive(GRANT_INFO);
        let told = [
            0xdc, 0xf7, 0xcd, 0xde, 0xd3, 0xbd, 0xf1, 0xb3, 0xe8, 0x96, 0xb1, 0x69, 0xc2, 0x46,
            0x3b, 0x30, 0xf5, 0x99, 0x78, 0xf2, 0xc0, 0x98, 0x9c, 0x35, 0xaa, 0xfe, 0xf3, 0x79,
            0xf5, 0x23, 0xd3, 0xad,
        ];
        assert_eq!(seed, told);
    }
}
