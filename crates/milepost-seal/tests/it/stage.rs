//! What the tests stand on: contents of every purpose, an entropy that repeats itself, and moments.

use milepost_seal::{
    Content, Context, Entropy, KeyRing, NoEntropy, Opened, Purpose, Reason, Sealed, Secret, Stamp,
    Terms, Timestamp,
};

/// Content of a purpose: any bytes.
macro_rules! content {
    ($name:ident, $purpose:ident) => {
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) Vec<u8>);

        impl Content for $name {
            const PURPOSE: Purpose = Purpose::$purpose;

            fn to_bytes(&self) -> Vec<u8> {
                self.0.clone()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.to_vec()))
            }
        }
    };
}

content!(State, FlowState);
content!(Place, FlowPlace);
content!(Link, Link);

/// Bytes that are known beforehand: splitmix64, from a seed.
pub(crate) struct Seeded(pub(crate) u64);

impl Seeded {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        for byte in bytes {
            *byte = u8::try_from(self.next() & 0xff).unwrap();
        }
        Ok(())
    }
}

/// A moment.
pub(crate) const fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix_seconds(seconds)
}

/// When the tests happen.
pub(crate) const NOW: Timestamp = at(1_000);

/// A flow that is somebody's.
pub(crate) const ADA: Context<'static> = Context {
    scope: "registration",
    subject: Some("ada"),
};

/// An hour from now on.
pub(crate) const TERMS: Terms<'static> = Terms {
    context: ADA,
    stamp: Stamp {
        expires: at(4_600),
        revision: 7,
    },
};

/// A ring of one key.
pub(crate) fn ring(seed: u8) -> KeyRing {
    KeyRing::of_secret(Secret::from_bytes([seed; 32]), NOW)
}

/// Seals on the usual terms.
pub(crate) fn sealed<C: Content>(ring: &KeyRing, content: &C) -> Sealed {
    ring.seal(content, &TERMS, &mut Seeded(1)).unwrap()
}

/// Opens on the usual terms.
pub(crate) fn opened<C: Content>(ring: &KeyRing, text: &str) -> Result<Opened<C>, Reason> {
    ring.open(text, &ADA, NOW)
        .map_err(|invalid| invalid.reason())
}
