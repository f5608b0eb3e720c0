//! CA-1: a writable resource has a strong entity tag, which changes if and only if the
//! representation does, and means the same to every process.

use super::opening::Opening;
use crate::{
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(opening) = Opening::of(scene) else {
        return Ok(());
    };
    let subject = opening.subject();
    let (read, target) = (opening.read, opening.target.as_str());
    let tag = || "etag".to_owned();
    let mut script = opening.script.clone();
    let again = script.send(Send::get(target, Voice::client(2)));
    let other = opening.put(1).field("if-match", &opening.tag());
    let absent = vec![Claim::Status(read, 200, 299), Claim::NoField(read, tag())];
    if let Some(proof) = scene.prove(script.clone(), absent, Mask::default())? {
        scene.file(
            Level::Warn,
            Draft::about(subject, "a resource that can be written has no entity tag").proof(proof),
        );
        return Ok(());
    }
    let unsteady = vec![
        Claim::BodySame(read, again),
        Claim::FieldDiffers(read, again, tag()),
    ];
    if let Some(proof) = scene.prove(script.clone(), unsteady, Mask::default())? {
        scene.file(
            Level::Warn,
            Draft::about(
                &subject,
                "the entity tag changes though the representation doesn't",
            )
            .proof(proof),
        );
    }
    let weak = vec![
        Claim::Status(read, 200, 299),
        Claim::FieldBegins(read, tag(), "W/".to_owned()),
    ];
    if let Some(proof) = scene.prove(script.clone(), weak, Mask::default())? {
        let summary = "the entity tag is weak: If-Match never matches it (RFC 9110 §13.1.1)";
        scene.file(Level::Warn, Draft::about(&subject, summary).proof(proof));
    }
    let written = script.send(other);
    let after = script.send(Send::get(target, opening.voice));
    let stuck = vec![
        Claim::Status(written, 200, 299),
        Claim::BodyDiffers(read, after),
        Claim::FieldSame(read, after, tag()),
    ];
    if let Some(proof) = scene.prove(script, stuck, Mask::default())? {
        scene.file(
            Level::Bad,
            Draft::about(&subject, "another representation has the same entity tag").proof(proof),
        );
    }
    elsewhere(scene, &subject)?;
    scene.cover(&subject, Level::Good);
    Ok(())
}

/// The same representation at another process, and after a restart.
fn elsewhere(scene: &Scene<'_>, subject: &str) -> Result<(), Stop> {
    let restarts = scene
        .stage
        .restart
        .is_some()
        .then_some((0, "after a restart"));
    let replicas = (1..scene.stage.replicas.len()).map(|replica| (replica, "at another replica"));
    for (replica, place) in restarts.into_iter().chain(replicas) {
        let Some(opening) = Opening::of(scene) else {
            return Ok(());
        };
        let read = opening.read;
        let mut script = opening.script.clone();
        if replica == 0 {
            script.restart();
        }
        let there = script.send(Send::get(&opening.target, opening.voice.at(replica)));
        let claims = vec![
            Claim::Status(read, 200, 299),
            Claim::Status(there, 200, 299),
            Claim::BodySame(read, there),
            Claim::FieldDiffers(read, there, "etag".to_owned()),
        ];
        if let Some(proof) = scene.prove(script, claims, Mask::default())? {
            let summary = format!("the same representation has another entity tag {place}");
            let draft = Draft::about(subject, summary)
                .detail("Who read it before can't write it now. Derive the tag from what is stored: its version or its bytes.")
                .proof(proof)
                .remembered(read, there, Carrier::Process);
            scene.file(Level::Warn, draft);
        }
    }
    Ok(())
}
