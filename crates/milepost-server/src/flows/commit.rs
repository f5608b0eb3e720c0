//! The last step: every answer is looked at once more, and one transaction makes resources of them.
//!
//! Its id is the flow's, fixed at its beginning, so however often the step is sent, it is carried out once; who
//! sends it again is told what became of the first time. What somebody was shown is checked in the same
//! transaction: where it changed meanwhile, nothing is written, and what changed is shown.

use std::collections::BTreeSet;

use http::{HeaderValue, StatusCode, header::LOCATION};
use milepost_semantics::{ProblemType, ResourceId};
use milepost_store::{Rejected, ResourceKey};
use serde_json::{Map, Value, json};

use super::{
    definition::unusable,
    html::link,
    state::Progress,
    template,
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

/// Carries out the flow's transaction.
pub(super) async fn commit(visit: &Visit<'_>, progress: Progress) -> Answer {
    let id: ResourceId = progress
        .flow
        .parse()
        .map_err(|error| failure::internal_text(&format!("{error}")))?;
    let writes = writes(visit, &progress)?;
    let digest = transaction::digest(&json!({ "operations": writes }));
    let mut operations = writes.clone();
    operations.extend(checks(&progress, &writes));
    let carried = transaction::carry_out(
        (visit.shared, visit.request),
        id,
        json!({ "operations": operations }),
        digest,
    )
    .await?;
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

/// The definition's operations, filled in.
fn writes(visit: &Visit<'_>, progress: &Progress) -> Result<Vec<Value>, Refusal> {
    let walk = visit.walk(progress);
    let answers = walk.answers();
    let sight = walk.sight(&answers);
    let operations = visit.flow.transaction.operations.iter();
    let filled = operations.map(|operation| template::fill(operation, &sight));
    let filled: Result<Vec<Option<Value>>, String> = filled.collect();
    Ok(filled
        .map_err(|why| unusable(&why))?
        .into_iter()
        .flatten()
        .collect())
}

/// A check for everything that was shown and isn't written itself.
fn checks(progress: &Progress, writes: &[Value]) -> Vec<Value> {
    let written: BTreeSet<&str> = writes
        .iter()
        .filter_map(|write| write.get("href")?.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    let unwritten = progress.shown.values().filter(|shown| {
        let href = shown.href.as_str();
        !written.contains(href) && seen.insert(href)
    });
    unwritten
        .map(|shown| json!({ "method": "CHECK", "href": shown.href, "ifMatch": shown.etag }))
        .collect()
}

fn outcome_url(visit: &Visit<'_>, flow: &str) -> String {
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
    progress: Progress,
    keys: &[ResourceKey],
    rejected: Rejected,
) -> Answer {
    let changed = changed(visit, &progress).await?;
    if changed.is_empty() {
        let start = visit.holder().start();
        let refusal = transaction::rejected(visit.shared, keys, rejected);
        return Err(refusal.with_member("start", start));
    }
    let mut progress = progress;
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
