//! A flow's definition: a resource of the collection `flows`, read strictly for each request.
//!
//! Nothing that was read before is kept: a definition that changed holds from the next request on.

use std::collections::{BTreeMap, BTreeSet};

use http::request::Parts;
use milepost_semantics::{Issue, ProblemType, problem::Part};
use milepost_store::{CollectionPath, ResourceKey, definition::Schema};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{expression, reasons, template};
use crate::{failure, refusal::Refusal, rules, service::Shared};

/// The collection that definitions of flows are resources of.
pub(crate) const COLLECTION: &str = "flows";
/// Steps of one flow: more are a mistake, and each costs a page some time.
const STEPS_MAX: usize = 32;
/// The longest that a state opens, in seconds: ninety days.
const LIFETIME_SECONDS_MAX: u64 = 90 * 86_400;

/// A flow.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Flow {
    #[serde(skip)]
    pub(super) name: String,
    /// To be raised with every change that matters to who is in the middle of the flow.
    pub(super) version: u64,
    pub(super) title: String,
    #[serde(default)]
    pub(super) description: Option<String>,
    /// How long a state opens.
    #[serde(default = "a_week")]
    pub(super) lifetime_seconds: u64,
    pub(super) steps: Vec<Step>,
    pub(super) transaction: Ending,
    #[serde(default)]
    pub(super) migrations: Vec<Migration>,
    /// For each language, texts of this definition and of pages, and what they are in it.
    #[serde(default)]
    pub(super) translations: BTreeMap<String, BTreeMap<String, String>>,
}

/// A step.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Step {
    pub(super) id: String,
    pub(super) title: String,
    #[serde(default)]
    pub(super) help: Option<String>,
    #[serde(default = "no_answers")]
    pub(super) schema: Value,
    /// The step is there when this is true; always, without.
    #[serde(default)]
    pub(super) when: Option<String>,
    /// Resources that the page shows, by name: templates of their URLs.
    #[serde(default)]
    pub(super) shows: BTreeMap<String, Value>,
}

/// What the last step does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    pub(super) operations: Vec<Value>,
}

/// What becomes of the answers that were given under another version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Migration {
    pub(super) from: u64,
    pub(super) answers: Value,
}

const fn a_week() -> u64 {
    7 * 86_400
}

fn no_answers() -> Value {
    json!({ "type": "object", "maxProperties": 0 })
}

impl Flow {
    /// Reads the definition as it is now.
    pub(super) async fn read(
        shared: &Shared,
        request: &Parts,
        name: &str,
    ) -> Result<Self, Refusal> {
        let missing = || {
            let detail = format!(
                "there is no flow {name}: it would be defined by the resource {}/{COLLECTION}/{name}",
                shared.base
            );
            Refusal::not_found(detail)
        };
        let collection = CollectionPath::parse(COLLECTION).ok_or_else(missing)?;
        if shared.store.definitions().of(&collection).is_none() {
            return Err(missing());
        }
        let id = name.parse().or(Err(missing()))?;
        let key = ResourceKey::top(collection, id);
        let found = rules::look_up(shared, request, &key).await;
        let found = found.map_err(|error| failure::of_read(shared, error))?;
        let (_, body) = found.ok_or_else(missing)?;
        let mut flow: Self =
            serde_json::from_slice(&body).map_err(|error| unusable(&error.to_string()))?;
        name.clone_into(&mut flow.name);
        let wrong = flow.wrong();
        if wrong.is_empty() {
            Ok(flow)
        } else {
            Err(unusable(&wrong.join("; ")))
        }
    }

    /// The step of this id.
    pub(super) fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }

    /// Everything that is wrong with it.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let ids: BTreeSet<&str> = self.steps.iter().map(|step| step.id.as_str()).collect();
        if self.steps.is_empty() || self.steps.len() > STEPS_MAX || ids.len() != self.steps.len() {
            wrong.push(format!(
                "it has 1 to {STEPS_MAX} steps, each with an id of its own"
            ));
        }
        if self.lifetime_seconds == 0 || self.lifetime_seconds > LIFETIME_SECONDS_MAX {
            wrong.push(format!(
                "lifetimeSeconds is from 1 to {LIFETIME_SECONDS_MAX}"
            ));
        }
        let conditions = self.steps.iter().filter_map(|step| step.when.as_deref());
        let shows = self.steps.iter().flat_map(|step| step.shows.values());
        let migrations = self.migrations.iter().map(|migration| &migration.answers);
        let templates = self
            .transaction
            .operations
            .iter()
            .chain(shows)
            .chain(migrations);
        let expressions = conditions.chain(templates.flat_map(template::expressions));
        wrong.extend(expressions.filter_map(|text| expression::check(text).err()));
        wrong
    }
}

impl Step {
    /// The members of its answers, in the order of the schema.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&String, &Value)> {
        let properties = self.schema.get("properties").and_then(Value::as_object);
        properties.into_iter().flatten()
    }

    /// Whether an answer of this name must be given.
    pub(super) fn is_required(&self, name: &str) -> bool {
        let required = self.schema.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|required| required == name))
    }

    /// What is wrong with answers, and what was found wrong with files among them before.
    pub(super) fn wrong_with(
        &self,
        answers: &Map<String, Value>,
        mut files: Vec<Issue>,
    ) -> Result<Vec<Issue>, Refusal> {
        let wrong = self.wrong(answers)?;
        let is_told = |issue: &Issue| files.iter().any(|told| told.name == issue.name);
        let others: Vec<Issue> = wrong.into_iter().filter(|issue| !is_told(issue)).collect();
        files.extend(others);
        Ok(files)
    }

    /// What is wrong with answers; empty where nothing is.
    pub(super) fn wrong(&self, answers: &Map<String, Value>) -> Result<Vec<Issue>, Refusal> {
        let schema = Schema::compile(&self.schema)
            .map_err(|violation| unusable(&format!("step {}: {}", self.id, violation.detail)))?;
        let missing = self.properties().map(|(name, _)| name);
        let missing = missing.filter(|name| self.is_required(name) && !answers.contains_key(*name));
        let mut issues: Vec<Issue> = missing
            .map(|name| Issue::new(Part::Body, format!("/input/{name}"), "must be answered"))
            .collect();
        let violations = schema.violations(&Value::Object(answers.clone()));
        let mut explained = BTreeSet::new();
        // What is missing is told above, at the place where it is missing.
        let told = |detail: &str| detail.ends_with("is a required property");
        let others = violations
            .into_iter()
            .filter(|violation| !told(&violation.detail));
        issues.extend(others.filter_map(|violation| {
            let name = format!("/input{}", violation.pointer);
            let Some(plain) = self.plainly(&violation.pointer, answers) else {
                return Some(Issue::new(Part::Body, name, violation.detail));
            };
            let is_new = explained.insert(name.clone());
            is_new.then(|| Issue::new(Part::Body, name, plain))
        }));
        Ok(issues)
    }
}

impl Step {
    /// What is wrong with the answer that a violation is about, in plain words.
    fn plainly(&self, pointer: &str, answers: &Map<String, Value>) -> Option<String> {
        let name = pointer.strip_prefix('/')?;
        let schema = self.schema.get("properties")?.get(name)?;
        reasons::plainly(schema, answers.get(name)?)
    }
}

/// The definition can't be carried out.
pub(super) fn unusable(detail: &str) -> Refusal {
    Refusal::new(ProblemType::FlowUnusable, detail)
}
