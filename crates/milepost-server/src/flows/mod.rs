//! Flows: what somebody is in the middle of, and no resource yet (protocol §9).
//!
//! A flow is defined by a resource of the collection `flows`. Every step is a function of the state that the client
//! sends and what it answers; the state goes back to the client, sealed, and nothing is stored before the last
//! step commits one transaction. So the back button, two tabs, another device and another node all just work: whoever
//! holds a state is where it says.
//!
//! People get pages with plain forms; after each form they are sent on (303) to a link that carries their place, so
//! that reloading and going back ask again and never send again. Programs get the same as documents.
//!
//! Files are not among what is carried: they are stored as drafts, which go by themselves unless the last step makes them
//! lasting ([`upload`]).

mod commit;
mod definition;
mod expression;
mod file;
mod foreign;
mod form;
mod html;
mod mentions;
mod multipart;
mod reasons;
mod review;
mod state;
mod template;
mod texts;
mod upload;
mod visit;
mod walk;

use std::collections::BTreeMap;

pub(crate) use self::{definition::COLLECTION, review::faults};

use http::{Method, Response, StatusCode, header::CONTENT_TYPE, request::Parts};
use milepost_semantics::{Issue, Problem, ProblemType};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use self::{
    definition::{Flow, Step},
    multipart::Sent,
    state::{Form, Progress},
    visit::{Said, Visit, guard},
    walk::{kept, migrated},
};
use crate::{
    body::Body,
    collection::Params,
    intake::{self, RequestBody},
    media,
    pages::{Escaped, negotiate},
    refusal::{Answer, Refusal},
    resource::parse,
    service::Shared,
};

const FORM: &str = "application/x-www-form-urlencoded";
const FORM_WITH_FILES: &str = "multipart/form-data";
const HTML: &str = "text/html";
/// What is sent at a step, files apart, in bytes: a state, and answers that fit into one.
const FORM_BYTES_MAX: usize = milepost_seal::SEALED_BYTES_MAX * 4;

/// An answer to a step.
#[derive(Debug)]
struct Submission {
    /// As it was sent.
    state: String,
    /// The same, opened.
    progress: Progress,
    input: Input,
    goes_back: bool,
}

/// What was answered.
#[derive(Debug)]
enum Input {
    Document(Map<String, Value>),
    Form(Sent),
}

/// In which form an answer is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Content {
    Document,
    Form,
    FormWithFiles,
}

/// The same as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentDocument {
    state: String,
    #[serde(default)]
    input: Map<String, Value>,
}

/// Answers GET, HEAD and POST.
pub(crate) async fn answer(
    shared: &Shared,
    request: &Parts,
    name: &str,
    body: RequestBody<'_>,
) -> Answer {
    if request.method == Method::POST {
        submit(shared, request, name, body).await
    } else {
        read(shared, request, name).await
    }
}

/// Answers GET and HEAD: the first step, or the place that a link keeps.
async fn read(shared: &Shared, request: &Parts, name: &str) -> Answer {
    let chosen = negotiate(&request.headers, &["application/json", HTML])?;
    let flow = Flow::read(shared, request, name).await?;
    let visit = Visit {
        shared,
        request,
        flow: &flow,
        is_html: chosen.essence() == HTML,
    };
    let answer = arrive(&visit).await;
    answer.or_else(|refusal| visit.refused(refusal))
}

/// Answers POST: what was answered at a step.
async fn submit(shared: &Shared, request: &Parts, name: &str, body: RequestBody<'_>) -> Answer {
    let content = content(request)?;
    let flow = Flow::read(shared, request, name).await?;
    let visit = Visit {
        shared,
        request,
        flow: &flow,
        is_html: content != Content::Document,
    };
    let answer = match sent(&visit, content, body).await {
        Ok(sent) => advance(&visit, sent).await,
        Err(refusal) => Err(refusal),
    };
    answer.or_else(|refusal| visit.refused(refusal))
}

