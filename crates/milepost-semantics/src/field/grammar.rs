//! The pieces field values are made of (RFC 9110 §5.6): tokens, quoted strings, parameters.
//!
//! A cursor that takes one piece after the other; nothing here knows a particular field.

/// `name=value` after a `;`. Without `=value` the value is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Parameter {
    /// In lower case.
    pub(crate) name: String,
    pub(crate) value: String,
}

/// A field value that is being read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// What has not been taken yet.
    pub(crate) const fn rest(&self) -> &'t str {
        self.rest
    }

    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// Optional white space (§5.6.3).
    pub(crate) fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Takes the character if it comes next.
    pub(crate) fn take(&mut self, character: char) -> bool {
        match self.rest.strip_prefix(character) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Takes the character, with optional white space on both sides.
    pub(crate) fn take_spaced(&mut self, character: char) -> bool {
        let before = *self;
        self.skip_space();
        if !self.take(character) {
            *self = before;
            return false;
        }
        self.skip_space();
        true
    }

    /// The characters up to the first that is not accepted, at least one.
    pub(crate) fn take_while(&mut self, accept: impl Fn(char) -> bool) -> Option<&'t str> {
        let end = self
            .rest
            .find(|character| !accept(character))
            .unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        if taken.is_empty() { None } else { Some(taken) }
    }

    /// §5.6.2.
    pub(crate) fn token(&mut self) -> Option<&'t str> {
        self.take_while(is_token_character)
    }

    /// §5.6.4, unescaped. On failure the cursor stands somewhere inside.
    pub(crate) fn quoted_string(&mut self) -> Option<String> {
        let mut characters = self.rest.strip_prefix('"')?.chars();
        let mut text = String::new();
        loop {
            match characters.next()? {
                '"' => break,
                '\\' => text.push(characters.next()?),
                control if control.is_ascii_control() && control != '\t' => return None,
                plain => text.push(plain),
            }
        }
        self.rest = characters.as_str();
        Some(text)
    }

    /// A token or a quoted string.
    pub(crate) fn word(&mut self) -> Option<String> {
        if self.rest.starts_with('"') {
            self.quoted_string()
        } else {
            self.token().map(str::to_owned)
        }
    }

    /// §5.6.6, as far as they go: `*( OWS ";" OWS [ name [ BWS "=" BWS value ] ] )`.
    pub(crate) fn parameters(&mut self) -> Option<Vec<Parameter>> {
        let mut parameters = Vec::new();
        while self.take_spaced(';') {
            // An empty parameter is allowed.
            let Some(name) = self.token() else {
                continue;
            };
            let value = if self.take_spaced('=') {
                self.word()?
            } else {
                String::new()
            };
            parameters.push(Parameter {
                name: name.to_ascii_lowercase(),
                value,
            });
        }
        Some(parameters)
    }

    /// Passes commas and white space, before and between the elements of a list (§5.6.1.2).
    pub(crate) fn skip_commas(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', ',']);
    }

    /// Whether an element ends here: at a comma or at the end.
    pub(crate) fn is_at_element_end(&mut self) -> bool {
        self.skip_space();
        self.rest.is_empty() || self.rest.starts_with(',')
    }

    /// Passes the rest of a malformed element, commas in quoted strings included.
    pub(crate) fn skip_element(&mut self) {
        while !self.rest.is_empty() && !self.rest.starts_with(',') {
            let quoted = if self.rest.starts_with('"') {
                self.quoted_string()
            } else {
                None
            };
            if quoted.is_none() {
                let mut characters = self.rest.chars();
                characters.next();
                self.rest = characters.as_str();
            }
        }
    }
}

/// `tchar`
pub(crate) const fn is_token_character(character: char) -> bool {
    matches!(character,
        '!' | '#' | '$' | '%' | '&' | '\'' | '*' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~'
        | '0'..='9' | 'a'..='z' | 'A'..='Z')
}

/// Whether the text is a token.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_token_character)
}

/// The text as a token where it is one, else as a quoted string; characters that may not stand in
/// either (controls, non-ASCII) are left out.
pub(crate) fn quoted_if_needed(text: &str) -> String {
    if is_token(text) {
        text.to_owned()
    } else {
        quoted(text)
    }
}

/// The text as a quoted string; characters that may not stand in one are left out.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars().filter(|c| matches!(c, ' '..='~' | '\t')) {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
