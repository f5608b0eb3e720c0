//! Sealed states that another implementation made (fixtures/make_vectors.py) open here, and what is sealed here is
//! what it makes, to the letter.

use milepost_seal::{
    Content, Context, Entropy, KeyRing, NoEntropy, Secret, Stamp, Terms, Timestamp,
};
use serde::Deserialize;

use crate::stage::{Link, NOW, Place, State, at};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Vector {
    name: String,
    secret: String,
    purpose: String,
    scope: String,
    subject: Option<String>,
    expires: u64,
    revision: u64,
    nonce: String,
    content: String,
    key_id: String,
    sealed: String,
}

/// Gives the bytes it was given, once.
struct Given(Vec<u8>);

impl Entropy for Given {
    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), NoEntropy> {
        bytes.copy_from_slice(&std::mem::take(&mut self.0));
        Ok(())
    }
}

/// Bytes written as hexadecimal digits.
pub(crate) fn bytes(digits: &str) -> Vec<u8> {
    let byte = |pair: &[u8]| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.as_bytes().chunks(2).map(byte).collect()
}

fn check<C: Content + PartialEq + std::fmt::Debug>(vector: &Vector, content: &C) {
    let secret = bytes(&vector.secret).try_into().unwrap();
    let ring = KeyRing::of_secret(Secret::from_bytes(secret), NOW);
    assert_eq!(ring.active().as_str(), vector.key_id, "{}", vector.name);
    let context = Context {
        scope: &vector.scope,
        subject: vector.subject.as_deref(),
    };
    let stamp = Stamp {
        expires: Timestamp::from_unix_seconds(vector.expires),
        revision: vector.revision,
    };
    let mut entropy = Given(bytes(&vector.nonce));
    let sealed = ring.seal(content, &Terms { context, stamp }, &mut entropy);
    assert_eq!(sealed.unwrap().as_str(), vector.sealed, "{}", vector.name);
    let opened = ring.open::<C>(&vector.sealed, &context, at(0)).unwrap();
    assert_eq!(
        (&opened.content, opened.stamp),
        (content, stamp),
        "{}",
        vector.name
    );
}

#[test]
fn another_implementation_seals_the_same_to_the_letter() {
    let text = include_str!("../../fixtures/vectors.json");
    let vectors: Vec<Vector> = serde_json::from_str(text).unwrap();
    assert_eq!(vectors.len(), 10);
    for vector in vectors {
        let content = bytes(&vector.content);
        match vector.purpose.as_str() {
            "flow-state" => check(&vector, &State(content)),
            "flow-place" => check(&vector, &Place(content)),
            "link" => check(&vector, &Link(content)),
            other => panic!("{other} is no purpose"),
        }
    }
}
