//! LK-1: is a lock really kept, whatever `DAV` says? LOCK in the sandbox, then PUT without the token
//! by somebody else; and the same with a restart in between, which a lock in memory does not outlive.

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    sandbox::Sandbox,
    script::{Claim, Script, Send, Voice},
};

const LOCK: &str = r#"<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope><D:locktype><D:write/></D:locktype><D:owner>milepost audit</D:owner></D:lockinfo>"#;

/// What happens to a resource between its LOCK and the write of another client.
struct Attempt {
    script: Script,
    offered: usize,
    read: usize,
    locked: usize,
    written: usize,
}

impl Attempt {
    /// A resource is made, read and locked; another client writes. `unlocks` gives the lock back at
    /// the end, so that the script can be played again.
    fn with(scene: &Scene<'_>, sandbox: &Sandbox, restarts: bool, unlocks: bool) -> Self {
        let (one, two) = (Voice::client(1), Voice::client(2));
        let mut script = Script::default();
        let offered = script.send(Send::with("OPTIONS", &sandbox.path, one));
        let made = sandbox.create(&mut script, one, scene.stage.wire, 0);
        let read = script.send(Send::get(&made.target, one));
        let lock = Send::with("LOCK", &made.target, one)
            .body("application/xml", LOCK)
            .field("timeout", "Second-30");
        let locked = script.send(lock);
        if restarts {
            script.restart();
        }
        let put = Send::with("PUT", &made.target, two).body(&sandbox.media_type, &sandbox.body(1));
        let written = script.send(put.field("if-match", "*"));
        if unlocks {
            let token = format!("${{{locked}:field:lock-token}}");
            script.send(Send::with("UNLOCK", &made.target, one).field("lock-token", &token));
        }
        Self {
            script,
            offered,
            read,
            locked,
            written,
        }
    }

    /// That it was locked, and the write answered so.
    fn claims(&self, low: u16, high: u16) -> Vec<Claim> {
        vec![
            Claim::Status(self.read, 200, 299),
            Claim::Status(self.locked, 200, 201),
            Claim::Status(self.written, low, high),
        ]
    }
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    let subject = format!("LOCK {}/…", sandbox.path);
    let first = Attempt::with(scene, sandbox, false, false);
    let played = scene.stage.play(&first.script)?;
    let advertised = played.response(first.offered).is_some_and(|answer| {
        answer.fields.lists("allow", "LOCK") || answer.fields.lists("dav", "2")
    });
    let held = first.claims(423, 423);
    if !held
        .iter()
        .all(|claim| claim.holds(&played, &Mask::default()))
    {
        if advertised {
            let summary = "LOCK is advertised, and locks nothing";
            scene.file(Level::Info, Draft::about(subject, summary));
        } else {
            scene.cover(&subject, Level::Good);
        }
        return Ok(());
    }
    // A resource that is locked for half a minute can't be made again: it is given back.
    let attempt = Attempt::with(scene, sandbox, false, true);
    let claims = attempt.claims(423, 423);
    let (locked, written) = (attempt.locked, attempt.written);
    if let Some(proof) = scene.prove(attempt.script, claims, Mask::default())? {
        let summary = "a lock that one client took refuses another: the server keeps it, whatever becomes of its owner";
        let draft = Draft::about(&subject, summary)
            .detail("Entity tags refuse the late writer too, and nobody has to be waited for (RFC 9110 §13.1.1).")
            .proof(proof)
            .remembered(locked, written, Carrier::Anybody);
        scene.file(Level::Bad, draft);
        forgotten(scene, sandbox, subject)?;
    }
    Ok(())
}

/// A lock that a restart forgets was in the memory of the process.
fn forgotten(scene: &Scene<'_>, sandbox: &Sandbox, subject: String) -> Result<(), Stop> {
    if scene.stage.restart.is_none() {
        scene.unshown("whether a lock outlives a restart: needs --restart-cmd CMD");
        return Ok(());
    }
    let attempt = Attempt::with(scene, sandbox, true, false);
    let claims = attempt.claims(200, 299);
    let (locked, written) = (attempt.locked, attempt.written);
    if let Some(proof) = scene.prove(attempt.script, claims, Mask::default())? {
        let summary = "a restart forgets the lock: it was in the memory of the process, and its owner is not told";
        let draft = Draft::about(subject, summary).proof(proof);
        scene.file(
            Level::Bad,
            draft.remembered(locked, written, Carrier::Process),
        );
    }
    Ok(())
}
