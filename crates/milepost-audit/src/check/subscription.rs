//! SB-1: streams and subscriptions. A stream of a resource's changes that anybody resumes anywhere by
//! `Last-Event-ID` is fine; one that only its server knows is a registry of clients.
//!
//! What a stream says is looked at in `stream`, what it leaves when its client is gone in `residue`.

use super::{
    residue,
    stream::{self, Heard},
};
use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Streams that are listened to.
const STREAMS_MAX: usize = 2;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let streams = stream::all(scene)?;
    if streams.len() > STREAMS_MAX {
        let more = streams.len() - STREAMS_MAX;
        scene.unshown(format!(
            "{more} more streams: {STREAMS_MAX} were listened to"
        ));
    }
    let mut heard = Vec::new();
    for operation in streams.iter().take(STREAMS_MAX) {
        heard.push((*operation, stream::listen(scene, *operation)?));
    }
    let is_offered = subscribe(scene)?;
    match heard.first() {
        Some((operation, heard)) => residue::run(scene, *operation, *heard == Heard::Name)?,
        None if is_offered => {}
        None => scene.unshown("not applicable: no event stream and no SUBSCRIBE was found"),
    }
    // Last, since a restart ends the process whose memory is read.
    for (operation, heard) in heard {
        if heard == Heard::Ids {
            stream::resumed(scene, operation)?;
        }
    }
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
    let claims = vec![Claim::Lists(
        step,
        "allow".to_owned(),
        "SUBSCRIBE".to_owned(),
    )];
    if offered && let Some(proof) = scene.prove(script, claims, Mask::default())? {
        let summary = "SUBSCRIBE is offered: the server keeps a list of who listens";
        let subject = format!("OPTIONS {target}");
        scene.file(Level::Warn, Draft::about(subject, summary).proof(proof));
    }
    Ok(offered)
}
