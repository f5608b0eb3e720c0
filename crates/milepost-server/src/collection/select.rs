//! `select`: the parts of a representation that are shown on a page.
//!
//! A name is that of a declared index, and stands for the member at its pointer, or that of a member
//! at the top. What is selected keeps its place in the document, and its bytes; arrays are kept whole.

use std::{borrow::Cow, fmt};

use milepost_store::Definition;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

/// What to keep.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// The members to keep, each with what to keep of it; whole where empty.
    members: Vec<(String, Self)>,
}

impl Selection {
    /// What these names stand for; `None` where all is kept.
    pub(crate) fn of(names: &[String], definition: &Definition) -> Option<Self> {
        if names.is_empty() {
            return None;
        }
        let mut selection = Self::default();
        for name in names {
            match definition.index(name) {
                Some(index) => selection.add(index.pointer.tokens()),
                None => selection.add(std::slice::from_ref(name)),
            }
        }
        Some(selection)
    }

    fn add(&mut self, path: &[String]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let known = self.members.iter().position(|(name, _)| name == first);
        match known.and_then(|at| self.members.get_mut(at)) {
            // Kept whole already.
            Some((_, below)) if below.members.is_empty() => {}
            Some((_, below)) if rest.is_empty() => below.members.clear(),
            Some((_, below)) => below.add(rest),
            None => {
                let mut below = Self::default();
                below.add(rest);
                self.members.push((first.clone(), below));
            }
        }
    }

    /// The selected parts of a document; `{}` of one that is no object.
    pub(crate) fn apply(&self, document: &[u8]) -> Vec<u8> {
        let mut selected = Vec::with_capacity(document.len().min(1024));
        match serde_json::from_slice::<Members<'_>>(document) {
            Ok(members) => self.write(&members, &mut selected),
            Err(_no_object) => selected.extend_from_slice(b"{}"),
        }
        selected
    }

    fn write(&self, members: &Members<'_>, to: &mut Vec<u8>) {
        to.push(b'{');
        let start = to.len();
        for (name, value) in &members.0 {
            let Some((_, below)) = self.members.iter().find(|(selected, _)| selected == name)
            else {
                continue;
            };
            if to.len() > start {
                to.push(b',');
            }
            // Writing a string to a vector doesn't fail.
            drop(serde_json::to_writer(&mut *to, name));
            to.push(b':');
            match serde_json::from_str::<Members<'_>>(value.get()) {
                Ok(inner) if !below.members.is_empty() => below.write(&inner, to),
                _ => to.extend_from_slice(value.get().as_bytes()),
            }
        }
        to.push(b'}');
    }
}

/// An object's members in their order, with the text of their values.
struct Members<'d>(Vec<(Cow<'d, str>, &'d RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> de::Visitor<'de> for MembersVisitor {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
        let mut members = Vec::with_capacity(map.size_hint().unwrap_or(16));
        while let Some(name) = map.next_key::<Name<'de>>()? {
            members.push((name.0, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Name<'d>(#[serde(borrow)] Cow<'d, str>);
