//! One request to a flow: who asks, in which form, and what is answered at a step.

use http::{
    HeaderValue, Response, StatusCode,
    header::{ACCEPT_LANGUAGE, CACHE_CONTROL, LOCATION, VARY},
    request::Parts,
};
use milepost_semantics::Issue;
use milepost_store::ResourceKey;
use serde_json::{Map, Value, json};

use super::{
    definition::{Flow, Step, unusable},
    html::{self, Answered, Page},
    state::{Form, Holder, Progress, Shown},
    template,
    texts::Speech,
    upload,
    walk::Walk,
};
use crate::{
    body::Body,
    failure,
    identity::{Subject, subject_of},
    pages::JSON,
    refusal::{Answer, Refusal},
    route::{self, Route},
    rules,
    service::Shared,
};

/// A request to a flow.
pub(super) struct Visit<'a> {
    pub(super) shared: &'a Shared,
    pub(super) request: &'a Parts,
    pub(super) flow: &'a Flow,
    /// Pages for people, not documents for programs.
    pub(super) is_html: bool,
}

/// What is said at a step beside the step itself.
#[derive(Default)]
pub(super) struct Said<'a> {
    pub(super) status: StatusCode,
    pub(super) wrong: &'a [Issue],
    /// What was sent, where it isn't among the answers.
    pub(super) input: Option<&'a Map<String, Value>>,
    /// As HTML.
    pub(super) notice: String,
}

