//! OA-1 to OA-7: what an OpenAPI description admits. Words prove nothing: each names the check that
//! would prove it on the wire, and none is more than a warning.

use serde_json::Value;

use crate::{
    corpus::{Description, description::Described},
    engine::{Draft, Scene, Stop},
    finding::Level,
};

const NO_DESCRIPTION: &str =
    "needs an OpenAPI description: --openapi, or one that the service links to";

/// Runs a rule over each described operation; a text is a note.
fn each(
    scene: &Scene<'_>,
    level: Level,
    rule: impl Fn(&Description, &Described<'_>) -> Option<String>,
) -> Result<(), Stop> {
    let Some(description) = &scene.corpus.description else {
        scene.unshown(NO_DESCRIPTION);
        return Ok(());
    };
    for operation in description.operations() {
        match rule(description, &operation) {
            Some(summary) => scene.file(level, Draft::about(operation.label(), summary)),
            None => scene.cover(&operation.label(), Level::Good),
        }
    }
    Ok(())
}

/// OA-1.
pub(super) fn cookies(scene: &Scene<'_>) -> Result<(), Stop> {
    if let Some(description) = &scene.corpus.description {
        let schemes = description
            .document
            .pointer("/components/securitySchemes")
            .and_then(Value::as_object);
        for (name, scheme) in schemes.into_iter().flatten() {
            if description
                .followed(scheme)
                .get("in")
                .and_then(Value::as_str)
                == Some("cookie")
            {
                let summary = format!(
                    "security scheme {name} is a cookie: SC-3 shows who holds what it stands for"
                );
                scene.file(Level::Warn, Draft::about("securitySchemes", summary));
            }
        }
    }
    each(scene, Level::Warn, |description, operation| {
        let parameters = description.parameters(operation);
        let cookie = parameters
            .iter()
            .find(|parameter| parameter.get("in").and_then(Value::as_str) == Some("cookie"))?;
        let name = cookie
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        Some(format!(
            "takes cookie {name}: SC-2 and SC-3 show what it carries"
        ))
    })
}

/// OA-2.
pub(super) fn set_cookie(scene: &Scene<'_>) -> Result<(), Stop> {
    each(scene, Level::Info, |description, operation| {
        let sets = response_fields(description, operation)
            .any(|(_, name)| name.eq_ignore_ascii_case("set-cookie"));
        sets.then(|| "is described to set a cookie: SC-1 looks at it".to_owned())
    })
}

/// OA-3.
pub(super) fn logins(scene: &Scene<'_>) -> Result<(), Stop> {
    const WORDS: &[&str] = &[
        "login", "logout", "signin", "signout", "sign-in", "sign-out", "session", "sessions",
    ];
    each(scene, Level::Info, |_, operation| {
        let path = operation.path.to_ascii_lowercase();
        let word = WORDS
            .iter()
            .find(|word| path.split('/').any(|segment| segment == **word))?;
        Some(format!(
            "is named {word}: a session, or a resource of that name? SC-3 and LG-1 tell"
        ))
    })
}

/// OA-4.
pub(super) fn callbacks(scene: &Scene<'_>) -> Result<(), Stop> {
    let has_webhooks = scene
        .corpus
        .description
        .as_ref()
        .is_some_and(|known| known.document.get("webhooks").is_some());
    if has_webhooks {
        scene.file(
            Level::Info,
            Draft::about(
                "webhooks",
                "the description has webhooks: a registry of receivers, see SB-1",
            ),
        );
    }
    each(scene, Level::Info, |_, operation| {
        operation
            .value
            .get("callbacks")
            .map(|_| "registers a callback: a registry of receivers, see SB-1".to_owned())
    })
}

/// OA-5.
pub(super) fn streams(scene: &Scene<'_>) -> Result<(), Stop> {
    each(scene, Level::Info, |description, operation| {
        let responses = operation.value.get("responses")?.as_object()?;
        let streams = responses.values().any(|response| {
            description
                .followed(response)
                .pointer("/content/text~1event-stream")
                .is_some()
        });
        streams.then(|| "answers with an event stream: SB-1 listens to it".to_owned())
    })
}

/// OA-6.
pub(super) fn preconditions(scene: &Scene<'_>) -> Result<(), Stop> {
    let writes = |method: &str| matches!(method, "PUT" | "PATCH" | "DELETE");
    let known = scene.corpus.description.as_ref();
    let operations = known.map(Description::operations).unwrap_or_default();
    let written: Vec<&str> = operations
        .iter()
        .filter(|operation| writes(&operation.method))
        .map(|operation| operation.path.as_str())
        .collect();
    each(scene, Level::Info, |description, operation| {
        if writes(&operation.method) {
            return unconditional(description, operation);
        }
        let is_written = operation.method == "GET" && written.contains(&operation.path.as_str());
        let has_tag = is_written
            && response_fields(description, operation)
                .any(|(_, name)| name.eq_ignore_ascii_case("etag"));
        (is_written && !has_tag).then(|| {
            "can be written, and describes no ETag: CA-1 shows whether it has one".to_owned()
        })
    })
}

/// What is said of a write that describes no condition.
fn unconditional(description: &Description, operation: &Described<'_>) -> Option<String> {
    let takes = description.parameters(operation).iter().any(|parameter| {
        let name = parameter.get("name").and_then(Value::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case("if-match"))
    });
    let responses = operation.value.get("responses").and_then(Value::as_object);
    let refuses = responses
        .is_some_and(|responses| responses.contains_key("412") || responses.contains_key("428"));
    (!takes && !refuses).then(|| {
        "describes neither If-Match nor 412: CA-2 shows whether writes are lost".to_owned()
    })
}

/// OA-7.
pub(super) fn caching(scene: &Scene<'_>) -> Result<(), Stop> {
    each(scene, Level::Info, |description, operation| {
        if operation.method != "GET" {
            return None;
        }
        let says = response_fields(description, operation).any(|(status, name)| {
            status.starts_with('2') && name.eq_ignore_ascii_case("cache-control")
        });
        (!says).then(|| "describes no Cache-Control: CC-1 looks at the answers".to_owned())
    })
}

fn response_fields<'d>(
    description: &'d Description,
    operation: &'d Described<'d>,
) -> impl Iterator<Item = (String, String)> + 'd {
    let responses = operation.value.get("responses").and_then(Value::as_object);
    responses
        .into_iter()
        .flatten()
        .flat_map(|(status, response)| {
            let fields = description
                .followed(response)
                .get("headers")
                .and_then(Value::as_object);
            let names = fields
                .into_iter()
                .flatten()
                .map(|(name, _)| (status.clone(), name.clone()));
            names.collect::<Vec<_>>()
        })
}
