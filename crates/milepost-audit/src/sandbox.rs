//! The one place below which the auditor may write: how a resource is made there, and changed. What is
//! made is deleted at the end of a run, by the stage that knows of it.

use serde_json::{Map, Value, json};

use crate::{
    corpus::{Corpus, Description},
    engine::{Stop, Wire},
    http::Response,
    options::Options,
    script::{OWN_NAME, Script, Send, Stage, Voice},
};

/// Member that is added where a body has none that can be changed.
const ADDED: &str = "milepostAudit";

/// How writing works there.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    /// Path without a slash at its end.
    pub(crate) path: String,
    pub(crate) media_type: String,
    /// A body that was accepted.
    body: Body,
    pub(crate) creation: Creation,
}

/// A body of which versions can be made.
#[derive(Clone, Debug)]
enum Body {
    Json {
        value: Value,
        /// The member or nested member whose value is changed to make another body.
        changing: String,
    },
    /// Text in which `{version}` stands for the version.
    Text(String),
}

impl Body {
    fn json(value: Value) -> Self {
        let changing = changing(&value);
        Self::Json { value, changing }
    }
}

/// How a resource comes to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Creation {
    /// POST to the path; `Location` names it.
    Post,
    /// POST to the path; the member `id` of the answer is its name below the path.
    PostId,
    /// PUT to a name below the path.
    Put,
    /// The path itself is the one resource.
    Itself,
}

impl Sandbox {
    /// Tries out how a resource is made.
    ///
    /// # Errors
    /// Why it could not be tried; `Missing` where nothing that was tried worked.
    pub(crate) fn explore(
        stage: &Stage<'_>,
        path: &str,
        corpus: &Corpus,
        options: &Options,
    ) -> Result<Self, Stop> {
        let path = path.trim_end_matches('/').to_owned();
        let ways = [
            Creation::Post,
            Creation::PostId,
            Creation::Put,
            Creation::Itself,
        ];
        let given = options.sandbox_body.as_ref();
        let media_type = given.map_or("application/json", |body| body.media_type.as_str());
        let bodies = match given {
            Some(body) => vec![Body::Text(body.text.clone())],
            None => bodies(stage, &path, corpus)?,
        };
        let tries = bodies
            .iter()
            .flat_map(|body| ways.map(|creation| (body, creation)));
        for (body, creation) in tries {
            let sandbox = Self {
                path: path.clone(),
                media_type: media_type.to_owned(),
                body: body.clone(),
                creation,
            };
            if sandbox.works(stage)? {
                return Ok(sandbox);
            }
        }
        Err(Stop::Missing(
            "the sandbox takes no POST and no PUT with a body known to the auditor",
        ))
    }

    fn works(&self, stage: &Stage<'_>) -> Result<bool, Stop> {
        let mut script = Script::default();
        let voice = Voice::client(1);
        let made = self.create(&mut script, voice, stage.wire, 0);
        let read = script.send(Send::get(&made.target, voice));
        let played = match stage.play(&script) {
            Ok(played) => played,
            Err(Stop::Missing(_)) => return Ok(false),
            Err(stop) => return Err(stop),
        };
        let ok = |step: usize| played.response(step).is_some_and(Response::is_success);
        Ok(ok(made.created) && ok(read))
    }

    /// Adds the steps that make a resource.
    pub(crate) fn create(
        &self,
        script: &mut Script,
        voice: Voice,
        wire: &Wire,
        version: u32,
    ) -> Made {
        let body = self.body(version);
        match self.creation {
            Creation::Post => {
                let send = Send::with("POST", &self.path, voice).body(&self.media_type, &body);
                let created = script.send(send);
                Made {
                    created,
                    target: format!("${{{created}:location}}"),
                }
            }
            Creation::PostId => {
                let send = Send::with("POST", &self.path, voice).body(&self.media_type, &body);
                let created = script.send(send);
                Made {
                    created,
                    target: format!("{}/${{{created}:json:/id}}", self.path),
                }
            }
            Creation::Put => {
                let target = format!("{}/{OWN_NAME}{}", self.path, wire.next_play());
                let created =
                    script.send(Send::with("PUT", &target, voice).body(&self.media_type, &body));
                Made { created, target }
            }
            Creation::Itself => {
                let read = script.send(Send::get(&self.path, voice));
                let send = Send::with("PUT", &self.path, voice).body(&self.media_type, &body);
                let send = send.field("if-match", &format!("${{{read}:etag}}"));
                Made {
                    created: script.send(send),
                    target: self.path.clone(),
                }
            }
        }
    }

