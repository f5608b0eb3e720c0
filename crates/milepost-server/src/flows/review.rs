//! What is wrong with a flow's definition, found when it is written: each mistake at its place in the document.
//!
//! Looked at is what the document itself tells. Whether the collections that it writes are there, and whether what
//! expressions make of answers is what their schemas want, is not: a flow may be defined before them.

mod files;

use http::request::Parts;
use milepost_semantics::{json, patch};
use milepost_store::{Change, Failure, Operation, ResourceKey, Violation, definition::Schema};
use serde_json::{Map, Value};

use super::{
    definition::{COLLECTION, Flow, Step},
    expression,
    mentions::Mentions,
    template,
};
use crate::{
    failure,
    refusal::Refusal,
    route::{self, Route},
    rules,
    service::Shared,
};

/// What a definition looks like.
const SHAPE: &str = include_str!("flow.schema.json");
/// Expressions of one definition: each is read on a thread of its own.
const EXPRESSIONS_MAX: usize = 256;

/// What keeps operations from leaving definitions of flows that can be carried out, by the operation's index.
///
/// Two patches at once, neither of which names a version, may each be right and together wrong: that is found when
/// the flow is asked for.
pub(crate) async fn faults(
    (shared, request): (&Shared, &Parts),
    operations: &[Operation],
) -> Result<Vec<(usize, Failure)>, Refusal> {
    let mut faults = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        if !is_definition(shared, &operation.key) {
            continue;
        }
        let Some(document) = proposed((shared, request), operation).await? else {
            continue;
        };
        let violations = violations(&document, shared);
        if !violations.is_empty() {
            faults.push((index, Failure::InvalidDocument(violations)));
        }
    }
    Ok(faults)
}

/// Whether a resource defines a flow. Where that collection isn't defined, nothing does.
fn is_definition(shared: &Shared, key: &ResourceKey) -> bool {
    let is_named = key.collection.as_str() == COLLECTION;
    is_named && shared.store.definitions().of(&key.collection).is_some()
}

/// What would stand; `None` where nothing would, or the store refuses it anyway.
async fn proposed(
    asked: (&Shared, &Parts),
    operation: &Operation,
) -> Result<Option<Value>, Refusal> {
    match &operation.change {
        Change::Put(document) => Ok(Some(document.value.clone())),
        Change::MergePatch(patch) => {
            let current = current(asked, &operation.key).await?;
            Ok(current.map(|current| patch::merge_patch(current, patch.clone())))
        }
        Change::JsonPatch(patch) => {
            let current = current(asked, &operation.key).await?;
            Ok(current.and_then(|mut current| {
                let applied = patch.apply(&mut current);
                applied.ok().map(|()| current)
            }))
        }
        Change::Delete | Change::Check => Ok(None),
    }
}

/// What stands, where whoever asks may read it.
async fn current(
    (shared, request): (&Shared, &Parts),
    key: &ResourceKey,
) -> Result<Option<Value>, Refusal> {
    let found = rules::look_up(shared, request, key).await;
    let found = found.map_err(|error| failure::of_read(shared, error))?;
    let body = found.map(|(_, body)| body);
    let limits = json::Limits::with_depth(shared.limits.depth_max);
    Ok(body.and_then(|body| json::parse(&body, limits).ok()))
}

/// Everything that is wrong with a definition; what is found in its shape comes first, and alone.
fn violations(document: &Value, shared: &Shared) -> Vec<Violation> {
    let whole = |detail: String| Violation {
        pointer: String::new(),
        detail,
    };
    let shape = serde_json::from_str(SHAPE).map_err(|error| whole(error.to_string()));
    let shape = match shape.and_then(|shape| Schema::compile(&shape)) {
        Ok(shape) => shape.violations(document),
        Err(violation) => return vec![violation],
    };
    if !shape.is_empty() {
        return shape;
    }
    match serde_json::from_value(document.clone()) {
        Ok(flow) => Review::of(&flow, shared),
        Err(error) => vec![whole(format!("is no flow: {error}"))],
    }
}

/// What an expression may speak of.
#[derive(Clone, Copy)]
struct Sees<'f> {
    /// Steps whose answers there may be; any, where `None`.
    steps: Option<&'f [Step]>,
    /// Of which step it is, for what is said of it.
    when: &'static str,
}

struct Review<'f> {
    flow: &'f Flow,
    base: &'f str,
    resource_bytes_max: usize,
    expressions: usize,
    found: Vec<Violation>,
}

impl<'f> Review<'f> {
    fn of(flow: &'f Flow, shared: &'f Shared) -> Vec<Violation> {
        let mut review = Self {
            flow,
            base: &shared.base,
            resource_bytes_max: shared.limits.resource_bytes_max,
            expressions: 0,
            found: Vec::new(),
        };
        for (index, step) in flow.steps.iter().enumerate() {
            review.step(index, step);
        }
        review.ending();
        review.migrations();
        review.found
    }

    fn tell(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.found.push(Violation {
            pointer: pointer.into(),
            detail: detail.into(),
        });
    }

    fn step(&mut self, index: usize, step: &Step) {
        let at = format!("/steps/{index}");
        let before = self.flow.steps.get(..index).unwrap_or_default();
        if before.iter().any(|other| other.id == step.id) {
            let detail = format!(
                "another step is {:?} already: give each an id of its own",
                step.id
            );
            self.tell(format!("{at}/id"), detail);
        }
        match Schema::compile(&step.schema) {
            Err(violation) => self.tell(format!("{at}{}", violation.pointer), violation.detail),
            Ok(_) if step.schema.get("type").is_some_and(|kind| kind != "object") => {
                let detail = "what is answered is an object, with a property for each question";
                self.tell(format!("{at}/schema/type"), detail);
            }
            Ok(_) => {}
        }
        let sees = Sees {
            steps: Some(before),
            when: " before this one",
        };
        self.files(&at, step);
        if let Some(text) = &step.when {
            self.expression(&format!("{at}/when"), text, sees);
        }
        for (name, template) in &step.shows {
            self.template(&format!("{at}/shows/{}", token(name)), template, sees);
        }
    }

