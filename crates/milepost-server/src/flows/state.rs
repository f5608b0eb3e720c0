//! What a client in the middle of a flow holds: sealed, and nowhere else.
//!
//! Two forms of the same: one for bodies, one for the link that keeps a place. Each has a purpose, and so keys, of its own.

use std::collections::BTreeMap;

use milepost_seal::{Content, Context, Purpose, SealError, Stamp, SystemEntropy, Terms, Timestamp};
use milepost_semantics::ProblemType;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition::Flow;
use crate::{failure, href, identity::Subject, refusal::Refusal, service::Shared};

/// Where somebody is in a flow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Progress {
    /// The flow's UUID, fixed at its beginning: the id of the transaction at its end.
    pub(super) flow: String,
    /// The step that is to be answered.
    pub(super) at: String,
    /// For each step its answers.
    pub(super) answers: Map<String, Value>,
    /// What was shown, by name.
    pub(super) shown: BTreeMap<String, Shown>,
}

/// A resource as somebody saw it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    pub(super) href: String,
    pub(super) etag: String,
    pub(super) value: Value,
}

impl Progress {
    /// What was shown, as expressions and documents have it. Not by `json!`, which would write numbers anew.
    pub(super) fn shown(&self) -> Value {
        let one = |(name, shown): (&String, &Shown)| (name.clone(), shown.to_value());
        Value::Object(self.shown.iter().map(one).collect())
    }
}

impl Shown {
    fn to_value(&self) -> Value {
        let members = [
            ("href", Value::from(self.href.as_str())),
            ("etag", Value::from(self.etag.as_str())),
            ("value", self.value.clone()),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        Value::Object(Map::from_iter(members))
    }
}

macro_rules! content {
    ($(#[$doc:meta])* $name:ident, $purpose:ident) => {
        $(#[$doc])*
        struct $name(Progress);

        impl Content for $name {
            const PURPOSE: Purpose = Purpose::$purpose;

            fn to_bytes(&self) -> Vec<u8> {
                serde_json::to_vec(&self.0).unwrap_or_default()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                serde_json::from_slice(bytes).ok().map(Self)
            }
        }
    };
}

content!(
    /// In a form or a document.
    Stated,
    FlowState
);
content!(
    /// In a link.
    Placed,
    FlowPlace
);

/// What a state is sealed for and opened with.
pub(super) struct Holder<'a> {
    pub(super) shared: &'a Shared,
    pub(super) flow: &'a Flow,
    pub(super) subject: &'a Subject,
}

/// Which of the two forms.
#[derive(Clone, Copy, Debug)]
pub(super) enum Form {
    State,
    Place,
}

impl Holder<'_> {
    fn context<'c>(&'c self, subject: Option<&'c str>) -> Context<'c> {
        Context {
            scope: &self.flow.name,
            subject,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_unix_seconds(self.shared.clock.now().as_seconds())
    }

    /// Seals.
    pub(super) fn seal(&self, progress: &Progress, form: Form) -> Result<String, Refusal> {
        let ring = self.shared.keys.as_ref().ok_or_else(no_keys)?.ring();
        let stamp = Stamp {
            expires: self.now().plus_seconds(self.flow.lifetime_seconds),
            revision: self.flow.version,
        };
        let subject = self.subject.seal_name();
        let terms = Terms {
            context: self.context(subject.as_deref()),
            stamp,
        };
        let entropy = &mut SystemEntropy;
        let sealed = match form {
            Form::State => ring.seal(&Stated(progress.clone()), &terms, entropy),
            Form::Place => ring.seal(&Placed(progress.clone()), &terms, entropy),
        };
        match sealed {
            Ok(sealed) => Ok(sealed.into_string()),
            Err(error @ SealError::TooLarge { .. }) => Err(Refusal::new(
                ProblemType::ResourceTooLarge,
                format!("the answers together are too large: {error}"),
            )),
            Err(error) => Err(failure::internal_text(&error.to_string())),
        }
    }

    /// Opens; with the version of the definition that it was sealed under.
    pub(super) fn open(&self, text: &str, form: Form) -> Result<(Progress, u64), Refusal> {
        let ring = self.shared.keys.as_ref().ok_or_else(no_keys)?.ring();
        let subject = self.subject.seal_name();
        let (context, now) = (self.context(subject.as_deref()), self.now());
        let opened = match form {
            Form::State => ring
                .open::<Stated>(text, &context, now)
                .map(|opened| (opened.content.0, opened.stamp.revision)),
            Form::Place => ring
                .open::<Placed>(text, &context, now)
                .map(|opened| (opened.content.0, opened.stamp.revision)),
        };
        opened.map_err(|invalid| {
            let detail = "the state can't be used: start again";
            Refusal::new(ProblemType::StateInvalid, detail)
                .with_member("start", self.start())
                .caused_by(std::sync::Arc::new(Why(invalid.reason().as_str())))
        })
    }

    /// Where the flow begins.
    pub(super) fn start(&self) -> String {
        href::flow(&self.shared.base, &self.flow.name)
    }
}

/// Why a state doesn't open, for the log.
#[derive(Debug, thiserror::Error)]
#[error("the state doesn't open: {0}")]
struct Why(&'static str);

fn no_keys() -> Refusal {
    failure::internal_text("the service was given no keys to seal a flow's state with")
}
