//! Files among the answers: stored as drafts, carried as links.
//!
//! **The problem.** What somebody has answered travels with them, sealed; a file is too large for that, and must not be
//! stored for good before the last step either.
//!
//! **The choice.** A file becomes a draft in the collection that its step names, which goes by itself unless the flow's
//! transaction makes it lasting ([`Drafts`](milepost_store::definition::Drafts)). The answer is its URL, the entity tag of what was
//! looked at, and its name. Its id is a function of the flow's UUID, the step, the member and the document, so that a form
//! that is sent twice makes one draft, and nobody else can name it. It is written for whoever asks, under the collection's
//! rules, like what the flow ends in. Programs put the draft there themselves and answer with its URL; it is looked at then as a
//! file from a form is.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use milepost_semantics::{
    Issue, JsonPointer, Preconditions, ResourceId, precondition::IfNoneMatch, problem::Part,
};
use milepost_store::{
    Change, CollectionPath, Document, Failure, Operation, Outcome, ResourceKey, Transaction,
    Version,
};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{
    Input,
    definition::{Step, unusable},
    file::{Wanted, plain_name},
    form,
    multipart::SentFile,
    state::Progress,
    visit::Visit,
};
use crate::{
    failure, href, identity,
    refusal::Refusal,
    route::{self, Route},
    rules, transaction,
};

/// What is said of a file whose draft is no longer there, or no longer what was looked at.
const GONE: &str = "is no longer there: choose the file again";

/// What somebody answers with a file: its link, or what is wrong with it.
type Settled = Result<Option<Value>, String>;

/// The answers of a step as they were sent, files among them as links, and what is wrong with those.
pub(super) async fn settle(
    visit: &Visit<'_>,
    (progress, step): (&Progress, &Step),
    input: &Input,
) -> Result<(Map<String, Value>, Vec<Issue>), Refusal> {
    let mut answers = match input {
        Input::Document(answers) => answers.clone(),
        Input::Form(sent) => form::input(step, &sent.pairs),
    };
    let mut issues = Vec::new();
    for (name, wanted) in step.files() {
        let place = Place {
            progress,
            step,
            name,
            wanted: &wanted,
        };
        let given = answers.shift_remove(name);
        let settled = match input {
            Input::Document(_) => visit.linked(&wanted, given.as_ref()).await?,
            Input::Form(sent) => visit.sent(&place, sent).await?,
        };
        match settled {
            Ok(answer) => answers.extend(answer.map(|answer| (name.clone(), answer))),
            Err(detail) => {
                let kept = place.kept().filter(|_| detail != GONE);
                answers.extend(kept.map(|kept| (name.clone(), kept.clone())));
                let pointer = format!("/input/{name}");
                issues.push(Issue::new(Part::Body, pointer, detail));
            }
        }
    }
    Ok((answers, issues))
}

/// Takes answers away whose drafts are gone, of these steps; where there are any, the progress is at the first step
/// that has to be answered again, and what is to be said there.
pub(super) async fn gone(
    visit: &Visit<'_>,
    progress: &mut Progress,
    steps: &[&Step],
) -> Result<Vec<Issue>, Refusal> {
    let mut issues = Vec::new();
    for step in steps {
        for (name, _) in step.files() {
            let given = progress.answers.get(&step.id).and_then(|a| a.get(name));
            let Some(given) = given else { continue };
            if visit.still_holds(progress, given).await? {
                continue;
            }
            if issues.is_empty() {
                step.id.clone_into(&mut progress.at);
            }
            if progress.at == step.id {
                issues.push(Issue::new(Part::Body, format!("/input/{name}"), GONE));
            }
            let answers = progress.answers.get_mut(&step.id);
            answers
                .and_then(Value::as_object_mut)
                .map(|answers| answers.shift_remove(name));
        }
    }
    Ok(issues)
}

/// Keeps a step's files, whatever else is wrong at the step: nobody has to choose them again.
pub(super) fn keep(progress: &mut Progress, step: &Step, answers: &Map<String, Value>) {
    if !step.has_files() {
        return;
    }
    let nothing = || Value::Object(Map::new());
    let kept = progress.answers.entry(step.id.clone());
    let Some(kept) = kept.or_insert_with(nothing).as_object_mut() else {
        return;
    };
    for (name, _) in step.files() {
        match answers.get(name) {
            Some(answer) => {
                kept.insert(name.clone(), answer.clone());
            }
            None => {
                kept.shift_remove(name);
            }
        }
    }
}

