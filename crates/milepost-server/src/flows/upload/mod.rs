//! Files among the answers: stored as drafts, carried as links.
//!
//! **The problem.** What somebody has answered travels with them, sealed; a file is too large for that, and must not be
//! stored for good before the last step either. And every step may be sent again, also after the end.
//!
//! **The choice.** A file becomes a draft in the collection that its step names, which goes by itself unless the flow's
//! transaction makes it lasting ([`Drafts`](milepost_store::definition::Drafts)). The answer is its URL, the entity tag of what
//! was looked at, and its name. Nothing but the version of that tag becomes lasting: the transaction asks for it whatever the
//! definition says, so what somebody puts behind a form never does.
//!
//! A form's file is stored for whoever asks ([`draft`]); a program puts one there itself and answers with its URL, and it is
//! looked at then as a form's is ([`link`]). Where the flow's transaction was carried out before, nothing is stored or looked at
//! any more: what is sent has its name, by which the end is known again, and no tag.
//!
//! A definition may change between a file and the end, so a draft is judged once more, by what is asked for then, wherever it
//! is met again and before the transaction. What is lasting already is not: what was made so by the first of two equal requests
//! would be in the way of the second.

mod draft;
mod lasting;
mod link;
mod standing;

pub(super) use self::{
    lasting::require_lasting,
    standing::{gone, is_lasting},
};

use milepost_semantics::{Issue, JsonPointer, problem::Part};
use milepost_store::{CollectionPath, ResourceKey};
use serde_json::{Map, Value, json};

use self::{
    draft::Draft,
    standing::{GONE, UNFIT},
};
use super::{
    Input,
    definition::{Step, unusable},
    file::{Member, Wanted},
    form,
    multipart::Sent,
    state::Progress,
    visit::Visit,
    walk::Walk,
};
use crate::{href, refusal::Refusal, rules::Sightline};

/// The tag of what was not looked at. No version of anything has it, so nothing is ever made lasting by it.
const UNSEEN: &str = "\"unseen\"";

/// What is said of a text in the place of a file.
const NO_FILE: &str = "must be sent as a file: in multipart/form-data, with a filename";

/// What somebody answers with a file: its link, or what is wrong with it.
type Settled = Result<Option<Value>, String>;

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
}

/// What is sent in the place of a file.
enum Offered {
    Nothing,
    /// The one that was answered before.
    Kept(Value),
    /// One in a form, and the draft that it makes.
    New(Draft),
    /// One that a program says it has put there.
    Linked(ResourceKey),
}

/// A file that was answered, as the flow's transaction speaks of it.
pub(super) struct Answered {
    pub(super) href: String,
    /// The tag of what was looked at.
    pub(super) etag: String,
}

/// The answers of a step as they were sent, files among them as links, and what is wrong with those.
pub(super) async fn settle(
    visit: &Visit<'_>,
    (progress, step): (&Progress, &Step),
    input: Input,
) -> Result<(Map<String, Value>, Vec<Issue>), Refusal> {
    let answers = match &input {
        Input::Document(answers) => answers.clone(),
        Input::Form(sent) => form::input(step, &sent.pairs),
    };
    if !step.has_files() {
        return Ok((answers, Vec::new()));
    }
    let mut settling = Settling {
        visit,
        progress,
        step,
        input: &input,
        is_over: visit.has_ended(progress).await?,
    };
    let settled = settling.settled(answers.clone()).await;
    let is_good = matches!(&settled, Ok((_, issues)) if issues.is_empty());
    if settling.is_over || is_good || !visit.has_ended(progress).await? {
        return settled;
    }
    // The same was sent at the same time, and came to the end meanwhile.
    settling.is_over = true;
    settling.settled(answers).await
}

/// What is settled at a step.
struct Settling<'a> {
    visit: &'a Visit<'a>,
    progress: &'a Progress,
    step: &'a Step,
    input: &'a Input,
    /// Whether the flow came to its end before.
    is_over: bool,
}

impl Settling<'_> {
    async fn settled(
        &self,
        mut answers: Map<String, Value>,
    ) -> Result<(Map<String, Value>, Vec<Issue>), Refusal> {
        let mut issues = Vec::new();
        for (name, wanted) in self.step.files() {
            let place = Place {
                progress: self.progress,
                step: self.step,
                name,
                wanted: &wanted,
            };
            let given = answers.shift_remove(name);
            match self.file(&place, given.as_ref()).await? {
                Ok(answer) => answers.extend(answer.map(|answer| (name.clone(), answer))),
                Err(detail) => {
                    let is_kept = ![GONE, UNFIT].contains(&detail.as_str());
                    let kept = place.kept().filter(|_| is_kept);
                    answers.extend(kept.map(|kept| (name.clone(), kept.clone())));
                    let pointer = format!("/input/{name}");
                    issues.push(Issue::new(Part::Body, pointer, detail));
                }
            }
        }
        Ok((answers, issues))
    }

    async fn file(&self, place: &Place<'_>, given: Option<&Value>) -> Result<Settled, Refusal> {
        let visit = self.visit;
        let offered = match (self.input, given) {
            (Input::Form(sent), _) => visit.chosen(place, sent).await?,
            (Input::Document(_), Some(given)) => {
                let link = visit.linked(place.wanted, given)?;
                link.map(Offered::Linked)
            }
            (Input::Document(_), None) => Ok(Offered::Nothing),
        };
        match offered {
            Err(detail) => Ok(Err(detail)),
            Ok(offered) if self.is_over => Ok(Ok(visit.named(place, offered))),
            Ok(offered) => visit.seen(place, offered).await,
        }
    }
}

