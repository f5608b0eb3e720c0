//! A definition's rules, compiled: once, and kept with the definition.

use std::sync::Arc;

use milepost_store::{
    Definition, Violation,
    definition::{Rules, Visibility},
};
use serde_json::Value;

use super::{
    compile::{Rule, compile},
    evaluate::{Sight, holds},
    sees::Members,
};

/// What is done to a resource, as rules call it: `request.method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Read,
    Create,
    Update,
    Delete,
}

impl Method {
    pub(crate) const ALL: [Self; 4] = [Self::Read, Self::Create, Self::Update, Self::Delete];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

/// A definition's rules. One that can't be used (it was written past this service, or by another release) allows nothing.
#[derive(Debug)]
pub(crate) struct Ruled {
    pub(super) read: Option<Rule>,
    create: Option<Rule>,
    update: Option<Rule>,
    delete: Option<Rule>,
}

impl Ruled {
    /// The rules of a definition; `None` where it has none.
    pub(crate) fn of(definition: &Definition) -> Option<Arc<Self>> {
        let rules = definition.rules.as_ref()?;
        Some(rules.made(Self::compiled))
    }

    fn compiled(rules: &Rules) -> Self {
        let compiled = |method| read(rules, method).ok();
        Self {
            read: compiled(Method::Read),
            create: compiled(Method::Create),
            update: compiled(Method::Update),
            delete: compiled(Method::Delete),
        }
    }

    pub(super) const fn rule(&self, method: Method) -> Option<&Rule> {
        match method {
            Method::Read => self.read.as_ref(),
            Method::Create => self.create.as_ref(),
            Method::Update => self.update.as_ref(),
            Method::Delete => self.delete.as_ref(),
        }
    }
}

/// What is wrong with a definition's rules, and with what else it says beside them.
pub(crate) fn review(definition: &Definition) -> Vec<Violation> {
    let Some(rules) = &definition.rules else {
        return Vec::new();
    };
    let mut violations: Vec<Violation> = Method::ALL
        .into_iter()
        .filter_map(|method| read(rules, method).err())
        .collect();
    let is_public = definition.caching.visibility == Visibility::Public;
    if is_public
        && let Ok(rule) = read(rules, Method::Read)
        && rule.sees.looks_at_subject()
    {
        violations.push(Violation {
            pointer: "/caching/visibility".to_owned(),
            detail: "can't be \"public\" where the rule for reading looks at the subject: a shared cache would tell one what only another may read".to_owned(),
        });
    }
    violations
}

fn read(rules: &Rules, method: Method) -> Result<Rule, Violation> {
    let text = match method {
        Method::Read => &rules.read,
        Method::Create => &rules.create,
        Method::Update => &rules.update,
        Method::Delete => &rules.delete,
    };
    let compiled = compile(text).and_then(|rule| {
        if method == Method::Read && rule.sees.previous != Members::Nothing {
            return Err("looks at \"previous\", which only writes have".to_owned());
        }
        Ok(rule)
    });
    compiled.map_err(|why| Violation {
        pointer: format!("/rules/{}", method.as_str()),
        detail: format!("the rule {text:?} {why}"),
    })
}

impl Rule {
    /// Whether the rule lets a subject do something to a document.
    pub(super) fn admits(&self, asked: &Question<'_>) -> bool {
        let read = |members: &Members, document: Option<&[u8]>| {
            document.map_or(Value::Null, |document| members.read(document))
        };
        let resource = read(&self.sees.resource, asked.resource);
        let previous = read(&self.sees.previous, asked.previous);
        let sight = Sight {
            method: asked.method.as_str(),
            subject: asked.subject,
            id: asked.key.0,
            parents: asked.key.1,
            resource: &resource,
            previous: &previous,
        };
        holds(&self.root, &sight)
    }
}

/// What a rule is asked, with documents as they are stored.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question<'a> {
    pub(super) method: Method,
    pub(super) subject: &'a crate::Subject,
    /// The resource's id, and those of its parents, joined by slashes.
    pub(super) key: (&'a str, &'a str),
    pub(super) resource: Option<&'a [u8]>,
    pub(super) previous: Option<&'a [u8]>,
}