    fn ending(&mut self) {
        let sees = Sees {
            steps: Some(&self.flow.steps),
            when: "",
        };
        for (index, operation) in self.flow.transaction.operations.iter().enumerate() {
            let at = format!("/transaction/operations/{index}");
            if let Some(Value::String(href)) = operation.get("href")
                && !matches!(route::parse(self.base, href), Ok(Route::Resource(_)))
            {
                let detail = format!("{href:?} is no resource's URL: write it as in {:?}", {
                    format!("{}/registrations/new", self.base)
                });
                self.tell(format!("{at}/href"), detail);
            }
            self.template(&at, operation, sees);
        }
    }

    fn migrations(&mut self) {
        let flow = self.flow;
        let sees = Sees {
            steps: None,
            when: "",
        };
        for (index, migration) in flow.migrations.iter().enumerate() {
            let at = format!("/migrations/{index}");
            let earlier = flow.migrations.get(..index).unwrap_or_default();
            if migration.from == flow.version {
                let detail = format!(
                    "{} is the version itself: raise it, or migrate from another",
                    flow.version
                );
                self.tell(format!("{at}/from"), detail);
            } else if earlier.iter().any(|other| other.from == migration.from) {
                self.tell(
                    format!("{at}/from"),
                    "another migration is from this version already",
                );
            }
            self.template(&format!("{at}/answers"), &migration.answers, sees);
            let unknown = steps_named(&migration.answers).filter(|name| flow.step(name).is_none());
            for name in unknown {
                let detail = format!("there is no step {name:?} whose answers these could be");
                self.tell(format!("{at}/answers/{}", token(name)), detail);
            }
        }
    }

    fn template(&mut self, pointer: &str, template: &Value, sees: Sees<'_>) {
        match template {
            Value::Object(members) => match template::directive(members) {
                Some(("$cel", text)) => self.expression(&format!("{pointer}/$cel"), text, sees),
                Some((name, answer)) => self.answer(&format!("{pointer}/{name}"), answer, sees),
                None => members
                    .iter()
                    .for_each(|(name, member)| self.member(pointer, (name, member), sees)),
            },
            Value::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    self.template(&format!("{pointer}/{index}"), element, sees);
                }
            }
            _ => {}
        }
    }

    fn member(&mut self, pointer: &str, (name, member): (&str, &Value), sees: Sees<'_>) {
        let below = format!("{pointer}/{}", token(name));
        if matches!(name, "$cel" | "$answer") {
            self.tell(&below, "is a text, and stands alone in its object");
        }
        self.template(&below, member, sees);
    }

    /// A pointer into the answers, as in `/person/name`.
    fn answer(&mut self, pointer: &str, text: &str, sees: Sees<'_>) {
        let Some(path) = text.strip_prefix('/') else {
            let detail = "is a pointer into the answers, such as /person/name";
            return self.tell(pointer, detail);
        };
        let mut names = path.split('/');
        let step = names.next().unwrap_or_default();
        self.speaks_of(pointer, (step, names.next()), sees);
    }

    fn expression(&mut self, pointer: &str, text: &str, sees: Sees<'_>) {
        self.expressions += 1;
        if self.expressions > EXPRESSIONS_MAX {
            if self.expressions == EXPRESSIONS_MAX + 1 {
                self.tell(
                    pointer,
                    format!("a flow has at most {EXPRESSIONS_MAX} expressions"),
                );
            }
            return;
        }
        let Mentions {
            answers,
            shown,
            unknown,
            ..
        } = match expression::mentions(text) {
            Ok(mentions) => mentions,
            Err(why) => return self.tell(pointer, why),
        };
        for name in unknown {
            let detail = format!(
                "{name} isn't there: an expression sees answers, flow, subject, base and shown"
            );
            self.tell(pointer, detail);
        }
        for (step, name) in &answers {
            self.speaks_of(pointer, (step, name.as_deref()), sees);
        }
        for name in shown {
            if !self
                .flow
                .steps
                .iter()
                .any(|step| step.shows.contains_key(&name))
            {
                self.tell(pointer, format!("no step shows {name:?}"));
            }
        }
    }

    /// Something speaks of an answer: there must be such a step, and such a question.
    fn speaks_of(&mut self, pointer: &str, (step, name): (&str, Option<&str>), sees: Sees<'_>) {
        let Some(steps) = sees.steps else {
            return;
        };
        let Some(found) = steps.iter().find(|found| found.id == step) else {
            let detail = format!("there is no step {step:?}{}", sees.when);
            return self.tell(pointer, detail);
        };
        let is_closed = found.schema.get("additionalProperties") == Some(&Value::Bool(false));
        let Some(name) = name.filter(|_| is_closed) else {
            return;
        };
        if !found.properties().any(|(property, _)| property == name) {
            self.tell(pointer, format!("step {step} has no answer {name:?}"));
        }
    }
}

/// The steps whose answers a migration makes, as far as it names them.
fn steps_named(answers: &Value) -> impl Iterator<Item = &String> {
    let members = answers.as_object();
    let named = members.filter(|members| template::directive(members).is_none());
    named.into_iter().flat_map(Map::keys)
}

/// RFC 6901 §3: a name as a part of a pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
