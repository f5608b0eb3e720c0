//! Payloads: header, nonce, ciphertext and tag, under the keys of one purpose.
//!
//! The only place that names ciphers. It is told associated data and looks at no content.
//!
//! *Random nonces.* XChaCha20-Poly1305 has 192 bits of nonce, so nodes that share a key need not agree on
//! anything: 2⁶⁴ random nonces collide with a chance of 2⁻⁶⁵.
//!
//! *No nonce.* AES-256-GCM-SIV stays secure when nonces repeat, but for telling that two equal messages are equal,
//! which is what is asked for. The nonce is all zeros. With one nonce all links of a key are
//! encrypted under one derived key: 2³² links of 16 KiB are 2⁴² blocks, which a permutation tells from a function with a
//! chance of 2⁸⁴⁻¹²⁹ = 2⁻⁴⁵. Rotate before.

use aes_gcm_siv::Aes256GcmSiv;
use chacha20poly1305::{
    Key as CipherKey, XChaCha20Poly1305, XNonce,
    aead::{Aead, KeyInit as _, Payload},
};

use crate::{
    Entropy, NoEntropy, Stamp,
    key::Subkey,
    purpose::{Purpose, Variant},
};

/// The stamp: expiry and revision.
pub(crate) const HEADER_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
#[cfg(test)]
const TAG_BYTES: usize = 16;
/// What a cipher adds at most, the header apart.
#[cfg(test)]
pub(crate) const OVERHEAD_BYTES_MAX: usize = NONCE_BYTES + TAG_BYTES;

/// What is sealed, and what it is bound to.
pub(crate) struct Plain<'a> {
    pub(crate) purpose: Purpose,
    pub(crate) stamp: Stamp,
    pub(crate) associated_data: &'a [u8],
    pub(crate) content: &'a [u8],
}

/// Seals into a payload.
pub(crate) fn seal(
    key: &Subkey,
    plain: &Plain<'_>,
    entropy: &mut dyn Entropy,
) -> Result<Vec<u8>, NoEntropy> {
    let mut payload = plain.stamp.to_bytes().to_vec();
    let message = Payload {
        msg: plain.content,
        aad: plain.associated_data,
    };
    let ciphertext = match plain.purpose.variant() {
        Variant::Randomised => {
            let mut nonce = XNonce::default();
            entropy.fill(&mut nonce)?;
            payload.extend_from_slice(&nonce);
            randomised(key).encrypt(&nonce, message)
        }
        Variant::Deterministic => deterministic(key).encrypt(&[0; 12].into(), message),
    };
    let ciphertext = ciphertext.expect("content is bounded far below what the ciphers take");
    payload.extend_from_slice(&ciphertext);
    Ok(payload)
}

/// The stamp that a payload tells, unproven, and the rest; `None` when it is too short for one.
pub(crate) fn stamp(payload: &[u8]) -> Option<(Stamp, &[u8])> {
    let (header, rest) = payload.split_first_chunk::<HEADER_BYTES>()?;
    Some((Stamp::from_bytes(*header), rest))
}

/// The content, if this key sealed it with this associated data.
pub(crate) fn open(
    key: &Subkey,
    purpose: Purpose,
    associated_data: &[u8],
    rest: &[u8],
) -> Option<Vec<u8>> {
    let message = |msg| Payload {
        msg,
        aad: associated_data,
    };
    match purpose.variant() {
        Variant::Randomised => {
            let (nonce, ciphertext) = rest.split_first_chunk::<NONCE_BYTES>()?;
            let nonce = XNonce::from(*nonce);
            randomised(key).decrypt(&nonce, message(ciphertext)).ok()
        }
        Variant::Deterministic => {
            let opened = deterministic(key).decrypt(&[0; 12].into(), message(rest));
            opened.ok()
        }
    }
}

fn randomised(key: &Subkey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&CipherKey::from(**key))
}

fn deterministic(key: &Subkey) -> Aes256GcmSiv {
    Aes256GcmSiv::new(&(**key).into())
}
