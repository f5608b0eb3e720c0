//! CA-3: `If-Match` compares strongly: a weak tag never matches (RFC 9110 §13.1.1, §8.8.3.2).

use crate::{
    check::NO_SANDBOX,
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    let subject = format!("PUT {}/…", sandbox.path);
    let voice = Voice::client(1);
    let mut script = Script::default();
    let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
    let read = script.send(Send::get(&made.target, voice));
    let put = |version: u32, tag: &str| {
        Send::with("PUT", &made.target, voice)
            .body(&sandbox.media_type, &sandbox.body(version))
            .field("if-match", tag)
    };
    let weak = script.send(put(1, &format!("W/${{{read}:etag}}")));
    let wrong = script.send(put(2, "\"milepost-audit-no-such-tag\""));
    // Where any tag will do, CA-2 says so; here it is about the comparison.
    let claims = vec![
        Claim::Status(weak, 200, 299),
        Claim::NotStatus(wrong, 200, 299),
    ];
    match scene.prove(script, claims, Mask::default())? {
        None => scene.cover(&subject, Level::Good),
        Some(proof) => {
            let summary = "If-Match takes a weak tag for the strong one";
            scene.file(Level::Warn, Draft::about(subject, summary).proof(proof));
        }
    }
    Ok(())
}
