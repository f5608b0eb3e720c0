//! SB-1: streams and subscriptions. A stream of a resource's changes that any replica resumes by
//! `Last-Event-ID` is fine; one that only its server knows is a registry of clients.

use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let mut streams = false;
    for (number, operation) in scene.corpus.operations.iter().enumerate() {
        if operation.media_type == "text/event-stream" {
            streams = true;
            stream(scene, number)?;
        }
    }
    if streams {
        scene.unshown("what is left of a stream when its client is gone: that is not looked at");
    }
    if !subscribe(scene)? && !streams {
        scene.unshown("not applicable: no event stream and no SUBSCRIBE was found");
    }
    Ok(())
}

fn stream(scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
    let mut script = Script::default();
    for client in 1..=2 {
        let voice = Voice::client(client);
        script.send(Send::get(scene.target(operation), voice).field("accept", "text/event-stream"));
    }
    let played = scene.stage.play(&script)?;
    let (Some(one), Some(two)) = (played.response(0), played.response(1)) else {
        return Ok(());
    };
    let (one, two) = (one.text(), two.text());
    let id = |text: &str, name: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(name).map(str::to_owned))
    };
    let personal = ["data:", "id:"].into_iter().any(|name| {
        let (left, right) = (id(&one, name), id(&two, name));
        left.is_some() && left != right
    });
    let has_ids = one.lines().any(|line| line.starts_with("id:"));
    let (level, summary) = match (personal, has_ids) {
        (true, _) => (
            Level::Warn,
            "each client's stream begins with a name of its own: the server keeps a registry of streams",
        ),
        (false, true) => (
            Level::Good,
            "a stream with event ids: who was cut off can go on elsewhere",
        ),
        (false, false) if one.is_empty() => (
            Level::Info,
            "a stream that said nothing while it was listened to",
        ),
        (false, false) => (
            Level::Warn,
            "a stream without event ids: who was cut off can't know what was missed",
        ),
    };
    let draft = Draft::at(operation, summary);
    let claims = vec![Claim::BodyDiffers(0, 1)];
    let proof = match personal {
        true => scene.prove(script, claims, Mask::default())?,
        false => None,
    };
    scene.file(
        level,
        match proof {
            Some(proof) => draft.proof(proof),
            None => draft,
        },
    );
    Ok(())
}

/// Whether `SUBSCRIBE` is offered.
fn subscribe(scene: &Scene<'_>) -> Result<bool, Stop> {
    let target = scene
        .stage
        .replicas
        .first()
        .map_or("/", |place| place.target.as_str());
    let mut script = Script::default();
    let step = script.send(Send::with("OPTIONS", target, Voice::client(1)));
    let played = scene.stage.play(&script)?;
    let offered = played
        .response(step)
        .is_some_and(|answer| answer.fields.lists("allow", "SUBSCRIBE"));
    let claims = vec![Claim::Field(step, "allow".to_owned())];
    if offered && let Some(proof) = scene.prove(script, claims, Mask::default())? {
        let summary = "SUBSCRIBE is offered: the server keeps a list of who listens";
        let subject = format!("OPTIONS {target}");
        scene.file(Level::Warn, Draft::about(subject, summary).proof(proof));
    }
    Ok(offered)
}
