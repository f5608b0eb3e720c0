//! Judging for one subject: what it may read, and, inside the storage transaction, what it may write.

use milepost_store::{Definition, Guard, Proposed, ResourceKey, Sighted, Violation};

use super::{
    ruled::{Method, Question, Ruled, review},
    sees::Members,
};
use crate::Subject;

/// Judges by the rules of definitions, for one subject.
#[derive(Clone, Debug)]
pub(crate) struct Judge(pub(crate) Subject);

impl Judge {
    /// Whether the subject may read this version.
    pub(super) fn reads(&self, ruled: &Ruled, key: &ResourceKey, body: &[u8]) -> bool {
        self.asked(ruled, Method::Read, key, (Some(body), None))
    }

    fn asked(
        &self,
        ruled: &Ruled,
        method: Method,
        key: &ResourceKey,
        (resource, previous): (Option<&[u8]>, Option<&[u8]>),
    ) -> bool {
        let question = Question {
            method,
            subject: &self.0,
            key: (key.id.as_str(), key.parent.as_str()),
            resource,
            previous,
        };
        ruled
            .rule(method)
            .is_some_and(|rule| rule.admits(&question))
    }

    /// Whether the subject may put `after` in the place of `before`. A rule that doesn't look at what stood is asked
    /// of both: nobody makes a document theirs by saying so in it.
    fn updates(&self, ruled: &Ruled, key: &ResourceKey, before: &[u8], after: &[u8]) -> bool {
        let looks_back = |method| {
            let rule = ruled.rule(method);
            rule.is_some_and(|rule| rule.sees.previous != Members::Nothing)
        };
        let ask = |resource| self.asked(ruled, Method::Update, key, (Some(resource), Some(before)));
        ask(after) && (looks_back(Method::Update) || ask(before))
    }
}

impl Guard for Judge {
    fn may_read(&self, sighted: &Sighted<'_>) -> bool {
        let ruled = Ruled::of(sighted.definition);
        ruled.is_none_or(|ruled| self.reads(&ruled, sighted.key, sighted.body))
    }

    fn may_write(&self, proposed: &Proposed<'_>) -> bool {
        let Some(ruled) = Ruled::of(proposed.definition) else {
            return true;
        };
        let key = proposed.key;
        match (proposed.before, proposed.after) {
            (None, after) => self.asked(&ruled, Method::Create, key, (after, None)),
            (Some(before), Some(after)) => self.updates(&ruled, key, before, after),
            (before, None) => self.asked(&ruled, Method::Delete, key, (before, before)),
        }
    }

    fn review(&self, definition: &Definition) -> Vec<Violation> {
        review(definition)
    }
}