impl Visit<'_> {
    /// What a form says: the new file, else the one that was there, unless it was removed.
    async fn chosen(
        &self,
        place: &Place<'_>,
        sent: &Sent,
    ) -> Result<Result<Offered, String>, Refusal> {
        if sent.has_text_for(place.name) {
            return Ok(Err(NO_FILE.to_owned()));
        }
        let mut files = sent.files.iter().filter(|file| file.is_chosen());
        if let Some(file) = files.find(|file| file.member == place.name) {
            let draft = self.draft(place, file).await?;
            return Ok(draft.map(Offered::New));
        }
        let is_removed = form::value(&sent.pairs, &format!("remove.{}", place.name)).is_some();
        let kept = place.kept().filter(|_| !is_removed);
        Ok(Ok(kept.map_or(Offered::Nothing, |kept| {
            Offered::Kept(kept.clone())
        })))
    }

    /// The answer, once what is offered was looked at.
    async fn seen(&self, place: &Place<'_>, offered: Offered) -> Result<Settled, Refusal> {
        match offered {
            Offered::Nothing => Ok(Ok(None)),
            Offered::Kept(kept) => {
                let why = self.why_again(place.wanted, &kept).await?;
                Ok(why.map_or(Ok(Some(kept)), |why| Err(why.to_owned())))
            }
            Offered::New(draft) => self.stored(place.wanted, draft).await,
            Offered::Linked(key) => self.looked_at(place.wanted, &key).await,
        }
    }

    /// The answer, where what became of it is known already.
    fn named(&self, place: &Place<'_>, offered: Offered) -> Option<Value> {
        let (key, name) = match offered {
            Offered::Nothing => return None,
            Offered::Kept(kept) => return Some(kept),
            Offered::New(draft) => (draft.key, draft.name),
            Offered::Linked(key) => (key, "file".to_owned()),
        };
        let answer = self.answer(&key, UNSEEN, &name);
        let kept = place
            .kept()
            .filter(|kept| kept.get("href") == answer.get("href"));
        Some(kept.cloned().unwrap_or(answer))
    }

    fn answer(&self, key: &ResourceKey, etag: &str, name: &str) -> Value {
        json!({
            "href": href::resource(&self.shared.base, key),
            "etag": etag,
            "name": name,
        })
    }

    /// What whoever asks sees of a collection.
    fn sightline(&self, collection: &CollectionPath) -> Sightline {
        let definitions = self.shared.store.definitions();
        let defined = definitions.of(collection);
        defined.map_or(Sightline::Open, |defined| {
            Sightline::of(&defined.definition, self.subject())
        })
    }

    /// A collection of files, and where `true` says that one is a draft.
    fn drafts(&self, name: &str) -> Result<(CollectionPath, JsonPointer), Refusal> {
        let missing = || {
            let detail = format!("its files need a collection {name} that has drafts");
            unusable(&detail)
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

/// Files that their own senders don't see are never found again.
fn hidden(collection: &CollectionPath) -> Refusal {
    unusable(&format!(
        "the rules of {collection} don't let whoever sends a file read it again: they have to, as long as it is a draft"
    ))
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
    with_files_as(step, answers, "name")
}

/// What tells answers from others: of a file its link alone, since its tag changes when the flow ends.
pub(super) fn told_apart(step: &Step, answers: &Value) -> Value {
    with_files_as(step, answers, "href")
}

fn with_files_as(step: &Step, answers: &Value, part: &str) -> Value {
    let mut changed = answers.clone();
    for (name, _) in step.files() {
        let file = answers.get(name).and_then(|file| file.get(part)).cloned();
        if let (Some(members), Some(file)) = (changed.as_object_mut(), file) {
            members.insert(name.clone(), file);
        }
    }
    changed
}

/// The files that were answered at steps that are there.
pub(super) fn answered(walk: &Walk<'_, '_>) -> Vec<Answered> {
    let answers = walk.answers();
    let files = walk.steps().iter();
    let files = files.flat_map(|step| step.answered_files(&answers));
    let one = |(_, _, file): (&String, Wanted, &Value)| {
        let text = |member: &str| file.get(member).and_then(Value::as_str);
        let etag = text("etag").unwrap_or(UNSEEN).to_owned();
        text("href").map(|href| Answered {
            href: href.to_owned(),
            etag,
        })
    };
    files.filter_map(one).collect()
}

/// The members of all steps that are files and were not answered, or whose step isn't there.
pub(super) fn unanswered<'f>(steps: &'f [Step], answers: &Map<String, Value>) -> Vec<Member<'f>> {
    let all = steps.iter().flat_map(|step| {
        let members = step.properties();
        let files = members.filter(|(_, schema)| Wanted::of(schema).is_some());
        files.map(|(name, _)| (step.id.as_str(), name.as_str()))
    });
    let is_given = |(step, name): &Member<'_>| {
        let given = answers.get(*step).and_then(|given| given.get(*name));
        given.is_some()
    };
    all.filter(|member| !is_given(member)).collect()
}
