//! Text search by whole words, whatever their case: which words a text has.

/// The words of a text in lower case, in their order: its stretches of letters and digits.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    let words = text.split(|character: char| !character.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Whether every one of `sought` stands in `text`.
pub(crate) fn has_words(text: &str, sought: &[String]) -> bool {
    let found = words(text);
    sought.iter().all(|word| found.contains(word))
}

#[cfg(test)]
mod tests {
    use super::{has_words, words};

    #[test]
    fn whole_words_are_found_in_any_case_and_parts_of_words_are_not() {
        let text = "The quick-brown Fox, 42 times.";
        assert!(has_words(text, &words("FOX quick")));
        assert!(has_words(text, &words("42")));
        assert!(!has_words(text, &words("fo")));
        assert!(!has_words(text, &words("fox hound")));
    }
}
