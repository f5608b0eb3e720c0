//! What a rule looks at: found when it is compiled, so that nothing else is read, and readers who are alike in it are
//! known to be alike.

use std::{collections::BTreeSet, fmt};

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use super::node::{Fact, Given};

/// What a rule looks at.
#[derive(Debug, Default)]
pub(super) struct Sees {
    /// Facts of the subject.
    pub(super) facts: BTreeSet<Fact>,
    /// Whether there is a subject.
    pub(super) nobody: bool,
    /// What is done.
    pub(super) method: bool,
    /// Members of the document.
    pub(super) resource: Members,
    /// Members of the document that stood before.
    pub(super) previous: Members,
    /// The resource's id, or its parents'.
    pub(super) place: bool,
}

/// Members of a document.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Members {
    /// None: the document needn't be read.
    #[default]
    Nothing,
    /// Those of these names.
    Some(BTreeSet<Box<str>>),
    /// The whole document.
    All,
}

impl Sees {
    /// Notes that something is looked at as a whole.
    pub(super) fn whole(&mut self, given: Given) {
        match given {
            Given::Resource => self.resource = Members::All,
            Given::Previous => self.previous = Members::All,
            Given::Id | Given::Parents => self.place = true,
            Given::Method => self.method = true,
        }
    }

    /// Notes that one member of something is looked at.
    pub(super) fn member(&mut self, given: Given, name: &str) {
        match given {
            Given::Resource => self.resource.add(name),
            Given::Previous => self.previous.add(name),
            Given::Id | Given::Parents | Given::Method => self.whole(given),
        }
    }

    /// Whether two subjects may be told different things.
    pub(super) fn looks_at_subject(&self) -> bool {
        self.nobody || !self.facts.is_empty()
    }

    /// Whether two resources may be.
    pub(super) fn looks_at_resource(&self) -> bool {
        let nothing = Members::Nothing;
        self.place || self.resource != nothing || self.previous != nothing
    }
}

impl Members {
    fn add(&mut self, name: &str) {
        match self {
            Self::Nothing => *self = Self::Some(BTreeSet::from([name.into()])),
            Self::Some(names) => {
                names.insert(name.into());
            }
            Self::All => {}
        }
    }

    /// Reads these members of a stored document, and passes over the others; null of what is no JSON, which is
    /// never stored.
    pub(super) fn read(&self, document: &[u8]) -> Value {
        let whole = || serde_json::from_slice(document).unwrap_or_default();
        match self {
            Self::Nothing => Value::Null,
            Self::All => whole(),
            Self::Some(names) => {
                let mut members = Map::new();
                let mut from = serde_json::Deserializer::from_slice(document);
                let read = Chosen(names, &mut members).deserialize(&mut from);
                // Where all were found, what comes behind them was not read, nor need be: it has none of them again.
                if read.is_ok() || members.len() == names.len() {
                    return Value::Object(members);
                }
                whole()
            }
        }
    }
}

/// Which members to read, and where to.
struct Chosen<'n>(&'n BTreeSet<Box<str>>, &'n mut Map<String, Value>);

impl<'de> DeserializeSeed<'de> for Chosen<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Chosen<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<(), A::Error> {
        let Self(names, members) = self;
        while members.len() < names.len()
            && let Some(name) = from.next_key_seed(Name)?
        {
            if names.contains(&*name) {
                members.insert(name.into_owned(), from.next_value()?);
            } else {
                from.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

/// A key, borrowed where it has no escapes.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_looked_at_is_read() {
        let mut members = Members::default();
        let document = br#"{"owner":"ada","big":[1,[2,{"x":3}]],"n":1.50,"\u006e2":null}"#;
        assert_eq!(members.read(document), Value::Null);
        members.add("owner");
        members.add("n2");
        assert_eq!(
            members.read(document),
            json!({ "owner": "ada", "n2": null })
        );
        // What comes behind the last of them isn't read.
        assert_eq!(
            members.read(br#"{"n2":1,"owner":"ada","#),
            json!({ "n2": 1, "owner": "ada" })
        );
        assert_eq!(members.read(br#"{"n2":1,"owner":"#), Value::Null);
        assert_eq!(members.read(b"[1]"), json!([1]));
        members = Members::All;
        members.add("owner");
        assert_eq!(members.read(b"{\"a\":1}"), json!({ "a": 1 }));
    }
}