fn content(request: &Parts) -> Result<Content, Refusal> {
    let given = request.headers.get(CONTENT_TYPE);
    let essence = given.and_then(|value| value.to_str().ok());
    let essence = essence.and_then(|text| text.split(';').next());
    let is = |kind: &str| essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(kind));
    let content = match () {
        () if is(FORM) => Content::Form,
        () if is(FORM_WITH_FILES) => Content::FormWithFiles,
        () => Content::Document,
    };
    if content == Content::Document {
        media::require_json_posted(&request.headers)?;
    } else {
        foreign::refuse(request)?;
    }
    Ok(content)
}

async fn arrive(visit: &Visit<'_>) -> Answer {
    let params = Params::of_query(visit.request.uri.query()).map_err(|issues| {
        let detail = "the query can't be read";
        Refusal::issues(ProblemType::InvalidQuery, detail, issues)
    })?;
    let first = |name: &str| {
        let mut found = params.iter().filter(|(key, _)| *key == name);
        found.next().map(|(_, value)| value)
    };
    if let Some(place) = first("place") {
        let progress = opened(visit, place, Form::Place).await?;
        return visit.show(progress, Said::default()).await;
    }
    if let Some(flow) = first("done") {
        return commit::done_page(visit, flow).await;
    }
    let progress = Progress {
        flow: new_id(),
        at: String::new(),
        answers: Map::new(),
        shown: BTreeMap::new(),
    };
    visit.show(progress, Said::default()).await
}

async fn sent(
    visit: &Visit<'_>,
    content: Content,
    body: RequestBody<'_>,
) -> Result<Submission, Refusal> {
    if content == Content::FormWithFiles {
        return multipart::read(visit, body).await;
    }
    let shared = visit.shared;
    let bytes = intake::read(shared, visit.request, body, FORM_BYTES_MAX).await?;
    if content == Content::Form {
        let pairs = form::pairs(&bytes);
        let state = form::value(&pairs, "state").unwrap_or_default().to_owned();
        return Ok(Submission {
            progress: opened(visit, &state, Form::State).await?,
            state,
            goes_back: form::value(&pairs, "go") == Some("back"),
            input: Input::Form(Sent::texts(pairs)),
        });
    }
    let document = parse(&bytes, shared.limits.depth_max)?;
    let document: SentDocument = serde_json::from_value(document).map_err(|error| {
        let detail = format!("what is sent is {{\"state\", \"input\"}}: {error}");
        Refusal::new(ProblemType::BadRequest, detail)
    })?;
    Ok(Submission {
        progress: opened(visit, &document.state, Form::State).await?,
        state: document.state,
        input: Input::Document(document.input),
        goes_back: false,
    })
}

/// The identity of a walk through a flow, and of the transaction that ends it.
fn new_id() -> String {
    Uuid::new_v4().hyphenated().to_string()
}

/// Opens a state, and brings it to the definition as it is now.
async fn opened(visit: &Visit<'_>, text: &str, form: Form) -> Result<Progress, Refusal> {
    let (progress, version) = visit.holder().open(text, form)?;
    if version == visit.flow.version {
        return Ok(progress);
    }
    if visit.has_ended(&progress).await? {
        // Nobody is led on from here: it would be done twice.
        let detail = "the flow was changed since this was completed, which holds: see outcome";
        return Err(Refusal::new(ProblemType::FlowRevised, detail)
            .with_member("start", visit.holder().start())
            .with_member("outcome", commit::outcome_url(visit, &progress.flow)));
    }
    revised(visit, &progress, version)
}

/// A state of another version, as far as it can be brought to this one.
fn revised(visit: &Visit<'_>, progress: &Progress, version: u64) -> Result<Progress, Refusal> {
    let walk = visit.walk(progress);
    if let Some(migrated) = migrated(&walk, version) {
        return Ok(migrated);
    }
    let kept = kept(&walk);
    let steps: Vec<&String> = kept.answers.keys().collect();
    let keep = visit.place_link(&kept)?.filter(|_| !steps.is_empty());
    let detail = format!(
        "the flow was changed since: it was version {version}, it is {}",
        visit.flow.version
    );
    let steps = steps
        .into_iter()
        .cloned()
        .map(Value::from)
        .collect::<Vec<_>>();
    Err(Refusal::new(ProblemType::FlowRevised, detail)
        .with_member("start", visit.holder().start())
        .with_member("keep", keep)
        .with_member("kept", steps))
}

