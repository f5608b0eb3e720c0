//! How the checks of conditional writes begin: one client makes a resource in the sandbox and reads
//! it, its entity tag included.

use crate::{
    check::NO_SANDBOX,
    engine::Scene,
    sandbox::Sandbox,
    script::{Script, Send, Voice},
};

/// A script that has made and read a resource.
pub(super) struct Opening<'s> {
    pub(super) sandbox: &'s Sandbox,
    /// What was sent so far.
    pub(super) script: Script,
    /// The client who made it.
    pub(super) voice: Voice,
    /// Its target; may be a placeholder.
    pub(super) target: String,
    /// The step that read it.
    pub(super) read: usize,
}

impl<'s> Opening<'s> {
    /// The opening; says so where nothing may be written.
    pub(super) fn of(scene: &'s Scene<'_>) -> Option<Self> {
        let Some(sandbox) = &scene.sandbox else {
            scene.unshown(NO_SANDBOX);
            return None;
        };
        let voice = Voice::client(1);
        let mut script = Script::default();
        let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
        let read = script.send(Send::get(&made.target, voice));
        Some(Self {
            sandbox,
            script,
            voice,
            target: made.target,
            read,
        })
    }

    /// The resource's name in reports.
    pub(super) fn subject(&self) -> String {
        format!("{}/…", self.sandbox.path)
    }

    /// A PUT of another version by who made it.
    pub(super) fn put(&self, version: u32) -> Send {
        Send::with("PUT", &self.target, self.voice)
            .body(&self.sandbox.media_type, &self.sandbox.body(version))
    }

    /// The placeholder of the tag that was read.
    pub(super) fn tag(&self) -> String {
        format!("${{{}:etag}}", self.read)
    }
}
