//! Sealing and opening with a ring: which key, in which order things are checked, and what comes of it.

use zeroize::Zeroizing;

use crate::{
    Content, Context, Entropy, KeyRing, NoEntropy, Reason, Sealed, Stamp, StateInvalid, Timestamp,
    cipher::{self, Plain},
    context::associated_data,
    limits::{CONTENT_BYTES_MAX, SCOPE_BYTES_MAX},
    sealed,
};

/// What a state is sealed under: where and whose it is, until when, and under which revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// What its opener must bring along.
    pub context: Context<'a>,
    /// What the state tells.
    pub stamp: Stamp,
}

/// What opened: proven to be sealed by this ring, for this purpose, scope and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened<C> {
    /// What was sealed.
    pub content: C,
    /// Until when, and under which revision.
    pub stamp: Stamp,
}

/// Why something can't be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The content is larger than sealed state may be: keep it as a resource.
    #[error("{bytes} bytes are more than the {CONTENT_BYTES_MAX} that sealed state may have")]
    TooLarge {
        /// The content's size.
        bytes: usize,
    },
    /// A name that it would be bound to is longer than names are.
    #[error("its scope or subject has more than {SCOPE_BYTES_MAX} bytes")]
    NameTooLong,
    /// No randomness.
    #[error("it can't be sealed")]
    NoEntropy(#[from] NoEntropy),
}

impl KeyRing {
    /// Seals content with the active key, so that it opens only in this context and until the stamp's expiry.
    /// [Deterministic](crate::Purpose::is_deterministic) purposes ask for no randomness.
    ///
    /// # Errors
    /// [`SealError`] when content or names are too large, or there is no randomness.
    pub fn seal<C: Content>(
        &self,
        content: &C,
        terms: &Terms<'_>,
        entropy: &mut dyn Entropy,
    ) -> Result<Sealed, SealError> {
        let Terms { context, stamp } = terms;
        let bytes = Zeroizing::new(content.to_bytes());
        if bytes.len() > CONTENT_BYTES_MAX {
            return Err(SealError::TooLarge { bytes: bytes.len() });
        }
        if !context.is_bounded() {
            return Err(SealError::NameTooLong);
        }
        let (id, keys) = self.sealing();
        let plain = Plain {
            purpose: C::PURPOSE,
            stamp: *stamp,
            associated_data: &associated_data::<C>(id, context, *stamp),
            content: &bytes,
        };
        let payload = cipher::seal(keys.of(C::PURPOSE), &plain, entropy)?;
        Ok(Sealed::new(id, &payload))
    }

    /// Opens what this ring sealed in this context, if its time isn't up.
    ///
    /// In this order: length, outer form, key, authenticity, expiry, content. Content is looked at only
    /// once it is known to be ours, as it was sealed.
    ///
    /// # Errors
    /// [`StateInvalid`], the same whatever the reason.
    pub fn open<C: Content>(
        &self,
        text: &str,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<Opened<C>, StateInvalid> {
        self.opened(text, context, now).map_err(StateInvalid::from)
    }

    fn opened<C: Content>(
        &self,
        text: &str,
        context: &Context<'_>,
        now: Timestamp,
    ) -> Result<Opened<C>, Reason> {
        let (id, payload) = sealed::take_apart(text)?;
        let (stamp, rest) = cipher::stamp(&payload).ok_or(Reason::Malformed)?;
        let key = self.key(id).ok_or(Reason::UnknownKey)?;
        let keys = key.subkeys().ok_or(Reason::RevokedKey)?;
        if !context.is_bounded() {
            return Err(Reason::NotAuthentic);
        }
        let associated_data = associated_data::<C>(id, context, stamp);
        let content = cipher::open(keys.of(C::PURPOSE), C::PURPOSE, &associated_data, rest);
        let content = Zeroizing::new(content.ok_or(Reason::NotAuthentic)?);
        if now >= stamp.expires {
            return Err(Reason::Expired);
        }
        let content = C::from_bytes(&content).ok_or(Reason::Unreadable)?;
        Ok(Opened { content, stamp })
    }
}
