//! CC-1: every success says how long it may be kept, or that it may not.

use crate::{
    engine::{Draft, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let readable = scene.readable();
    let is_silent = |operation: &&usize| {
        let baseline = scene.baseline(**operation);
        baseline.is_some_and(|known| {
            let fields = &known.response.fields;
            !fields.has("cache-control") && !fields.has("expires")
        })
    };
    let silent: Vec<usize> = readable.iter().filter(is_silent).copied().collect();
    for operation in readable
        .iter()
        .filter(|operation| !silent.contains(operation))
    {
        scene.fine(*operation);
    }
    let Some(first) = silent.first() else {
        return Ok(());
    };
    for operation in &silent {
        scene.cover(&scene.label(*operation), Level::Warn);
    }
    let mut script = Script::default();
    let step = script.send(Send::get(scene.target(*first), Voice::client(1)));
    let claims = ["cache-control", "expires"]
        .map(|name| Claim::NoField(step, name.to_owned()))
        .to_vec();
    if let Some(proof) = scene.prove(script, claims, scene.mask(*first))? {
        let summary = format!(
            "{} of {} operations say nothing about caching",
            silent.len(),
            readable.len()
        );
        let listed: Vec<String> = silent
            .iter()
            .map(|operation| format!("* `{}`", scene.label(*operation)))
            .collect();
        scene.file(
            Level::Warn,
            Draft::at(*first, summary)
                .detail(listed.join("\n"))
                .proof(proof),
        );
    }
    Ok(())
}
