//! A form's file as a draft: what its document is, what it is called, and how it is written.
//!
//! Its id is a function of the flow's UUID, the step, the member and the document, so that a form that is sent twice makes one
//! draft, and nobody else can name it beforehand. What stands there already is taken only if it is the same to the byte: another draft is
//! written over, and what is lasting is left alone.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use milepost_semantics::{JsonPointer, Preconditions, ProblemType, ResourceId};
use milepost_store::{
    Change, Document, Failure, Operation, Outcome, ResourceKey, Transaction, Version,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{Place, Settled, hidden, standing::is_draft};
use crate::{
    aside, failure,
    flows::{
        definition::unusable,
        file::{Kind, Wanted, plain_name},
        multipart::SentFile,
        visit::Visit,
    },
    identity,
    refusal::Refusal,
    rules,
};

/// How often a draft is written, where somebody else writes to it at the same time.
const TRIES_MAX: usize = 4;
/// What is said of a file that this flow has made lasting before.
const HANDED_IN: &str = "was handed in with this form before: start again to hand it in once more";

/// A file of a form, and where it belongs.
pub(super) struct Draft {
    pub(super) key: ResourceKey,
    /// What people call it.
    pub(super) name: String,
    document: Document,
}

/// What is said of a file beside its content.
struct About {
    name: String,
    kind: Kind,
    /// Whose it is, where somebody is known.
    by: Option<String>,
    /// Where `true` says that it is a draft.
    mark: JsonPointer,
}

impl About {
    fn document(self, content: &[u8]) -> Document {
        let mut document = json!({
            "name": self.name,
            "mediaType": self.kind.media_type(),
            "size": content.len(),
            "content": STANDARD.encode(content),
        });
        if let Some(by) = self.by {
            set(&mut document, &["by".to_owned()], by.into());
        }
        set(&mut document, self.mark.tokens(), Value::Bool(true));
        Document::from(document)
    }
}

impl Place<'_> {
    /// The beginning of what a draft's id is made of here.
    fn digest(&self) -> Sha256 {
        let names = [&self.progress.flow, &self.step.id, self.name];
        names
            .into_iter()
            .fold(Sha256::new(), |digest, name| added(digest, name.as_bytes()))
    }
}

fn added(digest: Sha256, part: &[u8]) -> Sha256 {
    digest
        .chain_update(part.len().to_be_bytes())
        .chain_update(part)
}

/// The id of a document's draft.
fn id_of(digest: Sha256, document: &Document) -> String {
    let digest = added(digest, &document.bytes).finalize();
    let letters = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
    letters.collect()
}

