//! The bounds of this crate, each with its reason. What a caller makes of them is the caller's.

/// Content of one sealed state, in bytes. Forms are smaller by far; larger things (files) are resources.
/// More is [`SealError::TooLarge`](crate::SealError::TooLarge).
pub const CONTENT_BYTES_MAX: usize = 32 * 1024;

/// Scope and subject, in bytes each: names, not documents.
pub const SCOPE_BYTES_MAX: usize = 1024;

/// A sealed state as text, in bytes: what [`CONTENT_BYTES_MAX`] comes to, and never more. Longer text is
/// refused by its length alone.
pub const SEALED_BYTES_MAX: usize = 44 * 1024;

/// Keys in a ring that can open something: each costs every node memory, and more are a mistake.
pub const KEYS_MAX: usize = 64;

/// A file of keys, in bytes: 64 keys come to less than 16 KiB, and revoked ones are few.
pub(crate) const KEY_FILE_BYTES_MAX: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cipher, key::KEY_ID_CHARS, sealed};

    #[test]
    fn the_largest_content_fits_the_longest_text() {
        let payload = cipher::HEADER_BYTES + cipher::OVERHEAD_BYTES_MAX + CONTENT_BYTES_MAX;
        let text = sealed::PREFIX.len() + KEY_ID_CHARS + 1 + payload.div_ceil(3) * 4;
        assert!(text <= SEALED_BYTES_MAX, "{text}");
    }
}