/// From one step to the next, or back.
async fn advance(visit: &Visit<'_>, sent: Submission) -> Answer {
    let Submission {
        state,
        mut progress,
        input,
        goes_back,
    } = sent;
    let step = visit.step_of(&progress)?;
    let (input, files) = upload::settle(visit, (&progress, step), input).await?;
    upload::keep(&mut progress, step, &input);
    let wrong = step.wrong_with(&input, files)?;
    if goes_back {
        if wrong.is_empty() {
            progress
                .answers
                .insert(step.id.clone(), Value::Object(input));
        }
        let before = visit.walk(&progress).before();
        progress.at = before.map(|before| before.id.clone()).unwrap_or_default();
        return visit.go_on(progress).await;
    }
    if !wrong.is_empty() {
        return visit
            .correct(progress, step, (&input, &wrong), &state)
            .await;
    }
    step.id.clone_into(&mut progress.at);
    progress
        .answers
        .insert(step.id.clone(), Value::Object(input));
    let after = visit.walk(&progress).after().map(|step| step.id.clone());
    if let Some(after) = after {
        progress.at = after;
        return visit.go_on(progress).await;
    }
    match visit.walk(&progress).unanswered()? {
        Some(open) => {
            progress.at = open.id.clone();
            visit.go_on(progress).await
        }
        None => commit::commit(visit, progress).await,
    }
}

impl Visit<'_> {
    /// To the step that the progress is at: people by a link that they can reload, programs at once.
    async fn go_on(&self, progress: Progress) -> Answer {
        match self.place_link(&progress)?.filter(|_| self.is_html) {
            Some(link) => self.see_other(&link),
            None => self.show(progress, Said::default()).await,
        }
    }

    /// The same step again, with what is wrong.
    async fn correct(
        &self,
        progress: Progress,
        step: &Step,
        (input, wrong): (&Map<String, Value>, &[Issue]),
        state: &str,
    ) -> Answer {
        if self.is_html {
            let said = Said {
                status: StatusCode::BAD_REQUEST,
                wrong,
                input: Some(input),
                ..Said::default()
            };
            return self.show(progress, said).await;
        }
        let detail = format!("{} answers of step {} can't be taken", wrong.len(), step.id);
        let problem = Problem::new(ProblemType::InvalidInput, detail).with_issues(wrong.to_vec());
        Err(Refusal::from(problem.with_member("state", state)))
    }

    /// A problem, for people as a page that leads on.
    fn refused(&self, refusal: Refusal) -> Answer {
        if !self.is_html {
            return Err(refusal);
        }
        let speech = self.speech();
        let problem = refusal.problem();
        let (title, detail) = (
            speech.say(problem.kind.title()).to_owned(),
            problem.detail.clone(),
        );
        let link = |member: &str, text: &str| {
            let href = problem.extra.get(member)?.as_str()?;
            Some(format!("<p>{}</p>\n", html::link(href, speech.say(text))))
        };
        let links = [
            link("keep", "Go on with what can be kept"),
            link("outcome", "What became of it"),
            link("start", "Start again"),
        ];
        let main = format!(
            "<p>{}</p>\n<h1>{}</h1>\n<p>{}</p>\n{}",
            Escaped(speech.say(&self.flow.title)),
            Escaped(&title),
            Escaped(&detail),
            links.into_iter().flatten().collect::<String>()
        );
        let page = html::whole(speech.language, &title, &main);
        let mut response: Response<Body> = refusal.into_response(&self.shared.base);
        *response.body_mut() = Body::from(page.into_bytes());
        html::mark(response.headers_mut());
        guard(response.headers_mut());
        Ok(response)
    }
}