impl<'a> Visit<'a> {
    pub(super) fn subject(&self) -> &'a Subject {
        subject_of(self.request)
    }

    pub(super) fn holder(&self) -> Holder<'a> {
        Holder {
            shared: self.shared,
            flow: self.flow,
            subject: self.subject(),
        }
    }

    pub(super) fn speech(&self) -> Speech<'a> {
        let wanted = self.request.headers.get(ACCEPT_LANGUAGE);
        Speech::chosen(
            self.flow,
            wanted.and_then(|value| value.to_str().ok()).unwrap_or(""),
        )
    }

    pub(super) fn walk<'p>(&self, progress: &'p Progress) -> Walk<'a, 'p> {
        Walk::new(self.flow, progress, self.subject(), &self.shared.base)
    }

    /// The link that keeps a place; `None` where it would be longer than URLs are.
    pub(super) fn place_link(&self, progress: &Progress) -> Result<Option<String>, Refusal> {
        let holder = self.holder();
        let link = format!(
            "{}?place={}",
            holder.start(),
            holder.seal(progress, Form::Place)?
        );
        Ok(Some(link).filter(|link| link.len() <= self.shared.limits.url_bytes_max))
    }

    /// The same at another step.
    fn place_at(&self, progress: &Progress, step: &Step) -> Result<Option<String>, Refusal> {
        let mut progress = progress.clone();
        step.id.clone_into(&mut progress.at);
        self.place_link(&progress)
    }

    /// The step that is to be answered.
    pub(super) fn step_of(&self, progress: &Progress) -> Result<&'a Step, Refusal> {
        let step = self.walk(progress).current();
        step.ok_or_else(|| unusable("no step of it is there"))
    }

    /// The same, and the progress there: what it shows is seen.
    pub(super) async fn look(
        &self,
        mut progress: Progress,
    ) -> Result<(Progress, &'a Step), Refusal> {
        let step = self.step_of(&progress)?;
        step.id.clone_into(&mut progress.at);
        for (name, template) in &step.shows {
            let seen = self.see(&progress, template).await?;
            progress.shown.insert(name.clone(), seen);
        }
        Ok((progress, step))
    }

    /// Answers with the step that is to be answered.
    pub(super) async fn show(&self, mut progress: Progress, said: Said<'_>) -> Answer {
        let mut wrong = self.missed(&mut progress).await?;
        wrong.extend_from_slice(said.wrong);
        let (progress, step) = self.look(progress).await?;
        if !self.is_html {
            let mut document = self.document(&progress, step)?;
            if let Some(members) = document.as_object_mut().filter(|_| !wrong.is_empty()) {
                let issues = wrong.iter().map(Issue::to_json).collect();
                members.insert("issues".to_owned(), issues);
            }
            return Ok(self.response(said.status, document.to_string(), false));
        }
        let page = self.page(&progress, step, &wrong, (said.input, said.notice))?;
        Ok(self.response(said.status, page, true))
    }

    /// Files that were answered and are no longer there: of the step that is shown, or, where that shows all answers, of all.
    async fn missed(&self, progress: &mut Progress) -> Result<Vec<Issue>, Refusal> {
        if !self.flow.steps.iter().any(Step::has_files) {
            return Ok(Vec::new());
        }
        let walk = self.walk(progress);
        let is_review = |step: &&Step| step.properties().next().is_none();
        let steps = match walk.current() {
            Some(step) if is_review(&step) => walk.steps().to_vec(),
            current => current.into_iter().collect(),
        };
        upload::gone(self, progress, &steps).await
    }

    /// A resource that a step shows, as it is now.
    async fn see(&self, progress: &Progress, template: &Value) -> Result<Shown, Refusal> {
        let walk = self.walk(progress);
        let answers = walk.answers();
        let href = template::fill(template, &walk.sight(&answers)).map_err(|why| unusable(&why))?;
        let href = href.as_ref().and_then(Value::as_str);
        let href = href.ok_or_else(|| unusable("what a step shows is no URL"))?;
        let current = self.current(href).await?;
        let (etag, value) =
            current.ok_or_else(|| unusable(&format!("a step shows {href}, where nothing is")))?;
        Ok(Shown {
            href: href.to_owned(),
            etag,
            value,
        })
    }

    /// A resource's entity tag and value; `None` where there is none.
    pub(super) async fn current(&self, href: &str) -> Result<Option<(String, Value)>, Refusal> {
        let key: ResourceKey = match route::parse(&self.shared.base, href) {
            Ok(Route::Resource(key)) => key,
            _ => {
                return Err(unusable(&format!(
                    "a step shows {href}, which is no resource's URL"
                )));
            }
        };
        let found = rules::look_up(self.shared, self.request, &key).await;
        let found = found.map_err(|error| failure::of_read(self.shared, error))?;
        let Some((version, body)) = found else {
            return Ok(None);
        };
        let value = serde_json::from_slice(&body);
        let value = value.map_err(|error| failure::internal_text(&error.to_string()))?;
        Ok(Some((version.entity_tag().to_string(), value)))
    }

    /// The step as a document, with the state sealed.
    pub(super) fn document(&self, progress: &Progress, step: &Step) -> Result<Value, Refusal> {
        let (walk, speech, holder) = (self.walk(progress), self.speech(), self.holder());
        let (at, of) = walk.place();
        let back = match walk.before() {
            Some(before) => self.place_at(progress, before)?,
            None => None,
        };
        Ok(json!({
            "flow": self.flow.name,
            "step": step.id,
            "title": speech.say(&step.title),
            "help": step.help.as_deref().map(|help| speech.say(help)),
            "schema": step.schema,
            "answers": walk.answers(),
            "shown": progress.shown(),
            "state": holder.seal(progress, Form::State)?,
            "progress": { "at": at, "of": of },
            "submit": holder.start(),
            "back": back,
            "save": self.place_link(progress)?,
        }))
    }

    /// What the step shows, its members under their titles.
    fn titled(&self, progress: &Progress, step: &Step) -> Vec<Map<String, Value>> {
        let shown = step
            .shows
            .keys()
            .filter_map(|name| progress.shown.get(name));
        let titled = shown.map(|shown| {
            let members = shown.value.as_object().into_iter().flatten();
            let one = |(name, value): (&String, &Value)| {
                (self.title_of(&shown.href, name), value.clone())
            };
            members.map(one).collect()
        });
        titled.collect()
    }

    /// What people call a member of a resource: its title in the collection's schema, else its name.
    pub(super) fn title_of(&self, href: &str, member: &str) -> String {
        let collection = match route::parse(&self.shared.base, href) {
            Ok(Route::Resource(key)) => Some(key.collection),
            _ => None,
        };
        let definitions = self.shared.store.definitions();
        let defined = collection.and_then(|collection| definitions.of(&collection));
        let schema = defined.and_then(|defined| defined.definition.schema.as_ref());
        let title = schema.and_then(|schema| {
            let property = schema.source().get("properties")?.get(member)?;
            property.get("title")?.as_str()
        });
        title.unwrap_or(member).to_owned()
    }

    /// Where there is nothing to answer, everything that was answered, with links to change it.
    fn review(&self, progress: &Progress, step: &Step) -> Result<Vec<Answered<'a>>, Refusal> {
        if step.properties().next().is_some() {
            return Ok(Vec::new());
        }
        let asks = |step: &&Step| step.properties().next().is_some();
        let walk = self.walk(progress);
        let earlier = walk.steps().iter().copied().filter(asks);
        let given = earlier.filter_map(|step| Some((step, progress.answers.get(&step.id)?)));
        given
            .map(|(step, answers)| {
                let change = self.place_at(progress, step)?;
                Ok(Answered {
                    step,
                    answers: upload::shown(step, answers),
                    change,
                })
            })
            .collect()
    }

    fn page(
        &self,
        progress: &Progress,
        step: &Step,
        wrong: &[Issue],
        (input, notice): (Option<&Map<String, Value>>, String),
    ) -> Result<String, Refusal> {
        let (walk, speech, holder) = (self.walk(progress), self.speech(), self.holder());
        let (state, submit) = (holder.seal(progress, Form::State)?, holder.start());
        let save = self.place_link(progress)?;
        let nothing = Map::new();
        let given = progress.answers.get(&step.id).and_then(Value::as_object);
        let review = self.review(progress, step)?;
        let page = Page {
            speech: &speech,
            title: &self.flow.title,
            description: self.flow.description.as_deref(),
            step,
            place: walk.place(),
            input: input.or(given).unwrap_or(&nothing),
            wrong,
            notice,
            review,
            shown: self.titled(progress, step),
            state: &state,
            submit: &submit,
            save: save.as_deref(),
            resource_bytes_max: self.shared.limits.resource_bytes_max,
        };
        Ok(page.render())
    }

    /// An answer that carries state, or may: kept by nobody.
    pub(super) fn response(
        &self,
        status: StatusCode,
        text: String,
        is_html: bool,
    ) -> Response<Body> {
        let mut response = Response::new(Body::from(text.into_bytes()));
        *response.status_mut() = status;
        let fields = response.headers_mut();
        if is_html {
            html::mark(fields);
        } else {
            fields.insert(http::header::CONTENT_TYPE, JSON);
        }
        guard(fields);
        response
    }

    /// 303 (RFC 9110 §15.4.4): so that reloading, going back and forward ask, and never send again.
    pub(super) fn see_other(&self, location: &str) -> Answer {
        let mut response = self.response(StatusCode::SEE_OTHER, String::new(), true);
        let location = HeaderValue::from_str(location);
        let location = location.map_err(|error| failure::internal_text(&error.to_string()))?;
        response.headers_mut().insert(LOCATION, location);
        Ok(response)
    }
}

/// Kept by nobody, and another for another reader.
pub(super) fn guard(fields: &mut http::HeaderMap) {
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(VARY, HeaderValue::from_static("Accept, Accept-Language"));
}
