//! The UUIDs of an import's transactions: computed from what is written, so that a second run asks
//! for the same ones and is told what became of them.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// The name space of the UUIDs that imports compute (RFC 9562 §5.5).
pub(super) const NAMESPACE: Uuid = Uuid::from_u128(0x6d69_6c65_706f_5374_8f69_6d70_6f72_7431);

/// Everything that was asked for so far, as one digest.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    digest: [u8; 32],
}

impl Identity {
    /// The start of an import; another salt makes another import of the same input.
    pub(crate) fn new(salt: &[u8]) -> Self {
        Self {
            digest: Sha256::digest(salt).into(),
        }
    }

    /// Takes the next chunk in.
    pub(crate) fn extend(&mut self, chunk: &[u8]) {
        self.digest = Sha256::new()
            .chain_update(self.digest)
            .chain_update(chunk)
            .finalize()
            .into();
    }

    /// The UUID of a transaction that is sent for the chunk taken in last.
    ///
    /// The chunk may have to be sent without some of its records; that is another transaction.
    pub(crate) fn transaction(&self, body: &[u8]) -> Uuid {
        let name = Sha256::new()
            .chain_update(self.digest)
            .chain_update(body)
            .finalize();
        Uuid::new_v5(&NAMESPACE, &name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(chunks: &[&[u8]]) -> Identity {
        let mut identity = Identity::new(b"");
        chunks.iter().for_each(|chunk| identity.extend(chunk));
        identity
    }

    #[test]
    fn the_same_chunks_ask_for_the_same_transaction() {
        assert_eq!(
            after(&[b"a", b"b"]).transaction(b"b"),
            after(&[b"a", b"b"]).transaction(b"b")
        );
    }

    #[test]
    fn equal_chunks_at_different_places_are_different_transactions() {
        assert_ne!(
            after(&[b"a"]).transaction(b"a"),
            after(&[b"a", b"a"]).transaction(b"a")
        );
    }

    #[test]
    fn a_salt_makes_another_import() {
        assert_ne!(
            Identity::new(b"1").transaction(b"a"),
            Identity::new(b"2").transaction(b"a")
        );
    }
}
