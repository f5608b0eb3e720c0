//! State that a client holds: sealed, opened, and the ring of keys for it.
//!
//! A server that keeps nothing about its clients hands them what it will need later. Where that is
//! neither a link nor an entity tag (answers given so far in a flow of several steps), it is *sealed*:
//! encrypted, so that nobody else reads it, and authenticated, so that nobody, its holder included,
//! changes it or uses it elsewhere.
//!
//! ```text
//! v1 . {key id} . base64url( expires (8) | revision (8) | nonce | ciphertext | tag (16) )
//! ```
//!
//! - [`KeyRing::seal`] and [`KeyRing::open`] are all there is to it; [`Content`] is what can be sealed.
//! - [`Context`] is what the opener must know by itself: for what, where and whose. [`Stamp`] is told by
//!   the sealed state: until when, and under which revision of what it belongs to. Both are
//!   associated data, so state of another purpose, flow, subject, revision or age doesn't open.
//! - [`Purpose`] is a closed list. Each purpose has keys of its own (HKDF-SHA-256, RFC 5869), one cipher
//!   and one type of content, so nothing sealed for one is ever read as another.
//! - A random nonce and XChaCha20-Poly1305 for state; AES-256-GCM-SIV (RFC 8452) without a nonce where
//!   equal links must be equal bytes, so that caches know them again.
//! - [`KeyFile`] keeps a ring in a file that only its owner reads.
//!
//! What is opened is authenticated before anything in it is looked at; nothing is ever decompressed.
//! Why something doesn't open is [`Reason`], for the log alone: callers are told [`StateInvalid`].
//!
//! This crate knows bytes, keys and expiry. It knows nothing of HTTP, has no clock and prints nothing.
//! The layouts are those of docs/security.md, and fixtures/ holds vectors that another implementation made.

mod cipher;
mod content;
mod context;
mod entropy;
mod invalid;
mod key;
mod limits;
mod purpose;
mod ring;
mod sealed;
mod sealing;
mod timestamp;

pub use content::Content;
pub use context::{Context, Stamp};
pub use entropy::{Entropy, NoEntropy, SystemEntropy};
pub use invalid::{Reason, StateInvalid};
pub use key::{Key, KeyId, KeyState, SECRET_BYTES, Secret};
pub use limits::{CONTENT_BYTES_MAX, KEYS_MAX, SCOPE_BYTES_MAX, SEALED_BYTES_MAX};
pub use purpose::Purpose;
pub use ring::{
    KeyRing, RingError, Rotated,
    file::{Change, KeyFile, KeyFileError},
};
pub use sealed::Sealed;
pub use sealing::{Opened, SealError, Terms};
pub use timestamp::Timestamp;
