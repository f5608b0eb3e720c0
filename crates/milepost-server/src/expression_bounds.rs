//! Bounds on the text of a CEL expression, of a rule or of a flow, looked at before anything parses it: a parser recurses, and whoever writes a
//! definition must end no process by one.

/// An expression, in bytes: a condition, not a program.
pub(crate) const EXPRESSION_BYTES_MAX: usize = 1024;
/// How deep brackets may lie within one another: the parser recurses.
const NESTING_MAX: usize = 16;
/// Words and signs of an expression: parser and interpreter recurse along chains of operators too.
pub(crate) const TOKENS_MAX: usize = 100;
/// What goes through a list. One in an expression: one within another takes the square of the list's time, and so on.
const LOOPS: [&str; 6] = ["all", "exists", "exists_one", "existsOne", "filter", "map"];

/// Whether a text may be parsed, or why not.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("has more than {EXPRESSION_BYTES_MAX} bytes"));
    }
    if nesting(text) > NESTING_MAX {
        return Err(format!("has brackets more than {NESTING_MAX} deep"));
    }
    if tokens(text) > TOKENS_MAX {
        return Err(format!(
            "has more than {TOKENS_MAX} words and signs: say it shorter"
        ));
    }
    if loops(text) > 1 {
        let names = LOOPS.join(", ");
        return Err(format!("goes through lists more than once ({names})"));
    }
    Ok(())
}

/// How often lists are gone through, words in texts counted too.
fn loops(text: &str) -> usize {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| LOOPS.contains(word)).count()
}

/// How deep brackets lie, those in texts counted too.
fn nesting(text: &str) -> usize {
    let step = |(depth, deepest): (usize, usize), letter| match letter {
        '(' | '[' | '{' => (depth + 1, deepest.max(depth + 1)),
        ')' | ']' | '}' => (depth.saturating_sub(1), deepest),
        _ => (depth, deepest),
    };
    text.chars().fold((0, 0), step).1
}

/// How many words and signs there are, those in texts counted too.
pub(crate) fn tokens(text: &str) -> usize {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let words = text.split(|letter| !is_word(letter));
    let is_sign = |letter: &char| !is_word(*letter) && !letter.is_whitespace();
    words.filter(|word| !word.is_empty()).count() + text.chars().filter(is_sign).count()
}