/// What people are shown of answers: of a file its name.
pub(super) fn shown(step: &Step, answers: &Value) -> Value {
    let mut shown = answers.clone();
    for (name, _) in step.files() {
        let file = answers.get(name).and_then(|file| file.get("name")).cloned();
        if let (Some(members), Some(file)) = (shown.as_object_mut(), file) {
            members.insert(name.clone(), file);
        }
    }
    shown
}

/// Where a file is asked for, and who is there.
struct Place<'a> {
    progress: &'a Progress,
    step: &'a Step,
    name: &'a str,
    wanted: &'a Wanted,
}

impl Place<'_> {
    /// What was answered before.
    fn kept(&self) -> Option<&Value> {
        self.progress.answers.get(&self.step.id)?.get(self.name)
    }

    /// The id of the draft that a document becomes here.
    fn id(&self, document: &[u8]) -> String {
        let mut digest = Sha256::new();
        let names = [&self.progress.flow, &self.step.id, self.name];
        for part in names.map(str::as_bytes).into_iter().chain([document]) {
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        let digest = digest.finalize();
        let letters = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        letters.collect()
    }
}

impl Visit<'_> {
    fn resource_bytes_max(&self) -> usize {
        self.shared.limits.resource_bytes_max
    }

    /// A file from a form: the new one, else the one that was there.
    async fn sent(&self, place: &Place<'_>, sent: &super::Sent) -> Result<Settled, Refusal> {
        let field = format!("input.{}", place.name);
        let file = sent.files.iter().find(|file| file.field == field);
        if let Some(file) = file.filter(|file| file.is_chosen()) {
            return self.stored(place, file).await;
        }
        let is_removed = form::value(&sent.pairs, &format!("remove.{}", place.name)).is_some();
        match place.kept().filter(|_| !is_removed) {
            Some(kept) if self.still_holds(place.progress, kept).await? => {
                Ok(Ok(Some(kept.clone())))
            }
            Some(_) => Ok(Err(GONE.to_owned())),
            None => Ok(Ok(None)),
        }
    }

    /// Makes a draft of a file.
    async fn stored(&self, place: &Place<'_>, file: &SentFile) -> Result<Settled, Refusal> {
        let (wanted, most) = (place.wanted, self.resource_bytes_max());
        let Some(content) = &file.content else {
            return Ok(Err(wanted.too_large(most)));
        };
        let kind = match wanted.judge(content, most) {
            Ok(kind) => kind,
            Err(detail) => return Ok(Err(detail)),
        };
        let (collection, mark) = self.drafts(wanted)?;
        let name = plain_name(&file.name);
        let mut document = json!({
            "name": name,
            "mediaType": kind.media_type(),
            "size": content.len(),
            "content": STANDARD.encode(content),
        });
        if let Some(subject) = self.subject().id() {
            set(&mut document, &["by".to_owned()], subject.into());
        }
        set(&mut document, mark.tokens(), Value::Bool(true));
        let document = Document::from(document);
        let id = place.id(&document.bytes).parse::<ResourceId>();
        let id = id.map_err(|error| failure::internal_text(&error.to_string()))?;
        let key = ResourceKey::top(collection, id);
        let version = self.written(&key, document).await?;
        Ok(Ok(Some(self.answer(&key, &version, &name))))
    }

    /// Writes a draft, or finds the same there: its id says what it is.
    async fn written(&self, key: &ResourceKey, document: Document) -> Result<Version, Refusal> {
        identity::check_write(self.shared, self.request, &key.collection)?;
        let operation = Operation {
            key: key.clone(),
            preconditions: Preconditions {
                if_none_match: Some(IfNoneMatch::Any),
                ..Preconditions::default()
            },
            change: Change::Put(document),
        };
        let guard = rules::guard_of(self.request);
        let written = self
            .shared
            .store
            .write(Transaction::single(operation).guarded(guard));
        let silent = || failure::internal_text("the store told nothing of a draft");
        match written.await.map_err(failure::of_write)? {
            Outcome::Committed(committed) => {
                let applied = committed.applied.into_iter().next();
                applied
                    .and_then(|applied| applied.version)
                    .ok_or_else(silent)
            }
            Outcome::Rejected(rejected) => match rejected.failures.into_iter().next() {
                Some((
                    _,
                    Failure::PreconditionFailed {
                        current: Some(version),
                        ..
                    },
                )) => Ok(version),
                Some((_, failure)) => Err(failure::of_request(
                    self.shared,
                    self.request,
                    key,
                    failure,
                    false,
                )),
                None => Err(silent()),
            },
            Outcome::Recorded(_) | Outcome::RecordMismatch => Err(silent()),
        }
    }

    /// A program's answer: the URL of a draft that it has put there itself.
    async fn linked(&self, wanted: &Wanted, given: Option<&Value>) -> Result<Settled, Refusal> {
        let Some(given) = given else {
            return Ok(Ok(None));
        };
        let (collection, mark) = self.drafts(wanted)?;
        let missing = || {
            let (base, name) = (&self.shared.base, &wanted.collection);
            format!(
                "must have the href of a draft: put the file at {base}/{name}/{{id}} and answer {{\"href\": …}}"
            )
        };
        let link = given.get("href").and_then(Value::as_str);
        let key = match link.map(|link| route::parse(&self.shared.base, link)) {
            Some(Ok(Route::Resource(key))) if key.collection == collection => key,
            _ => return Ok(Err(missing())),
        };
        let found = rules::look_up(self.shared, self.request, &key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        let Some((version, body)) = found else {
            return Ok(Err(
                "is not there, or no longer: put it there again".to_owned()
            ));
        };
        let document: Value = serde_json::from_slice(&body).unwrap_or_default();
        if document.pointer(&mark.to_string()) != Some(&Value::Bool(true)) {
            let detail = format!("must be a draft: true stands at {mark} of one");
            return Ok(Err(detail));
        }
        let name = match self.judged(wanted, &document) {
            Ok(name) => name,
            Err(detail) => return Ok(Err(detail)),
        };
        Ok(Ok(Some(self.answer(&key, &version, &name))))
    }

    /// The name of a file that a program has put there, or what is wrong with it.
    fn judged(&self, wanted: &Wanted, document: &Value) -> Result<String, String> {
        let text = |member: &str| document.get(member).and_then(Value::as_str);
        let content = text("content").map(|content| STANDARD.decode(content));
        let Some(Ok(content)) = content else {
            return Err("must have the file as base64 in its member content".to_owned());
        };
        let kind = wanted.judge(&content, self.resource_bytes_max())?;
        if text("mediaType") != Some(kind.media_type()) {
            let kind = kind.media_type();
            return Err(format!("must say what it is: mediaType {kind}"));
        }
        Ok(plain_name(text("name").unwrap_or_default()))
    }

    fn answer(&self, key: &ResourceKey, version: &Version, name: &str) -> Value {
        json!({
            "href": href::resource(&self.shared.base, key),
            "etag": version.entity_tag().to_string(),
            "name": name,
        })
    }

    /// Whether a file that was answered can still be gone on with: its draft is there, or the flow has come to its end, and
    /// made it lasting.
    async fn still_holds(&self, progress: &Progress, answer: &Value) -> Result<bool, Refusal> {
        if self.is_there(answer).await? {
            return Ok(true);
        }
        let ended = transaction::outcome_of(self.shared, self.request, &progress.flow).await;
        Ok(ended.is_ok())
    }

    /// Whether an answer's draft is there, and is what was looked at.
    async fn is_there(&self, answer: &Value) -> Result<bool, Refusal> {
        let text = |member: &str| answer.get(member).and_then(Value::as_str);
        let Ok(Route::Resource(key)) =
            route::parse(&self.shared.base, text("href").unwrap_or_default())
        else {
            return Ok(false);
        };
        let found = rules::look_up(self.shared, self.request, &key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        Ok(found
            .is_some_and(|(version, _)| Some(&*version.entity_tag().to_string()) == text("etag")))
    }

    /// The collection of such files, and where `true` says that one is a draft.
    fn drafts(&self, wanted: &Wanted) -> Result<(CollectionPath, JsonPointer), Refusal> {
        let name = &wanted.collection;
        let missing = || {
            unusable(&format!(
                "its files need a collection {name} that has drafts"
            ))
        };
        let path = CollectionPath::parse(name).ok_or_else(missing)?;
        let definitions = self.shared.store.definitions();
        let definition = definitions.of(&path).map(|defined| &defined.definition);
        let definition = definition.ok_or_else(missing)?;
        let drafts = definition.drafts.as_ref().ok_or_else(missing)?;
        let index = definition.index(&drafts.index).ok_or_else(missing)?;
        Ok((path, index.pointer.clone()))
    }
}

/// Puts a value where a pointer says, among members.
fn set(document: &mut Value, tokens: &[String], value: Value) {
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
