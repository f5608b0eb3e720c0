//! The last step: every answer is looked at once more, and one transaction makes resources of them.
//!
//! Its id is the flow's, fixed at its beginning, so however often the step is sent, it is carried out once; who
//! sends it again is told what became of the first time. What somebody was shown is checked in the same
//! transaction: where it changed meanwhile, nothing is written, and what changed is shown.

use std::collections::BTreeSet;

use http::{HeaderValue, StatusCode, header::LOCATION};
use milepost_semantics::{Issue, Problem, ProblemType, ResourceId};
use milepost_store::{Rejected, ResourceKey};
use serde_json::{Map, Value, json};

use super::{
    definition::unusable,
    expression::Sight,
    file::{Member, Spoken},
    html::link,
    state::Progress,
    template,
    upload::{self, Answered},
    visit::{Said, Visit},
};
use crate::{
    failure, href,
    pages::Escaped,
    refusal::{Answer, Refusal},
    transaction::{self, Carried},
};

/// Something that was shown and isn't so any more.
struct Changed {
    name: String,
    href: String,
    before: Value,
    after: Value,
}

/// Carries out the flow's transaction, or tells what became of it before.
pub(super) async fn commit(visit: &Visit<'_>, mut progress: Progress) -> Answer {
    let id: ResourceId = progress
        .flow
        .parse()
        .map_err(|error| failure::internal_text(&format!("{error}")))?;
    let asked = (visit.shared, visit.request);
    let digest = digest(visit, &progress);
    let carried = match transaction::repeated(asked, &id, digest).await? {
        Some(carried) => carried,
        None => {
            let steps = visit.walk(&progress).steps().to_vec();
            let gone = upload::gone(visit, &mut progress, &steps).await?;
            if !gone.is_empty() {
                return missing(visit, progress, &gone).await;
            }
            let operations = operations(visit, &progress)?;
            let document = json!({ "operations": operations });
            transaction::carry_out(asked, id, document, digest).await?
        }
    };
    match carried {
        Carried::Committed(outcome) => done(visit, &progress, StatusCode::CREATED, &outcome),
        Carried::Recorded(outcome) => {
            let body = outcome.body.unwrap_or_default();
            done(visit, &progress, StatusCode::OK, &body)
        }
        Carried::Mismatch => Err(Refusal::new(
            ProblemType::TransactionMismatch,
            "this was completed before, with other answers: those hold",
        )
        .with_member("outcome", outcome_url(visit, &progress.flow))),
        Carried::Rejected(keys, rejected) => refused(visit, progress, &keys, rejected).await,
    }
}

/// Tells this end of a walk from others of the same walk: by what was answered, in whatever order. Not by what is made of
/// that, in which the tags of files, claims of a token and what is shown may be others each time the same is sent.
fn digest(visit: &Visit<'_>, progress: &Progress) -> [u8; 16] {
    let walk = visit.walk(progress);
    let mut answers = walk.answers();
    for step in walk.steps() {
        if let Some(given) = answers.get_mut(&step.id) {
            *given = upload::told_apart(step, given);
        }
    }
    let name = ("flow".to_owned(), Value::from(visit.flow.name.as_str()));
    let answers = ("answers".to_owned(), Value::Object(answers));
    let mut told = Value::Object(Map::from_iter([name, answers]));
    told.sort_all_objects();
    transaction::digest(&told)
}

/// What the transaction does: the definition's operations, filled in, and a check for everything that was shown, or answered as
/// a file, and isn't written itself.
fn operations(visit: &Visit<'_>, progress: &Progress) -> Result<Vec<Value>, Refusal> {
    let walk = visit.walk(progress);
    let answers = walk.answers();
    let sight = walk.sight(&answers);
    let unanswered = upload::unanswered(&visit.flow.steps, &answers);
    let files = upload::answered(&walk);
    let mut writes = Vec::new();
    for (index, operation) in visit.flow.transaction.operations.iter().enumerate() {
        let filled = filled(operation, &sight, (&answers, &unanswered));
        let filled = filled.map_err(|why| unusable(&format!("operation {index}: {why}")))?;
        writes.extend(filled.map(|write| as_seen(write, &files)));
    }
    if writes.is_empty() {
        let detail = "nothing is left to do: all that it writes is files, and none was answered";
        return Err(unusable(detail));
    }
    upload::require_lasting(visit, &walk, &writes)?;
    let shown = progress.shown.values().map(|shown| Answered {
        href: shown.href.clone(),
        etag: shown.etag.clone(),
    });
    let checks = checks(shown.chain(files), &writes);
    writes.extend(checks);
    Ok(writes)
}

