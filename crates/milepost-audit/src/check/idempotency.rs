//! IK-1: does a repeated `Idempotency-Key` bring the first answer again? A bounded record of
//! requests is resource state, so this is worth knowing and no more.

use crate::{
    check::NO_SANDBOX,
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    sandbox::Creation,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    if sandbox.creation != Creation::Post {
        scene.unshown("not applicable: nothing is created by POST");
        return Ok(());
    }
    let subject = format!("POST {}", sandbox.path);
    let mut script = Script::default();
    let key = format!("milepost-audit-{}", scene.stage.wire.next_play());
    let mut post = |key: &str| {
        let send = Send::with("POST", &sandbox.path, Voice::default())
            .body(&sandbox.media_type, &sandbox.body(0));
        script.send(send.field("idempotency-key", key))
    };
    let first = post(&key);
    let again = post(&key);
    let other = post(&format!("{key}-other"));
    let location = || "location".to_owned();
    let claims = vec![
        Claim::Field(first, location()),
        Claim::FieldSame(first, again, location()),
        Claim::FieldDiffers(first, other, location()),
    ];
    match scene.prove(script, claims, Mask::default())? {
        None => scene.cover(&subject, Level::Good),
        Some(proof) => {
            let summary = "a repeated Idempotency-Key brings the first answer again: a record of requests is kept";
            scene.file(Level::Info, Draft::about(subject, summary).proof(proof));
        }
    }
    Ok(())
}