impl Visit<'_> {
    /// The draft that a file makes, or what is wrong with the file. Nothing is written.
    pub(super) async fn draft(
        &self,
        place: &Place<'_>,
        file: &SentFile,
    ) -> Result<Result<Draft, String>, Refusal> {
        let (wanted, most) = (place.wanted, self.shared.limits.resource_bytes_max);
        let Some(content) = &file.content else {
            return Ok(Err(wanted.too_large(most)));
        };
        let kind = match wanted.judge(content, most) {
            Ok(kind) => kind,
            Err(detail) => return Ok(Err(detail)),
        };
        let (collection, mark) = self.drafts(&wanted.collection)?;
        let name = plain_name(&file.name);
        let about = About {
            name: name.clone(),
            kind,
            by: self.subject().id().map(str::to_owned),
            mark,
        };
        let digest = place.digest();
        let made = aside::work(content, move |content| {
            let document = about.document(content);
            (id_of(digest, &document), document)
        });
        let (id, document) = made.await?;
        let id = id.parse::<ResourceId>();
        let id = id.map_err(|error| failure::internal_text(&error.to_string()))?;
        Ok(Ok(Draft {
            key: ResourceKey::top(collection, id),
            name,
            document,
        }))
    }

    /// Writes a draft for whoever asks, or finds the same there.
    pub(super) async fn stored(&self, wanted: &Wanted, draft: Draft) -> Result<Settled, Refusal> {
        let Draft {
            key,
            name,
            document,
        } = draft;
        // Said before it is written: its sender would never find it again.
        if !self.sightline(&key.collection).shows(&key, &document.bytes) {
            return Err(hidden(&key.collection));
        }
        identity::check_write(self.shared, self.request, &key.collection)?;
        let (_, mark) = self.drafts(&wanted.collection)?;
        let mut conditions = Preconditions::if_none_match_any();
        for _try in 0..TRIES_MAX {
            let current = match self.written(&key, &document, conditions).await? {
                Ok(version) => {
                    let etag = version.entity_tag().to_string();
                    return Ok(Ok(Some(self.answer(&key, &etag, &name))));
                }
                Err(Failure::PreconditionFailed { current, .. }) => current,
                Err(Failure::Forbidden) => {
                    return self.standing_there(&key, (&document, &name), &mark).await;
                }
                Err(failure) => return Err(self.refused_draft(&key, failure)),
            };
            let standing = current.as_ref().and_then(|version| {
                let body = version.body.as_ref()?;
                Some((version, body))
            });
            conditions = match standing {
                None => Preconditions::if_none_match_any(),
                Some((version, body)) if *body == document.bytes => {
                    let etag = version.entity_tag().to_string();
                    return Ok(Ok(Some(self.answer(&key, &etag, &name))));
                }
                Some((version, body)) if is_draft(body, &mark) => {
                    Preconditions::if_match(version.entity_tag())
                }
                Some(_lasting) => return Ok(Err(HANDED_IN.to_owned())),
            };
        }
        let detail = "somebody else writes to the same file: send it again";
        Err(Refusal::new(ProblemType::Overloaded, detail).retry_after_s(1))
    }

    /// What is to be said where rules let nothing be written: they are asked before it is looked at whether the same was
    /// sent before.
    async fn standing_there(
        &self,
        key: &ResourceKey,
        (document, name): (&Document, &str),
        mark: &JsonPointer,
    ) -> Result<Settled, Refusal> {
        let found = rules::look_up(self.shared, self.request, key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        match found {
            Some((version, body)) if body == document.bytes => {
                let etag = version.entity_tag().to_string();
                Ok(Ok(Some(self.answer(key, &etag, name))))
            }
            Some((_, body)) if !is_draft(&body, mark) => Ok(Err(HANDED_IN.to_owned())),
            _ => Err(self.refused_draft(key, Failure::Forbidden)),
        }
    }

    async fn written(
        &self,
        key: &ResourceKey,
        document: &Document,
        preconditions: Preconditions,
    ) -> Result<Result<Version, Failure>, Refusal> {
        let operation = Operation {
            key: key.clone(),
            preconditions,
            change: Change::Put(document.clone()),
        };
        let transaction = Transaction::single(operation).guarded(rules::guard_of(self.request));
        let written = self.shared.store.write(transaction).await;
        let silent = || failure::internal_text("the store told nothing of a draft");
        match written.map_err(failure::of_write)? {
            Outcome::Committed(committed) => {
                let applied = committed.applied.into_iter().next();
                let version = applied.and_then(|applied| applied.version);
                version.map(Ok).ok_or_else(silent)
            }
            Outcome::Rejected(rejected) => {
                let failed = rejected.failures.into_iter().next();
                failed.map(|(_, failure)| Err(failure)).ok_or_else(silent)
            }
            Outcome::Recorded(_) | Outcome::RecordMismatch => Err(silent()),
        }
    }

    fn refused_draft(&self, key: &ResourceKey, failure: Failure) -> Refusal {
        let collection = &key.collection;
        match failure {
            Failure::Forbidden => {
                let detail = format!(
                    "the rules of {collection} don't let the subject of this request put a file there"
                );
                identity::not_permitted(self.request, &detail)
            }
            Failure::InvalidDocument(violations) => {
                let what = violations
                    .first()
                    .map(|violation| format!("{}: {}", violation.pointer, violation.detail));
                unusable(&format!(
                    "the schema of {collection} doesn't take files: {}",
                    what.unwrap_or_default()
                ))
            }
            failure => failure::of_request(self.shared, self.request, key, failure, false),
        }
    }
}

/// Puts a value where a pointer says, among members.
pub(super) fn set(document: &mut Value, tokens: &[String], value: Value) {
    let mut at = document;
    for token in tokens {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        let Some(members) = at.as_object_mut() else {
            return;
        };
        at = members.entry(token.clone()).or_insert(Value::Null);
    }
    *at = value;
}
