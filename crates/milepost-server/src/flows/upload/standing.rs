//! What became of a file since it was answered.

use milepost_semantics::{Issue, JsonPointer, problem::Part};
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

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// It is there, as it was looked at.
    Draft,
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

    /// Whether a file has to be answered again, as long as the flow hasn't ended.
    pub(super) async fn is_gone(&self, wanted: &Wanted, answer: &Value) -> Result<bool, Refusal> {
        Ok(self.standing(wanted, answer).await? == Standing::Gone)
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
            return Ok(Standing::Draft);
        }
        let (_, mark) = self.drafts(wanted)?;
        Ok(if is_draft(&body, &mark) {
            Standing::Gone
        } else {
            Standing::Lasting
        })
    }
}

/// Whether a document says that it is a draft.
pub(super) fn is_draft(body: &[u8], mark: &JsonPointer) -> bool {
    let document = serde_json::from_slice::<Value>(body);
    document.is_ok_and(|document| document.pointer(&mark.to_string()) == Some(&Value::Bool(true)))
}

/// Takes answers away whose drafts are gone, of these steps; where there are any, the progress is at the first step
/// that has to be answered again, and what is to be said there. After the end nothing is gone.
pub(in crate::flows) async fn gone(
    visit: &Visit<'_>,
    progress: &mut Progress,
    steps: &[&Step],
) -> Result<Vec<Issue>, Refusal> {
    let mut issues = Vec::new();
    for step in steps {
        for (name, wanted) in step.files() {
            let given = progress.answers.get(&step.id).and_then(|a| a.get(name));
            let Some(given) = given else { continue };
            if !visit.is_gone(&wanted, given).await? || visit.has_ended(progress).await? {
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

/// Whether a file that was answered at one of these steps is no draft any more.
pub(in crate::flows) async fn is_lasting(
    visit: &Visit<'_>,
    progress: &Progress,
    steps: &[&Step],
) -> Result<bool, Refusal> {
    for step in steps {
        for (name, wanted) in step.files() {
            let given = progress.answers.get(&step.id).and_then(|a| a.get(name));
            let Some(given) = given else { continue };
            if visit.standing(&wanted, given).await? == Standing::Lasting {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
