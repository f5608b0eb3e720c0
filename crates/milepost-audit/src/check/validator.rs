//! CA-1: a writable resource has a strong entity tag, which changes if and only if the
//! representation does, and means the same to every process.

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    let subject = format!("{}/…", sandbox.path);
    let voice = Voice::client(1);
    let tag = || "etag".to_owned();
    let mut script = Script::default();
    let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
    let read = script.send(Send::get(&made.target, voice));
    let again = script.send(Send::get(&made.target, Voice::client(2)));
    let other = Send::with("PUT", &made.target, voice)
        .body(&sandbox.media_type, &sandbox.body(1))
        .field("if-match", &format!("${{{read}:etag}}"));
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
    let played = scene.stage.play(&script)?;
    let is_weak = played
        .response(read)
        .and_then(crate::http::Response::etag)
        .is_some_and(|tag| tag.starts_with("W/"));
    if is_weak {
        scene.file(
            Level::Warn,
            Draft::about(
                &subject,
                "the entity tag is weak: If-Match never matches it (RFC 9110 §13.1.1)",
            ),
        );
    }
    let written = script.send(other);
    let after = script.send(Send::get(&made.target, voice));
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
    let Some(sandbox) = &scene.sandbox else {
        return Ok(());
    };
    let voice = Voice::client(1);
    let restarts = scene
        .stage
        .restart
        .is_some()
        .then_some((0, "after a restart"));
    let replicas = (1..scene.stage.replicas.len()).map(|replica| (replica, "at another replica"));
    for (replica, place) in restarts.into_iter().chain(replicas) {
        let mut script = Script::default();
        let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
        let read = script.send(Send::get(&made.target, voice));
        let target = if made.target.starts_with("${") {
            format!("${{{}:location}}", made.created)
        } else {
            made.target.clone()
        };
        if replica == 0 {
            script.restart();
        }
        let there = script.send(Send::get(&target, voice.at(replica)));
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
