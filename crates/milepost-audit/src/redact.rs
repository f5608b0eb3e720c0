//! Secrets are taken out of everything that leaves the auditor: credentials, cookies, tokens.

use crate::{http::Fields, options::Options};

/// Fields whose values are secrets.
const SECRET_FIELDS: &[&str] = &[
    "authorization",
    "cookie",
    "set-cookie",
    "proxy-authorization",
    "x-api-key",
    "lock-token",
];
/// Words in names of fields that carry secrets.
const SECRET_WORDS: &[&str] = &["token", "session", "secret", "nonce"];
const GONE: &str = "[redacted]";

/// What is known to be secret in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Redaction(Vec<String>);

impl Redaction {
    /// The run's credentials.
    pub(crate) fn of(options: &Options) -> Self {
        let given = [options.bearer.clone(), options.bearer2.clone()];
        Self(
            given
                .into_iter()
                .flatten()
                .filter(|secret| secret.len() >= 3)
                .collect(),
        )
    }

    /// Whether the run has credentials.
    pub(crate) fn has_credentials(&self) -> bool {
        !self.0.is_empty()
    }

    /// Text without the run's credentials.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            text = text.replace(secret, GONE);
        }
        text
    }

    /// A field's value, with secrets taken out; names of cookies stay.
    pub(crate) fn field(&self, name: &str, value: &str) -> String {
        if matches!(name, "cookie" | "set-cookie") {
            return cookies(value);
        }
        if name == "authorization" {
            let scheme = value.split(' ').next().unwrap_or_default();
            return format!("{scheme} {GONE}");
        }
        let is_secret =
            SECRET_FIELDS.contains(&name) || SECRET_WORDS.iter().any(|word| name.contains(word));
        if is_secret {
            GONE.to_owned()
        } else {
            self.text(value)
        }
    }

    /// All fields of a message.
    pub(crate) fn fields(&self, fields: &Fields) -> Vec<(String, String)> {
        let redacted = fields
            .iter()
            .map(|(name, value)| (name.to_owned(), self.field(name, value)));
        redacted.collect()
    }
}

fn cookies(value: &str) -> String {
    let attributes = ["path", "max-age", "expires", "domain", "samesite"];
    let parts = value.split(';').map(|part| match part.split_once('=') {
        Some((name, _)) if !attributes.contains(&name.trim().to_ascii_lowercase().as_str()) => {
            format!("{name}={GONE}")
        }
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join(";")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_cookies_and_tokens_do_not_leave() {
        let redaction = Redaction(vec!["s3cret".to_owned()]);
        assert_eq!(
            redaction.field("authorization", "Bearer s3cret"),
            "Bearer [redacted]"
        );
        assert_eq!(
            redaction.field("set-cookie", "sid=abc; Path=/; HttpOnly"),
            "sid=[redacted]; Path=/; HttpOnly"
        );
        assert_eq!(redaction.field("x-session-token", "abc"), "[redacted]");
        assert_eq!(redaction.text("you sent s3cret"), "you sent [redacted]");
        assert_eq!(redaction.field("accept", "text/html"), "text/html");
    }
}
