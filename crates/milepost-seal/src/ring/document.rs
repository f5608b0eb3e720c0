//! A ring as the text of a file, and back: strict, with a format number, and every secret held against its
//! key's identifier.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::{Key, KeyRing, KeyState, Secret, Timestamp, limits::KEYS_MAX};

/// The format that is written, and the only one that is read.
pub(crate) const FORMAT: u32 = 1;

/// Why a text is no ring.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// It is of a later format.
    NewerFormat(u32),
    /// What is wrong with it. It never quotes the file: it may be printed.
    Corrupt(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    format: u32,
    keys: Vec<Entry>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Entry {
    id: String,
    state: State,
    /// Unix time, in seconds.
    created_at: u64,
    /// When it came into its state.
    changed_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Zeroizing<String>>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
enum State {
    Created,
    Active,
    Expired,
    Revoked,
}

impl KeyRing {
    /// The ring as the text of its file.
    pub(crate) fn to_text(&self) -> Zeroizing<String> {
        let document = Document {
            format: FORMAT,
            keys: self.keys().map(entry).collect(),
        };
        let text = serde_json::to_string_pretty(&document);
        let mut text = Zeroizing::new(text.expect("strings and numbers can be written"));
        text.push('\n');
        text
    }

    /// The ring of a file's text.
    pub(crate) fn from_text(text: &str) -> Result<Self, Unreadable> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_str(text).map_err(|error| place(&error))?;
        if format != FORMAT {
            return Err(Unreadable::NewerFormat(format));
        }
        let document: Document = serde_json::from_str(text).map_err(|error| place(&error))?;
        let keys: Result<Vec<Key>, Unreadable> = document.keys.iter().map(key).collect();
        let keys = keys?;
        if keys.iter().filter(|key| key.secret().is_some()).count() > KEYS_MAX {
            return Err(corrupt(format!("more than {KEYS_MAX} keys have a secret")));
        }
        Self::of(keys).ok_or_else(|| corrupt("not exactly one key is active, or one stands twice"))
    }
}

/// Where, and not what: the parser's own words may quote a secret.
fn place(error: &serde_json::Error) -> Unreadable {
    let (line, column) = (error.line(), error.column());
    corrupt(match error.classify() {
        serde_json::error::Category::Eof => format!("it ends in the middle, in line {line}"),
        serde_json::error::Category::Data => format!("line {line} is not as a ring has it"),
        _ => format!("line {line}, column {column} is no JSON"),
    })
}

fn corrupt(what: impl Into<String>) -> Unreadable {
    Unreadable::Corrupt(what.into())
}

fn entry(key: &Key) -> Entry {
    let state = match key.state() {
        KeyState::Created => State::Created,
        KeyState::Active => State::Active,
        KeyState::Expired => State::Expired,
        KeyState::Revoked => State::Revoked,
    };
    let secret = key.secret();
    Entry {
        id: key.id().to_string(),
        state,
        created_at: key.created_at().as_unix_seconds(),
        changed_at: key.changed_at().as_unix_seconds(),
        secret: secret.map(|secret| Zeroizing::new(URL_SAFE_NO_PAD.encode(secret.as_bytes()))),
    }
}

fn key(entry: &Entry) -> Result<Key, Unreadable> {
    let id = entry.id.parse();
    let id = id.or(Err(corrupt("a key's identifier is none")))?;
    let at = Timestamp::from_unix_seconds;
    let (created_at, changed_at) = (at(entry.created_at), at(entry.changed_at));
    let state = match entry.state {
        State::Created => KeyState::Created,
        State::Active => KeyState::Active,
        State::Expired => KeyState::Expired,
        State::Revoked => KeyState::Revoked,
    };
    let secret = match (&entry.secret, state) {
        (None, KeyState::Revoked) => return Ok(Key::revoked(id, created_at, changed_at)),
        (Some(_), KeyState::Revoked) => {
            return Err(corrupt(format!("key {id} is revoked and has a secret")));
        }
        (None, _) => return Err(corrupt(format!("key {id} has no secret"))),
        (Some(text), _) => secret(text),
    };
    let secret = secret.filter(|secret| secret.id() == id);
    let secret = secret.ok_or_else(|| corrupt(format!("the secret of key {id} is damaged")))?;
    let mut key = Key::new(secret, created_at);
    key.become_state(state, changed_at);
    Ok(key)
}

fn secret(text: &str) -> Option<Secret> {
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    Some(Secret::from_bytes(bytes.as_slice().try_into().ok()?))
}
