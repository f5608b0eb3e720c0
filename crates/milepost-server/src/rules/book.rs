//! Rules by themselves, for whoever tries them before they hold: the same decisions as a server's, without a store.

use milepost_semantics::ResourceId;
use milepost_store::{
    CollectionPath, Definition, Guard, ParentPath, Proposed, ResourceKey, Sighted, Violation,
};
use serde_json::Value;

use super::{judge::Judge, ruled::review};
use crate::Subject;

/// The rules of a definition.
#[derive(Debug)]
pub struct RuleBook(Definition);

/// What somebody tries.
#[derive(Clone, Copy, Debug)]
pub enum Attempt<'a> {
    /// To read this.
    Read(&'a Value),
    /// To create this.
    Create(&'a Value),
    /// To put the second in the place of the first.
    Update(&'a Value, &'a Value),
    /// To delete this.
    Delete(&'a Value),
}

impl RuleBook {
    /// The rules of a definition.
    ///
    /// # Errors
    /// Everything that is wrong with the definition, as a server would say, or that it has no rules.
    pub fn of(definition: &Value) -> Result<Self, Vec<Violation>> {
        let definition = Definition::parse(definition)?;
        let mut violations = review(&definition);
        if definition.rules.is_none() {
            violations.push(Violation {
                pointer: "/rules".to_owned(),
                detail: "isn't there: everybody may do everything".to_owned(),
            });
        }
        if violations.is_empty() {
            Ok(Self(definition))
        } else {
            Err(violations)
        }
    }

    /// Whether a subject may do something with the resource of this id, below these parents. Nobody may change what they
    /// may not read.
    #[must_use]
    pub fn allows(
        &self,
        subject: &Subject,
        attempt: Attempt<'_>,
        (parents, id): (&[ResourceId], &ResourceId),
    ) -> bool {
        let Some(collection) = CollectionPath::parse("collection") else {
            return false;
        };
        let above = parents
            .iter()
            .fold(ParentPath::top(), |path, id| path.child(id));
        let key = ResourceKey {
            collection,
            parent: above,
            id: id.clone(),
        };
        let judge = Judge(subject.clone());
        let text = |value: &Value| value.to_string().into_bytes();
        let (before, after) = match attempt {
            Attempt::Read(value) | Attempt::Delete(value) => (Some(text(value)), None),
            Attempt::Create(value) => (None, Some(text(value))),
            Attempt::Update(before, after) => (Some(text(before)), Some(text(after))),
        };
        let is_there = before.as_deref().is_none_or(|body| {
            judge.may_read(&Sighted {
                definition: &self.0,
                key: &key,
                body,
            })
        });
        let may_write = || {
            judge.may_write(&Proposed {
                definition: &self.0,
                key: &key,
                before: before.as_deref(),
                after: after.as_deref(),
            })
        };
        is_there && (matches!(attempt, Attempt::Read(_)) || may_write())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobody_may_change_what_they_may_not_read() {
        let rules = json!({ "read": "resource.open", "write": "true" });
        let book = RuleBook::of(&json!({ "rules": rules })).unwrap();
        let (open, closed) = (json!({ "open": true }), json!({ "open": false }));
        let id: ResourceId = "n1".parse().unwrap();
        let allows = |attempt| book.allows(&Subject::ANONYMOUS, attempt, (&[], &id));
        assert!(allows(Attempt::Read(&open)) && allows(Attempt::Create(&closed)));
        assert!(allows(Attempt::Update(&open, &closed)) && allows(Attempt::Delete(&open)));
        assert!(!allows(Attempt::Read(&closed)) && !allows(Attempt::Delete(&closed)));
        assert!(!allows(Attempt::Update(&closed, &open)));
        assert!(RuleBook::of(&json!({})).is_err());
    }
}
