//! Whether a flow's operations make its files lasting: asked before anything is written, since a flow that says "done" and
//! leaves a file a draft would lose it.

use milepost_semantics::{
    JsonPointer,
    patch::merge_patch,
    wire::{OperationKind, PatchFormat, TransactionDocument},
};
use serde_json::{Value, json};

use super::{draft::set, standing::is_marked};
use crate::{
    flows::{definition::unusable, visit::Visit, walk::Walk},
    refusal::Refusal,
};

/// Refuses where a file that was answered would stay a draft.
pub(in crate::flows) fn require_lasting(
    visit: &Visit<'_>,
    walk: &Walk<'_, '_>,
    writes: &[Value],
) -> Result<(), Refusal> {
    let answers = walk.answers();
    for step in walk.steps() {
        for (name, wanted, file) in step.answered_files(&answers) {
            let (collection, mark) = visit.drafts(&wanted.collection)?;
            let href = file.get("href");
            let mut writes = writes.iter().filter(|write| write.get("href") == href);
            if !writes.any(|write| makes_lasting(write, &mark)) {
                let detail = format!(
                    "the file {name} of step {} would stay a draft, and go: let an operation write to it so that {mark} is no longer true, which says in {collection} that it is one",
                    step.id
                );
                return Err(unusable(&detail));
            }
        }
    }
    Ok(())
}

/// Whether a draft is none any more once this was written.
fn makes_lasting(write: &Value, mark: &JsonPointer) -> bool {
    let document = TransactionDocument::parse(json!({ "operations": [write] }));
    let Ok(document) = document else {
        // No operation at all, which is told where it is carried out.
        return true;
    };
    let operation = document.operations.into_iter().next();
    match operation.map(|operation| operation.kind) {
        Some(OperationKind::Put { value }) => !is_marked(&value, mark),
        Some(OperationKind::Patch {
            format: PatchFormat::MergePatch,
            value,
        }) => {
            let mut draft = json!({});
            set(&mut draft, mark.tokens(), Value::Bool(true));
            !is_marked(&merge_patch(draft, value), mark)
        }
        Some(OperationKind::Patch {
            format: PatchFormat::JsonPatch,
            value,
        }) => value
            .as_array()
            .is_some_and(|steps| takes_away(steps, &mark.to_string())),
        Some(OperationKind::Delete | OperationKind::Check) | None => false,
    }
}

/// What the steps of a JSON Patch (RFC 6902 §4) leave at the mark, as far as they tell.
fn takes_away(steps: &[Value], mark: &str) -> bool {
    let mut is_gone = false;
    for step in steps {
        let place = |member: &str| below(step.get(member)?.as_str()?, mark);
        let method = step.get("op").and_then(Value::as_str).unwrap_or_default();
        match (method, place("path"), place("from")) {
            ("remove", Some(_), _) | ("move", _, Some(_)) => is_gone = true,
            ("add" | "replace", Some(rest), _) => {
                let value = step.get("value").and_then(|value| value.pointer(rest));
                is_gone = value != Some(&Value::Bool(true));
            }
            // What comes from elsewhere isn't known here.
            ("move" | "copy", Some(_), _) => is_gone = true,
            _ => {}
        }
    }
    is_gone
}

/// Where the mark lies below a place; `None` where it doesn't.
fn below<'m>(place: &str, mark: &'m str) -> Option<&'m str> {
    let rest = mark.strip_prefix(place)?;
    (rest.is_empty() || rest.starts_with('/')).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lasting(write: &str) -> bool {
        let mut write: Value = serde_json::from_str(write).unwrap();
        write["href"] = json!("/v1/files/a");
        makes_lasting(&write, &"/about/draft".parse().unwrap())
    }

    #[test]
    fn a_write_that_takes_the_mark_away_makes_a_file_lasting_and_no_other() {
        for good in [
            r#"{"method":"PATCH","value":{"about":{"draft":null}}}"#,
            r#"{"method":"PATCH","value":{"about":{"draft":false}}}"#,
            r#"{"method":"PATCH","value":{"about":null}}"#,
            r#"{"method":"PUT","value":{"name":"a"}}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"remove","path":"/about/draft"}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"replace","path":"/about/draft","value":false}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"remove","path":"/about"}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"replace","path":"/about","value":{"x":1}}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"replace","path":"","value":{}}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"move","from":"/about","path":"/meta"}]}"#,
            r#"{"method":"PATCH"}"#,
        ] {
            assert!(lasting(good), "{good}");
        }
        for bad in [
            r#"{"method":"PATCH","value":{}}"#,
            r#"{"method":"PATCH","value":{"status":"received"}}"#,
            r#"{"method":"PATCH","value":{"about":{"draft":true}}}"#,
            r#"{"method":"PATCH","value":{"draft":null}}"#,
            r#"{"method":"PUT","value":{"about":{"draft":true}}}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"add","path":"/x","value":1}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"remove","path":"/about/draft"},{"op":"add","path":"/about","value":{"draft":true}}]}"#,
            r#"{"method":"PATCH","contentType":"application/json-patch+json","value":[{"op":"remove","path":"/ab"}]}"#,
            r#"{"method":"DELETE"}"#,
            r#"{"method":"CHECK","ifMatch":"*"}"#,
        ] {
            assert!(!lasting(bad), "{bad}");
        }
    }
}
