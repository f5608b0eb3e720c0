//! Words as they are kept for text search.

use milepost_store::backend::words;
use sha2::{Digest, Sha256};

/// A word that is longer than this is kept as its hash: an index takes no very long ones.
const WORD_BYTES_MAX: usize = 200;

/// The words of a text, each once, as they are kept, joined by spaces.
pub(crate) fn kept(text: &str) -> String {
    let mut kept: Vec<String> = words(text).iter().map(|word| key_of(word)).collect();
    kept.sort_unstable();
    kept.dedup();
    kept.join(" ")
}

/// What stands for a word.
pub(crate) fn key_of(word: &str) -> String {
    if word.len() <= WORD_BYTES_MAX {
        return word.to_owned();
    }
    let hash = Sha256::digest(word);
    // No word has a hyphen.
    hash.iter().fold("long-".to_owned(), |mut key, byte| {
        key.push_str(&format!("{byte:02x}"));
        key
    })
}

#[cfg(test)]
mod tests {
    use super::{kept, key_of};

    #[test]
    fn words_are_kept_once_and_long_ones_as_hashes() {
        assert_eq!(kept("The fox; the dog"), "dog fox the");
        let long = "x".repeat(300);
        assert_eq!(kept(&long), key_of(&long));
        assert_eq!(key_of(&long).len(), "long-".len() + 64);
        assert_ne!(key_of(&long), key_of(&"x".repeat(301)));
    }
}