    /// Whether a representation shows a version; `None` where that can't be told.
    pub(crate) fn shows(&self, response: &Response, version: u32) -> Option<bool> {
        let Body::Json { changing, .. } = &self.body else {
            return None;
        };
        let body: Value = serde_json::from_str(&self.body(version)).ok()?;
        let text = body.pointer(changing)?.as_str()?;
        Some(holds(&response.json()?, text))
    }

    /// The body as text; each version differs from the others.
    pub(crate) fn body(&self, version: u32) -> String {
        let (value, changing) = match &self.body {
            Body::Json { value, changing } => (value, changing),
            Body::Text(text) => return text.replace("{version}", &version.to_string()),
        };
        let mut body = value.clone();
        match body.pointer_mut(changing) {
            Some(Value::String(text)) => text.push_str(&format!(" {version}")),
            Some(value) => *value = json!(version),
            None => {
                if let Some(members) = body.as_object_mut() {
                    members.insert(ADDED.to_owned(), json!(version));
                }
            }
        }
        body.to_string()
    }
}

/// Whether a text stands somewhere in a document, alone.
fn holds(document: &Value, text: &str) -> bool {
    match document {
        Value::String(own) => own == text,
        Value::Array(elements) => elements.iter().any(|element| holds(element, text)),
        Value::Object(members) => members.values().any(|member| holds(member, text)),
        _ => false,
    }
}

/// A resource that a script makes.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    /// The step that creates it.
    pub(crate) created: usize,
    /// Its target; may be a placeholder.
    pub(crate) target: String,
}

/// Bodies to try: described, like what is there already, or a guess.
fn bodies(stage: &Stage<'_>, path: &str, corpus: &Corpus) -> Result<Vec<Body>, Stop> {
    let mut bodies: Vec<Value> = corpus
        .description
        .as_ref()
        .and_then(|known| described(known, path))
        .into_iter()
        .collect();
    let mut script = Script::default();
    script.send(Send::get(path, Voice::client(1)));
    let answer = stage.play(&script)?;
    if let Some(document) = answer.response(0).and_then(Response::json) {
        bodies.extend(alike(&document));
    }
    bodies.push(json!({ "name": "milepost audit", "title": "milepost audit" }));
    bodies.push(json!({ "data": { "name": "milepost audit" } }));
    Ok(bodies.into_iter().map(Body::json).collect())
}

fn described(description: &Description, path: &str) -> Option<Value> {
    let base = description.base();
    let operations = description.operations();
    let writes = |method: &str| {
        let found = operations.iter().find(|operation| {
            let described = format!("{base}{}", operation.path);
            let is_below = described
                .rsplit_once('/')
                .is_some_and(|(folder, last)| folder == path && last.starts_with('{'));
            operation.method == method && (described == path || is_below)
        });
        description.body(found?)
    };
    writes("POST").or_else(|| writes("PUT"))
}

/// A body like the first member of a collection, or like the resource itself.
fn alike(document: &Value) -> Option<Value> {
    let lists = [
        document.as_array(),
        document.pointer("/items").and_then(Value::as_array),
        document.pointer("/data").and_then(Value::as_array),
    ];
    let first = lists.into_iter().flatten().find_map(|list| list.first());
    let found = match first {
        Some(item) => item
            .get("value")
            .filter(|value| value.is_object())
            .unwrap_or(item),
        None => document,
    };
    let mut members: Map<String, Value> = found.as_object()?.clone();
    for own in ["id", "_id", "href", "self", "etag"] {
        members.remove(own);
    }
    (!members.is_empty() && !members.contains_key("items")).then_some(Value::Object(members))
}

/// The pointer of a value that can be changed without breaking what it means: free text first.
fn changing(body: &Value) -> String {
    let Some(members) = body.as_object() else {
        return String::new();
    };
    let free = [
        "title",
        "name",
        "text",
        "description",
        "note",
        "comment",
        "body",
    ];
    let named = free
        .iter()
        .find(|name| members.get(**name).is_some_and(Value::is_string));
    let pointer = |name: &str| format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    if let Some(name) = named {
        return pointer(name);
    }
    if let Some(inner) = members.get("data").filter(|data| data.is_object()) {
        return format!("/data{}", changing(inner));
    }
    format!("/{ADDED}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_made_like_what_is_there_and_each_version_differs() {
        let page = json!({"items": [{"href": "/b/1", "id": "1", "value": {"title": "Emma", "year": 1815}}]});
        let body = alike(&page).unwrap();
        assert_eq!(body, json!({"title": "Emma", "year": 1815}));
        let sandbox = Sandbox {
            path: "/b".to_owned(),
            media_type: String::new(),
            body: Body::json(body),
            creation: Creation::Post,
        };
        assert_eq!(sandbox.body(3), r#"{"title":"Emma 3","year":1815}"#);
        assert_ne!(sandbox.body(3), sandbox.body(4));
    }
}
