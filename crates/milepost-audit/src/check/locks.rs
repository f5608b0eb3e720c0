//! LK-1: is a lock really kept, whatever `DAV` says? LOCK in the sandbox, then PUT without the token.

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

const LOCK: &str = r#"<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>milepost audit</D:owner></D:lockinfo>"#;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    let subject = format!("LOCK {}/…", sandbox.path);
    let (one, two) = (Voice::client(1), Voice::client(2));
    let mut script = Script::default();
    let offered = script.send(Send::with("OPTIONS", &sandbox.path, one));
    let made = sandbox.create(&mut script, one, scene.stage.wire, 0);
    let read = script.send(Send::get(&made.target, one));
    let target = if made.target.starts_with("${") {
        format!("${{{}:location}}", made.created)
    } else {
        made.target
    };
    let lock = Send::with("LOCK", &target, one)
        .body("application/xml", LOCK)
        .field("timeout", "Second-30");
    let locked = script.send(lock);
    let mut put = Send::with("PUT", &target, two).body(&sandbox.media_type, &sandbox.body(1));
    put = put.field("if-match", "*");
    let refused = script.send(put);
    let played = scene.stage.play(&script)?;
    let advertised = played.response(offered).is_some_and(|answer| {
        answer.fields.lists("allow", "LOCK") || answer.fields.lists("dav", "2")
    });
    let claims = vec![
        Claim::Status(read, 200, 299),
        Claim::Status(locked, 200, 201),
        Claim::Status(refused, 423, 423),
    ];
    if let Some(proof) = scene.prove(script, claims, Mask::default())? {
        let summary = "a lock that one client took refuses another: the server keeps it, whatever becomes of its owner";
        let draft = Draft::about(subject, summary)
            .detail("Entity tags refuse the late writer too, and nobody has to be waited for (RFC 9110 §13.1.1).")
            .proof(proof)
            .remembered(locked, refused, Carrier::Anybody);
        scene.file(Level::Bad, draft);
    } else if advertised {
        let summary = "LOCK is advertised, and locks nothing";
        scene.file(Level::Info, Draft::about(subject, summary));
    } else {
        scene.cover(&subject, Level::Good);
    }
    Ok(())
}
