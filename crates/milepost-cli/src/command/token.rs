//! `milepost token`: mints tokens, for development, tests, and services without an issuer of their own.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use clap::Args;
use milepost_server::identity::{Algorithm, SigningKey, SigningKeyError};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::{
    Ended,
    duration::Seconds,
    exit::{Exit, Failure},
    keys::now,
    serving::{LOCAL_AUDIENCE, LOCAL_ISSUER, TokenKeyFile},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost token --key dev.jwk --subject ada > ada.token
  milepost serve --issuer dev.jwk --admin role=admin
  curl -H \"Authorization: Bearer $(cat ada.token)\" http://127.0.0.1:7070/v1/

  milepost token --key dev.jwk --subject root --claim role=admin --for 10m
  milepost token --key dev.jwk --subject ada --claim level:=3 --claim 'groups:=[\"a\",\"b\"]'
  milepost token --key dev.jwk --public > jwks.json     what others may check tokens with

The key is made where there is none: EdDSA, or a shared secret with --algorithm HS256. Keep it like a password: who has it
can be anybody. Every other command sends a token with --token, or from MILEPOST_TOKEN.
";

/// Mint a token, for development and tests; the key is made where there is none
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Token {
    /// The file of the key, a JWK with its secret part; made, for its owner only, when it isn't there
    #[arg(long, value_name = "FILE", env = "MILEPOST_TOKEN_KEY")]
    key: PathBuf,

    /// Whom the token speaks for
    #[arg(long, value_name = "ID", required_unless_present = "public")]
    subject: Option<String>,

    /// What else the token says: `role=teller` is a text, `level:=3` JSON; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    claim: Vec<String>,

    /// How long it is good: 90s, 30m, 1h, 7d
    #[arg(long = "for", value_name = "TIME", default_value = "1h")]
    lifetime: Seconds,

    /// Who mints it, as the server's --issuer has it
    #[arg(long, value_name = "NAME", default_value = LOCAL_ISSUER)]
    issuer: String,

    /// Which service it is for, as the server's --audience has it; may be repeated
    #[arg(long, value_name = "NAME", default_value = LOCAL_AUDIENCE)]
    audience: Vec<String>,

    /// What a key that is made is for: EdDSA or HS256
    #[arg(long, value_name = "NAME", default_value = "EdDSA")]
    algorithm: String,

    /// Print the public half as a JWK Set instead, for a server that only checks
    #[arg(long, conflicts_with = "subject")]
    public: bool,
}

impl Token {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let key = self.key(terminal)?;
        if self.public {
            let set = key.public_set().ok_or_else(|| {
                Failure::usage("a shared secret has no public half")
                    .hint("make a key for EdDSA: milepost token --key other.jwk --public")
            })?;
            terminal.line(set)?;
            return Ok(Exit::Ok);
        }
        terminal.line(key.mint(&self.claims()?))?;
        Ok(Exit::Ok)
    }

    fn key(&self, terminal: Terminal) -> Result<SigningKey, Failure> {
        if self.key.exists() {
            let text = TokenKeyFile::at(&self.key).text()?;
            return SigningKey::of_jwk(&text).map_err(|error| self.unusable(&error));
        }
        let algorithm = Algorithm::from_name(&self.algorithm);
        let algorithm = algorithm.ok_or_else(|| {
            Failure::usage(format!(
                "{:?} is no algorithm: EdDSA or HS256",
                self.algorithm
            ))
        })?;
        let key = SigningKey::generate(algorithm).map_err(|error| self.unusable(&error))?;
        let text = format!("{}\n", key.to_jwk());
        written(&self.key, &text).map_err(|error| Failure::file(self.key.display(), &error))?;
        terminal.talk(format!("{}: made, for {algorithm}", self.key.display()));
        Ok(key)
    }

    fn unusable(&self, error: &SigningKeyError) -> Failure {
        Failure::new(
            Exit::InvalidInput,
            format!("{}: {error}", self.key.display()),
        )
    }

    fn claims(&self) -> Result<Map<String, Value>, Failure> {
        let now_s = now().as_unix_seconds();
        let audience = match &*self.audience {
            [one] => json!(one),
            several => json!(several),
        };
        let claims = json!({
            "iss": self.issuer, "aud": audience, "sub": self.subject, "client_id": "milepost-token",
            "iat": now_s, "exp": now_s.saturating_add(self.lifetime.0), "jti": Uuid::new_v4().to_string(),
        });
        let mut claims = claims.as_object().cloned().unwrap_or_default();
        for claim in &self.claim {
            let (name, value) = read_claim(claim)?;
            claims.insert(name, value);
        }
        Ok(claims)
    }
}

/// `name=text`, or `name:=JSON`.
pub(super) fn read_claim(text: &str) -> Result<(String, Value), Failure> {
    let malformed = || {
        Failure::usage(format!(
            "{text:?} is no claim: write role=teller, or level:=3 for JSON"
        ))
    };
    let (name, value) = text.split_once('=').ok_or_else(malformed)?;
    let (name, value) = match name.strip_suffix(':') {
        Some(name) => {
            let value = serde_json::from_str(value);
            (name, value.map_err(|_no_json| malformed())?)
        }
        None => (name, json!(value)),
    };
    if name.is_empty() {
        return Err(malformed());
    }
    Ok((name.to_owned(), value))
}

/// A new file for its owner only, whole or not at all.
fn written(path: &Path, text: &str) -> std::io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    // Made with mode 0600, before anything is in it.
    let mut file = tempfile::Builder::new()
        .prefix(".key-")
        .tempfile_in(parent.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_texts_or_json() {
        assert_eq!(
            read_claim("role=a=b").unwrap(),
            ("role".to_owned(), json!("a=b"))
        );
        assert_eq!(
            read_claim("level:=3").unwrap(),
            ("level".to_owned(), json!(3))
        );
        for bad in ["role", "=a", ":=1", "level:=x"] {
            assert!(read_claim(bad).is_err(), "{bad}");
        }
    }
}