/// An operation, filled in; `None` where it is about a file that wasn't answered, and of nothing else that wasn't. Any other
/// that has no URL is a mistake.
fn filled(
    operation: &Value,
    sight: &Sight<'_>,
    (answers, unanswered): (&Map<String, Value>, &[Member<'_>]),
) -> Result<Option<Value>, String> {
    let whole = template::fill(operation, sight);
    if let Ok(Some(write)) = &whole
        && write.get("href").is_some()
    {
        return whole;
    }
    let href = operation.get("href").unwrap_or(&Value::Null);
    let has_place = matches!(template::fill(href, sight), Ok(Some(_)));
    if !has_place && Spoken::of(operation).misses_only(unanswered, answers) {
        return Ok(None);
    }
    whole.and(Err("its href has no value with these answers".to_owned()))
}

/// A write of a file is one of what was looked at, and of nothing else, whatever the definition says.
fn as_seen(mut write: Value, files: &[Answered]) -> Value {
    let href = write.get("href").and_then(Value::as_str);
    let file = files.iter().find(|file| Some(file.href.as_str()) == href);
    if let (Some(file), Some(members)) = (file, write.as_object_mut()) {
        members.insert("ifMatch".to_owned(), file.etag.as_str().into());
    }
    write
}

/// A check that everything that was seen is as it was, but what is written.
fn checks(seen: impl Iterator<Item = Answered>, writes: &[Value]) -> Vec<Value> {
    let written = writes
        .iter()
        .filter_map(|write| write.get("href")?.as_str());
    let mut told: BTreeSet<String> = written.map(str::to_owned).collect();
    let unwritten = seen.filter(|one| told.insert(one.href.clone()));
    unwritten
        .map(|one| json!({ "method": "CHECK", "href": one.href, "ifMatch": one.etag }))
        .collect()
}

/// Where what became of a walk is told.
pub(super) fn outcome_url(visit: &Visit<'_>, flow: &str) -> String {
    href::transaction(&visit.shared.base, flow)
}

fn done(visit: &Visit<'_>, progress: &Progress, status: StatusCode, outcome: &[u8]) -> Answer {
    if visit.is_html {
        return visit.see_other(&format!(
            "{}?done={}",
            visit.holder().start(),
            progress.flow
        ));
    }
    let text = String::from_utf8_lossy(outcome).into_owned();
    let mut response = visit.response(status, text, false);
    let location = HeaderValue::from_str(&outcome_url(visit, &progress.flow));
    response
        .headers_mut()
        .extend(location.ok().map(|location| (LOCATION, location)));
    Ok(response)
}

/// Nothing was written: because of what was shown, or of what was answered.
async fn refused(
    visit: &Visit<'_>,
    mut progress: Progress,
    keys: &[ResourceKey],
    rejected: Rejected,
) -> Answer {
    let steps = visit.walk(&progress).steps().to_vec();
    let gone = upload::gone(visit, &mut progress, &steps).await?;
    if !gone.is_empty() {
        return missing(visit, progress, &gone).await;
    }
    let changed = changed(visit, &progress).await?;
    if changed.is_empty() {
        let start = visit.holder().start();
        let refusal = transaction::rejected(visit.shared, keys, rejected);
        let refusal = refusal.with_member("start", start);
        if upload::is_lasting(visit, &progress, &steps).await? {
            let detail = "a file of this was made lasting before, be it that this was completed, so long ago that what became of it is no longer kept: start again to do it anew";
            return Err(refusal.with_detail(detail));
        }
        return Err(refusal);
    }
    let names: BTreeSet<&str> = changed
        .iter()
        .map(|changed| changed.name.as_str())
        .collect();
    let shows = |step: &&super::definition::Step| {
        step.shows.keys().any(|name| names.contains(name.as_str()))
    };
    let at = visit
        .walk(&progress)
        .steps()
        .iter()
        .copied()
        .find(shows)
        .map(|step| step.id.clone());
    progress.at = at.unwrap_or(progress.at);
    if visit.is_html {
        let said = Said {
            status: StatusCode::PRECONDITION_FAILED,
            notice: notice(visit, &changed),
            ..Said::default()
        };
        return visit.show(progress, said).await;
    }
    let told = changed.iter().map(|one| {
        json!({ "name": one.name, "href": one.href, "before": one.before, "after": one.after })
    });
    let told: Vec<Value> = told.collect();
    let detail =
        "what was shown changed meanwhile, and nothing was done: look at it, and finish again";
    let (progress, step) = visit.look(progress).await?;
    let next = visit.document(&progress, step)?;
    Err(Refusal::new(ProblemType::ShownChanged, detail)
        .with_member("changed", told)
        .with_member("next", next))
}

/// Nothing was written, since files are no longer there: they are asked for again, and everything else is kept.
async fn missing(visit: &Visit<'_>, progress: Progress, gone: &[Issue]) -> Answer {
    if visit.is_html {
        let said = Said {
            status: StatusCode::BAD_REQUEST,
            wrong: gone,
            ..Said::default()
        };
        return visit.show(progress, said).await;
    }
    let (progress, step) = visit.look(progress).await?;
    let next = visit.document(&progress, step)?;
    let detail = "files are no longer there, may no longer be read, or are not what is asked for any more: where this was completed before, that holds, also after what became of it is no longer kept; else answer the step in next again";
    let problem = Problem::new(ProblemType::InvalidInput, detail).with_issues(gone.to_vec());
    Err(Refusal::from(problem.with_member("next", next)))
}

async fn changed(visit: &Visit<'_>, progress: &Progress) -> Result<Vec<Changed>, Refusal> {
    let mut changed = Vec::new();
    for (name, shown) in &progress.shown {
        let current = visit.current(&shown.href).await?;
        if current.as_ref().is_some_and(|(now, _)| *now == shown.etag) {
            continue;
        }
        changed.push(Changed {
            name: name.clone(),
            href: shown.href.clone(),
            before: shown.value.clone(),
            after: current.map(|(_, value)| value).unwrap_or_default(),
        });
    }
    Ok(changed)
}

/// What changed, member by member.
fn notice(visit: &Visit<'_>, changed: &[Changed]) -> String {
    let speech = visit.speech();
    let (was, now) = (speech.say("was"), speech.say("is now"));
    let mut rows = String::new();
    for one in changed {
        let nothing = Map::new();
        let before = one.before.as_object().unwrap_or(&nothing);
        let after = one.after.as_object().unwrap_or(&nothing);
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for name in names
            .into_iter()
            .filter(|name| before.get(*name) != after.get(*name))
        {
            let text = |value: Option<&Value>| match value {
                Some(Value::String(text)) => text.clone(),
                Some(value) => value.to_string(),
                None => "–".to_owned(),
            };
            let (old, new) = (text(before.get(name)), text(after.get(name)));
            let (old, new) = (Escaped(&old), Escaped(&new));
            let name = visit.title_of(&one.href, name);
            let name = Escaped(speech.say(&name));
            rows.push_str(&format!(
                "<li>{name} {was} <del>{old}</del>, {now} <ins>{new}</ins></li>\n"
            ));
        }
    }
    let heading = Escaped(speech.say("Something changed while you were busy"));
    format!(
        "<div role=\"alert\" tabindex=\"-1\" autofocus>\n<h2>{heading}</h2>\n<ul>\n{rows}</ul>\n</div>\n"
    )
}

/// The page that says that it is done.
pub(super) async fn done_page(visit: &Visit<'_>, flow: &str) -> Answer {
    // Whoever asks by another id is told that there is nothing.
    transaction::outcome_of(visit.shared, visit.request, flow).await?;
    let speech = visit.speech();
    let main = format!(
        "<p>{}</p>\n<h1>{}</h1>\n<p>{} <code>{}</code>.</p>\n<p>{}</p>\n",
        Escaped(speech.say(&visit.flow.title)),
        Escaped(speech.say("Done")),
        Escaped(speech.say("Your reference is")),
        Escaped(flow),
        link(&outcome_url(visit, flow), speech.say("What became of it")),
    );
    let title = format!("{} – {}", speech.say("Done"), speech.say(&visit.flow.title));
    let page = super::html::whole(speech.language, &title, &main);
    Ok(visit.response(StatusCode::OK, page, true))
}
