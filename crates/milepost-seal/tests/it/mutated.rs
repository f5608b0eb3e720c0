//! Show: of a million mutated sealed states none opens, not even as what was sealed.
//!
//! `MILEPOST_CASES` says how many are tried, else a number that takes a few seconds where nothing of this crate
//! is optimised.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_seal::{Content, KeyRing};

use crate::stage::{Link, Place, Seeded, State, TERMS, opened, ring};

const LETTERS: &[u8] =
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ v\x00~";

/// States of two keys and every purpose.
struct Originals {
    ring: KeyRing,
    texts: Vec<String>,
}

fn originals() -> Originals {
    let mut ring = ring(1);
    let mut entropy = Seeded(7);
    let mut texts = Vec::new();
    for _key in 0..2 {
        for bytes in [
            &b"{}"[..],
            br#"{"step":"address","answers":{"name":"Ada"}}"#,
        ] {
            let bytes = bytes.to_vec();
            texts.push(text(&ring, &State(bytes.clone()), &mut entropy));
            texts.push(text(&ring, &Place(bytes.clone()), &mut entropy));
            texts.push(text(&ring, &Link(bytes), &mut entropy));
        }
        ring.rotate(TERMS.stamp.expires, &mut entropy).unwrap();
    }
    Originals { ring, texts }
}

fn text<C: Content>(ring: &KeyRing, content: &C, entropy: &mut Seeded) -> String {
    ring.seal(content, &TERMS, entropy).unwrap().into_string()
}

/// Whether it opens as anything.
fn opens(ring: &KeyRing, text: &str) -> bool {
    opened::<State>(ring, text).is_ok()
        || opened::<Place>(ring, text).is_ok()
        || opened::<Link>(ring, text).is_ok()
}

impl Originals {
    fn any(&self, chance: &mut Seeded) -> Vec<u8> {
        self.texts[chance.below(self.texts.len())]
            .clone()
            .into_bytes()
    }

    /// One of them, changed.
    fn mutated(&self, chance: &mut Seeded) -> Vec<u8> {
        let mut text = self.any(chance);
        let place = chance.below(text.len());
        match chance.below(9) {
            0 => text[place] ^= 1 << chance.below(7),
            1 => text[place] = LETTERS[chance.below(LETTERS.len())],
            2 => text.truncate(place),
            3 => text.insert(place, LETTERS[chance.below(LETTERS.len())]),
            4 => drop(text.remove(place)),
            5 => {
                let other = chance.below(text.len());
                text.swap(place, other);
            }
            6 => {
                let other = self.any(chance);
                text.truncate(place);
                text.extend_from_slice(&other[place.min(other.len())..]);
            }
            7 => drop(text.drain(..place)),
            _ => return self.payload_mutated(chance),
        }
        text
    }

    /// One of them, changed behind the letters: bits of stamp, nonce, ciphertext and tag.
    fn payload_mutated(&self, chance: &mut Seeded) -> Vec<u8> {
        let text = String::from_utf8(self.any(chance)).unwrap();
        let (key, payload) = text.rsplit_once('.').unwrap();
        let mut payload = URL_SAFE_NO_PAD.decode(payload).unwrap();
        for _change in 0..=chance.below(3) {
            let place = chance.below(payload.len());
            payload[place] ^= 1 << chance.below(8);
        }
        format!("{key}.{}", URL_SAFE_NO_PAD.encode(payload)).into_bytes()
    }
}

fn cases() -> u64 {
    let asked = std::env::var("MILEPOST_CASES").ok();
    asked.map_or(200_000, |text| {
        text.parse().expect("MILEPOST_CASES is a number")
    })
}

#[test]
fn of_a_million_mutated_sealed_states_none_opens() {
    let originals = originals();
    for text in &originals.texts {
        assert!(opens(&originals.ring, text), "{text} is not mutated");
    }
    let mut chance = Seeded(42);
    let mut tried = 0;
    while tried < cases() {
        let mutated = originals.mutated(&mut chance);
        let Ok(mutated) = String::from_utf8(mutated) else {
            continue;
        };
        if !originals.texts.contains(&mutated) {
            tried += 1;
            assert!(!opens(&originals.ring, &mutated), "{mutated} opens");
        }
    }
}

#[test]
fn no_state_opens_with_any_of_its_bits_flipped_or_any_letter_replaced() {
    let originals = originals();
    for text in &originals.texts[..3] {
        for place in 0..text.len() {
            for letter in LETTERS {
                let mut mutated = text.clone().into_bytes();
                mutated[place] = *letter;
                let mutated = String::from_utf8(mutated).unwrap();
                assert!(
                    mutated == *text || !opens(&originals.ring, &mutated),
                    "{mutated}"
                );
            }
            assert!(
                !opens(&originals.ring, text.get(..place).unwrap()),
                "cut at {place}"
            );
        }
    }
}
