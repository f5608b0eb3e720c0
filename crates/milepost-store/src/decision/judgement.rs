//! What the rules of a definition make of an operation, as whoever asks is judged by them.
//!
//! What may not be read isn't there. So a write to it answers as one to something absent, down to its
//! conditions; what that can't hide is that a name is taken, where whoever asks may create under names of
//! its own choice. A tombstone isn't there either: whether what it replaced could be read is not known here.

use super::{Contents, Current, Governed, Prepared, State, state::Overlay};
use crate::{Definition, Failure, Guard, Proposed, ResourceKey, Sighted};

/// Judges one operation. Only where a collection has rules, and somebody is judged by them.
pub(super) struct Judge<'a> {
    guard: &'a dyn Guard,
    definition: &'a Definition,
    key: &'a ResourceKey,
}

impl Prepared {
    /// Who judges this operation.
    pub(super) fn judge<'a>(&'a self, governed: &'a Governed) -> Option<Judge<'a>> {
        let guard = self.guard.as_deref()?;
        match governed {
            Governed::By(definition) if definition.rules.is_some() => Some(Judge {
                guard,
                definition,
                key: &self.operation.key,
            }),
            Governed::By(_) | Governed::AsDefinitions => None,
        }
    }

    /// Refuses a definition whose rules can't be used.
    pub(super) fn review(&self, contents: &Contents) -> Result<(), Failure> {
        let (Some(guard), Some(definition)) = (&self.guard, &contents.defines) else {
            return Ok(());
        };
        match guard.review(definition) {
            violations if violations.is_empty() => Ok(()),
            violations => Err(Failure::InvalidDefinition(violations)),
        }
    }

    /// Whether a resource that others lie below is there, for whoever asks.
    pub(super) fn is_parent_there<S: State>(
        &self,
        parent: &ResourceKey,
        overlay: &mut Overlay<'_, S>,
    ) -> Result<bool, S::Error> {
        let definition = self
            .guard
            .as_ref()
            .filter(|_| !overlay.has_written(parent))
            .and_then(|_| overlay.definition(&parent.collection))
            .filter(|definition| definition.rules.is_some());
        let (Some(guard), Some(definition)) = (self.guard.as_deref(), definition) else {
            return overlay.exists(parent);
        };
        let current = overlay.current(parent)?;
        let judge = Judge {
            guard,
            definition: &definition,
            key: parent,
        };
        Ok(current.is_some_and(|current| judge.sees(&current)))
    }
}

impl Judge<'_> {
    /// Whether this is there, for whoever asks.
    pub(super) fn sees(&self, current: &Current) -> bool {
        let (definition, key) = (self.definition, self.key);
        let body = current.version.body.as_deref();
        body.is_some_and(|body| {
            self.guard.may_read(&Sighted {
                definition,
                key,
                body,
            })
        })
    }

    /// Whether a write may be made. `before` is there, for whoever asks.
    pub(super) fn admit(
        &self,
        before: Option<&Current>,
        after: Option<&Contents>,
    ) -> Result<(), Failure> {
        let proposed = Proposed {
            definition: self.definition,
            key: self.key,
            before: before.and_then(|before| before.version.body.as_deref()),
            after: after.map(|after| &*after.bytes),
        };
        if self.guard.may_write(&proposed) {
            Ok(())
        } else {
            Err(Failure::Forbidden)
        }
    }
}

/// What stands as whoever asks sees it; all that stands, where nobody is judged.
pub(super) fn seen<'c>(
    judge: Option<&Judge<'_>>,
    current: Option<&'c Current>,
) -> Option<&'c Current> {
    current.filter(|current| judge.is_none_or(|judge| judge.sees(current)))
}
