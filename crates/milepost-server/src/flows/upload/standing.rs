//! What became of a file since it was answered.

use bytes::Bytes;
use milepost_semantics::{Issue, JsonPointer, problem::Part};
use milepost_store::ResourceKey;
use serde_json::Value;

use crate::{
    failure,
    flows::{definition::Step, file::Wanted, state::Progress, visit::Visit},
    refusal::Refusal,
    route::{self, Route},
    rules, transaction,
};

/// What is said of a file whose draft is no longer there, or no longer what was looked at.
pub(super) const GONE: &str = "is no longer there: choose the file again";

/// What is said of a file that was right when it was answered, and is asked for otherwise since.
pub(super) const UNFIT: &str = "is not what is asked for any more: choose another file";

/// What became of a file.
#[derive(Debug)]
enum Standing {
    /// It is there, as it was looked at.
    Draft(ResourceKey, Bytes),
    /// It is no draft any more.
    Lasting,
    /// It is not there, for whoever asks, or is another draft.
    Gone,
}

impl Visit<'_> {
    /// Whether the flow's transaction was carried out before, as far as its outcome is kept.
    pub(in crate::flows) async fn has_ended(&self, progress: &Progress) -> Result<bool, Refusal> {
        let outcome = transaction::find_outcome((self.shared, self.request), &progress.flow);
        Ok(outcome.await?.is_some())
    }

    /// Why a file has to be answered again, where it has to, as long as the flow hasn't ended. A definition may ask for
    /// others than when it was answered, so a draft is judged each time.
    pub(super) async fn why_again(
        &self,
        wanted: &Wanted,
        answer: &Value,
    ) -> Result<Option<&'static str>, Refusal> {
        Ok(match self.standing(wanted, answer).await? {
            Standing::Lasting => None,
            Standing::Gone => Some(GONE),
            Standing::Draft(key, body) => {
                let (collection, mark) = self.drafts(&wanted.collection)?;
                let is_there = key.collection == collection;
                let fits = is_there && self.judged((wanted, mark), &body).await?.is_ok();
                (!fits).then_some(UNFIT)
            }
        })
    }

    /// Where `true` says that a resource is a draft, of the collection where it is.
    fn mark_of(&self, wanted: &Wanted, key: &ResourceKey) -> Result<Option<JsonPointer>, Refusal> {
        let name = key.collection.as_str();
        match self.drafts(name) {
            Ok((_, mark)) => Ok(Some(mark)),
            Err(_) if name != wanted.collection => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    async fn standing(&self, wanted: &Wanted, answer: &Value) -> Result<Standing, Refusal> {
        let text = |member: &str| answer.get(member).and_then(Value::as_str);
        let href = text("href").unwrap_or_default();
        let Ok(Route::Resource(key)) = route::parse(&self.shared.base, href) else {
            return Ok(Standing::Gone);
        };
        let found = rules::look_up(self.shared, self.request, &key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        let Some((version, body)) = found else {
            return Ok(Standing::Gone);
        };
        if Some(&*version.entity_tag().to_string()) == text("etag") {
            return Ok(Standing::Draft(key, body));
        }
        let mark = self.mark_of(wanted, &key)?;
        Ok(match mark {
            Some(mark) if !is_draft(&body, &mark) => Standing::Lasting,
            _ => Standing::Gone,
        })
    }
}

/// Whether a document says that it is a draft.
pub(super) fn is_draft(body: &[u8], mark: &JsonPointer) -> bool {
    let document = serde_json::from_slice(body);
    document.is_ok_and(|document| is_marked(&document, mark))
}

/// The same of one that was parsed.
pub(super) fn is_marked(document: &Value, mark: &JsonPointer) -> bool {
    mark.resolve(document) == Some(&Value::Bool(true))
}

/// Takes answers away whose drafts are gone, or not what is asked for any more, of the first of these steps where there are
/// any; then the progress is at that step, and what is to be said there. After the end nothing is gone.
///
/// Those of later steps are told when these are shown, or at the end: what isn't told is not taken away.
pub(in crate::flows) async fn gone(
    visit: &Visit<'_>,
    progress: &mut Progress,
    steps: &[&Step],
) -> Result<Vec<Issue>, Refusal> {
    for step in steps {
        let mut again = Vec::new();
        for (name, wanted, answer) in step.answered_files(&progress.answers) {
            let why = visit.why_again(&wanted, answer).await?;
            again.extend(why.map(|why| (name.clone(), why)));
        }
        if again.is_empty() {
            continue;
        }
        if visit.has_ended(progress).await? {
            break;
        }
        step.id.clone_into(&mut progress.at);
        let answers = progress.answers.get_mut(&step.id);
        if let Some(answers) = answers.and_then(Value::as_object_mut) {
            answers.retain(|name, _| again.iter().all(|(gone, _)| gone != name));
        }
        let told = |(name, why): (String, _)| Issue::new(Part::Body, format!("/input/{name}"), why);
        return Ok(again.into_iter().map(told).collect());
    }
    Ok(Vec::new())
}

/// Whether a file that was answered at one of these steps is no draft any more.
pub(in crate::flows) async fn is_lasting(
    visit: &Visit<'_>,
    progress: &Progress,
    steps: &[&Step],
) -> Result<bool, Refusal> {
    for step in steps {
        for (_, wanted, answer) in step.answered_files(&progress.answers) {
            let standing = visit.standing(&wanted, answer).await?;
            if matches!(standing, Standing::Lasting) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
