//! CA-2: a write that names a version which is no longer the current one is refused, and changes
//! nothing. The body is a different one, so "already applied" is no excuse.

use crate::{
    check::NO_SANDBOX,
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    sandbox::Sandbox,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    for method in ["PUT", "PATCH", "DELETE"] {
        stale(scene, sandbox, method)?;
    }
    Ok(())
}

/// The steps of one attempt.
struct Attempt {
    script: Script,
    read: usize,
    written: usize,
    current: usize,
    late: usize,
    after: usize,
}

impl Attempt {
    /// Made, read, changed, read again; then the late write with the tag of the first reading.
    fn with(scene: &Scene<'_>, sandbox: &Sandbox, method: &str) -> Self {
        let voice = Voice::client(1);
        let mut script = Script::default();
        let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
        let read = script.send(Send::get(&made.target, voice));
        let tag = format!("${{{read}:etag}}");
        let put = |version: u32| {
            let send = Send::with("PUT", &made.target, voice);
            send.body(&sandbox.media_type, &sandbox.body(version))
        };
        let written = script.send(put(1).field("if-match", &tag));
        let current = script.send(Send::get(&made.target, voice));
        let late = match method {
            "PUT" => put(2),
            "PATCH" => Send::with("PATCH", &made.target, voice)
                .body("application/merge-patch+json", &sandbox.body(3)),
            _ => Send::with("DELETE", &made.target, voice),
        };
        let late = script.send(late.field("if-match", &tag));
        let after = script.send(Send::get(&made.target, voice));
        Self {
            script,
            read,
            written,
            current,
            late,
            after,
        }
    }

    /// That there is a newer version than the one that the late write names.
    fn moved(&self) -> Vec<Claim> {
        vec![
            Claim::Status(self.written, 200, 299),
            Claim::FieldDiffers(self.read, self.current, "etag".to_owned()),
        ]
    }

    /// That the late write was answered so, and changed something.
    fn changed_by(&self, answer: Claim) -> Vec<Claim> {
        let changed = Claim::Differ(self.current, self.after);
        [self.moved(), vec![answer, changed]].concat()
    }
}

fn stale(scene: &Scene<'_>, sandbox: &Sandbox, method: &str) -> Result<(), Stop> {
    let subject = format!("{method} {}/…", sandbox.path);
    let attempt = Attempt::with(scene, sandbox, method);
    let played = match scene.stage.play(&attempt.script) {
        Err(Stop::Missing(_)) => {
            scene.unshown(format!(
                "{method}: no entity tag is offered, so none can be stale"
            ));
            return Ok(());
        }
        played => played?,
    };
    let has_moved = |claim: &Claim| claim.holds(&played, &Mask::default());
    if !attempt.moved().iter().all(has_moved) {
        scene.unshown(format!(
            "{method}: a PUT with the current tag made no other version"
        ));
        return Ok(());
    }
    let seek = |answer: Claim| {
        let claims = attempt.changed_by(answer);
        scene.prove(attempt.script.clone(), claims, Mask::default())
    };
    if let Some(proof) = seek(Claim::Status(attempt.late, 200, 299))? {
        let summary = "a write with a stale entity tag is taken: somebody's change is lost";
        let draft = Draft::about(subject, summary)
            .detail("Compare the tag where you write, in one transaction, and answer 412.");
        scene.file(Level::Bad, draft.proof(proof));
    } else if let Some(proof) = seek(Claim::NotStatus(attempt.late, 200, 299))? {
        let summary = "a write with a stale entity tag is refused, and done all the same";
        scene.file(Level::Bad, Draft::about(subject, summary).proof(proof));
    } else {
        let status = played
            .response(attempt.late)
            .map_or(0, |answer| answer.status);
        let (level, note) = refusal(status);
        scene.file(level, Draft::about(subject, format!("{note} ({status})")));
    }
    Ok(())
}

const fn refusal(status: u16) -> (Level, &'static str) {
    match status {
        412 => (Level::Good, "a stale entity tag is refused with 412"),
        409 => (
            Level::Info,
            "a stale entity tag is refused with 409; RFC 9110 §13.1.1 says 412",
        ),
        405 | 415 | 501 => (Level::Info, "the method is not offered here"),
        _ => (
            Level::Info,
            "a stale entity tag is refused, but not with 412",
        ),
    }
}
