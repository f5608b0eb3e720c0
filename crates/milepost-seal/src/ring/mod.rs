//! The ring: all keys of a service, of which one seals, and what may happen to them.
//!
//! A life: *created* (every node gets it before any seals with it) → *active* (seals) → *expired* (still opens) →
//! *revoked* (opens nothing). A single node skips the first: rotating without a created key makes one.
//! Nothing here reads files or clocks.

mod document;
pub(crate) mod file;

use crate::{
    Entropy, Key, KeyId, KeyState, NoEntropy, Secret, Timestamp, key::Subkeys, limits::KEYS_MAX,
};

/// How many revoked keys are remembered by name, for whoever reads the log of an old state.
const REVOKED_MAX: usize = 64;

/// The keys of a service. Exactly one is active.
#[derive(Clone, Debug)]
pub struct KeyRing {
    /// In the order in which they were made.
    keys: Vec<Key>,
    /// Which of them seals.
    active: KeyId,
    /// Its keys, at hand.
    sealing: Subkeys,
}

/// What a rotation did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotated {
    /// The key that seals from now on.
    pub active: KeyId,
    /// The key that sealed before, and still opens.
    pub expired: KeyId,
}

/// Why a ring doesn't change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RingError {
    /// There is no such key.
    #[error("the ring has no key {id}")]
    UnknownKey {
        /// The key asked for.
        id: KeyId,
    },
    /// The key that seals can't be revoked: nothing would seal.
    #[error("key {id} is the one that seals")]
    ActiveKey {
        /// The key asked for.
        id: KeyId,
    },
    /// There are as many keys as a ring may have.
    #[error("the ring has {KEYS_MAX} keys that open, and takes no more")]
    Full,
    /// No randomness.
    #[error("no key can be made")]
    NoEntropy(#[from] NoEntropy),
}

impl KeyRing {
    /// A ring of one new key, which is active.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn generate(now: Timestamp, entropy: &mut dyn Entropy) -> Result<Self, NoEntropy> {
        Ok(Self::of_secret(Secret::generate(entropy)?, now))
    }

    /// A ring of one key of this secret, which is active: what tests and vectors are made with.
    #[must_use]
    pub fn of_secret(secret: Secret, now: Timestamp) -> Self {
        let sealing = Subkeys::derived(&secret);
        let mut key = Key::new(secret, now);
        key.become_state(KeyState::Active, now);
        Self {
            active: key.id(),
            keys: vec![key],
            sealing,
        }
    }

    /// The ring of these keys, if exactly one is active and all differ.
    fn of(keys: Vec<Key>) -> Option<Self> {
        let mut active = keys.iter().filter(|key| key.state() == KeyState::Active);
        let (only, further) = (active.next()?, active.next());
        let (id, sealing) = (only.id(), only.subkeys()?.clone());
        let is_alone = |key: &Key| keys.iter().filter(|other| other.id() == key.id()).count() == 1;
        let is_whole = further.is_none() && keys.iter().all(is_alone);
        is_whole.then_some(Self {
            keys,
            active: id,
            sealing,
        })
    }

    /// Every key, in the order in which they were made.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter()
    }

    /// The key that seals.
    #[must_use]
    pub const fn active(&self) -> KeyId {
        self.active
    }

    pub(crate) fn key(&self, id: KeyId) -> Option<&Key> {
        self.keys.iter().find(|key| key.id() == id)
    }

    pub(crate) fn sealing(&self) -> (KeyId, &Subkeys) {
        (self.active, &self.sealing)
    }

    /// Adds a key that opens and doesn't seal yet, to be handed to every node before [`rotate`](Self::rotate).
    ///
    /// # Errors
    /// [`RingError::Full`], and when there is no randomness.
    pub fn create(
        &mut self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<KeyId, RingError> {
        let opening = self.keys.iter().filter(|key| key.secret().is_some());
        if opening.count() >= KEYS_MAX {
            return Err(RingError::Full);
        }
        let key = self.fresh_key(now, entropy)?;
        let id = key.id();
        self.keys.push(key);
        Ok(id)
    }

    /// Lets the oldest created key seal; without one, a new one. The key that sealed before still opens.
    ///
    /// # Errors
    /// [`RingError::Full`], and when there is no randomness; then nothing changed.
    pub fn rotate(
        &mut self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<Rotated, RingError> {
        let created = self
            .keys
            .iter()
            .find(|key| key.state() == KeyState::Created);
        let next = match created.map(Key::id) {
            Some(id) => id,
            None => self.create(now, entropy)?,
        };
        let expired = self.active;
        self.become_state(expired, KeyState::Expired, now);
        self.become_state(next, KeyState::Active, now);
        self.refresh();
        Ok(Rotated {
            active: next,
            expired,
        })
    }

    /// Takes a key away for good: what it sealed opens no more. Revoking a revoked key changes nothing.
    ///
    /// # Errors
    /// [`RingError::UnknownKey`]; [`RingError::ActiveKey`] for the one that seals: rotate first.
    pub fn revoke(&mut self, id: KeyId, now: Timestamp) -> Result<(), RingError> {
        let key = self.key(id).ok_or(RingError::UnknownKey { id })?;
        match key.state() {
            KeyState::Active => Err(RingError::ActiveKey { id }),
            KeyState::Revoked => Ok(()),
            KeyState::Created | KeyState::Expired => {
                self.become_state(id, KeyState::Revoked, now);
                self.forget_oldest_revoked();
                Ok(())
            }
        }
    }

    /// Revokes every key there is and begins anew with one that is active: what to do when the ring was
    /// stolen. Nothing that was sealed before opens. The new key.
    ///
    /// # Errors
    /// When there is no randomness; then nothing changed.
    pub fn revoke_all(
        &mut self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<KeyId, RingError> {
        let mut next = self.fresh_key(now, entropy)?;
        next.become_state(KeyState::Active, now);
        let id = next.id();
        let open = self
            .keys
            .iter_mut()
            .filter(|key| key.state() != KeyState::Revoked);
        open.for_each(|key| key.become_state(KeyState::Revoked, now));
        self.keys.push(next);
        self.forget_oldest_revoked();
        self.refresh();
        Ok(id)
    }

    fn become_state(&mut self, id: KeyId, state: KeyState, now: Timestamp) {
        let key = self.keys.iter_mut().find(|key| key.id() == id);
        key.into_iter().for_each(|key| key.become_state(state, now));
    }

    /// Finds the active key again after a change.
    fn refresh(&mut self) {
        let active = self.keys.iter().find(|key| key.state() == KeyState::Active);
        if let Some((id, subkeys)) = active.and_then(|key| Some((key.id(), key.subkeys()?))) {
            (self.active, self.sealing) = (id, subkeys.clone());
        }
    }

    /// A key whose identifier no other key here has: a chance of one in 2⁴⁰ each, but free to exclude.
    fn fresh_key(&self, now: Timestamp, entropy: &mut dyn Entropy) -> Result<Key, NoEntropy> {
        loop {
            let key = Key::new(Secret::generate(entropy)?, now);
            if self.key(key.id()).is_none() {
                return Ok(key);
            }
        }
    }

    fn forget_oldest_revoked(&mut self) {
        let revoked = |key: &&Key| key.state() == KeyState::Revoked;
        let surplus = self
            .keys
            .iter()
            .filter(revoked)
            .count()
            .saturating_sub(REVOKED_MAX);
        let oldest: Vec<KeyId> = self
            .keys
            .iter()
            .filter(revoked)
            .map(Key::id)
            .take(surplus)
            .collect();
        self.keys.retain(|key| !oldest.contains(&key.id()));
    }
}
