//! Readers who are told the same: what they are called, and who else may keep what they are told.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_store::{CollectionPath, Definition, definition::Visibility};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{evaluate::fact_of, node::Fact, ruled::Ruled, value::Val};
use crate::Subject;

/// Bytes of a view's digest: that two views have the same must never happen by chance.
const DIGEST_BYTES: usize = 12;

/// Who may keep what is told of a collection: nobody but whom it was told, where that depends on who asks, whatever the
/// definition says.
pub(crate) fn visibility(definition: &Definition) -> Visibility {
    let declared = definition.caching.visibility;
    if declared == Visibility::Private || definition.rules.is_none() {
        return declared;
    }
    let ruled = Ruled::of(definition);
    let rule = ruled.as_ref().map(|ruled| ruled.read.as_ref());
    match rule {
        Some(Some(rule)) if !rule.sees.looks_at_subject() => declared,
        Some(_) => Visibility::Private,
        None => declared,
    }
}

/// A short name of what a reader sees of collections: the rules for reading, and the facts about the reader that those
/// look at. `None` where everybody sees everything. Two readers of one view are told the same, by every node.
///
/// It is no secret and opens nothing: what is told is always what whoever asks may read now. It says whether a
/// position was told to such a reader.
pub(crate) fn name<'d>(
    collections: impl Iterator<Item = (&'d CollectionPath, &'d Definition)>,
    subject: &Subject,
) -> Option<String> {
    let somebody = if subject.is_anonymous() {
        "nobody"
    } else {
        "somebody"
    };
    let mut digest: Option<Sha256> = None;
    for (collection, definition) in collections {
        let Some(rules) = definition
            .rules
            .as_ref()
            .filter(|rules| !rules.is_read_by_all())
        else {
            continue;
        };
        let digest = digest.get_or_insert_default();
        let mut add = |part: &str| {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        };
        add(collection.as_str());
        add(&rules.read);
        let ruled = Ruled::of(definition);
        if let Some(rule) = ruled.as_ref().and_then(|ruled| ruled.read.as_ref()) {
            if rule.sees.looks_at_subject() {
                add(somebody);
            }
            for fact in &rule.sees.facts {
                add(&text_of(subject, fact));
            }
        }
    }
    let hash = digest?.finalize();
    Some(URL_SAFE_NO_PAD.encode(hash.get(..DIGEST_BYTES).unwrap_or_default()))
}

/// A fact as a text that tells it from every other: `-` of what isn't there, else JSON.
fn text_of(subject: &Subject, fact: &Fact) -> String {
    if let Fact::Claim(name) = fact {
        let claim = subject.claim(name);
        return claim.map_or_else(|| "-".to_owned(), Value::to_string);
    }
    match fact_of(subject, fact) {
        None => "-".to_owned(),
        Some(Val::Text(text)) => Value::from(&*text).to_string(),
        Some(Val::Bool(truth)) => truth.to_string(),
        Some(_) => "null".to_owned(),
    }
}
