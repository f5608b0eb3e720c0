//! LG-1: does a token still work after a logout? A list of revoked tokens is a legitimate trade-off,
//! and state all the same. Runs last, and only where writing is allowed: it ends the first user's
//! login.

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Draft, Scene, Stop},
    finding::Level,
    script::{Claim, Cookies, Credential, Script, Send, Voice},
};

const WORDS: &[&str] = &["logout", "signout", "sign-out", "log-out"];

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if scene.options.sandbox.is_none() {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    }
    let Some(logout) = logout(scene) else {
        scene.unshown("not applicable: no POST or DELETE that is named a logout is described");
        return Ok(());
    };
    let Some(private) = private(scene)? else {
        scene.unshown("needs --bearer, and an operation that refuses strangers");
        return Ok(());
    };
    let ask = || Send::get(scene.target(private), Voice::default()).cookies(Cookies::None);
    let mut script = Script::default();
    let before = script.send(ask());
    script.send(Send::with(&logout.0, &logout.1, Voice::default()));
    let after = script.send(ask());
    let played = scene.stage.play(&script)?;
    let works = Claim::Status(before, 200, 299).holds(&played, &scene.mask(private));
    let ended = Claim::Status(after, 401, 403).holds(&played, &scene.mask(private));
    if works && ended {
        let summary = format!(
            "after {} {} the token is refused: the server remembers that it was revoked",
            logout.0, logout.1
        );
        let draft = Draft::at(private, summary).remembered(before + 1, after, Carrier::Credential);
        scene.file(Level::Info, draft);
    } else if works {
        scene.fine(private);
    }
    Ok(())
}

fn logout(scene: &Scene<'_>) -> Option<(String, String)> {
    let description = scene.corpus.description.as_ref()?;
    let operations = description.operations();
    let found = operations.iter().find(|operation| {
        let path = operation.path.to_ascii_lowercase();
        let named = WORDS.iter().any(|word| path.ends_with(word));
        named && matches!(operation.method.as_str(), "POST" | "DELETE")
    })?;
    Some((
        found.method.clone(),
        format!("{}{}", description.base(), found.path),
    ))
}

/// An operation that answers the first user, and refuses strangers.
fn private(scene: &Scene<'_>) -> Result<Option<usize>, Stop> {
    if !scene.has_credential(Credential::First) {
        return Ok(None);
    }
    for operation in scene.readable() {
        let mut script = Script::default();
        let nobody = Voice::default().as_user(Credential::Nobody);
        let step = script.send(Send::get(scene.target(operation), nobody));
        let played = scene.stage.play(&script)?;
        if played
            .response(step)
            .is_some_and(|answer| matches!(answer.status, 401 | 403))
        {
            return Ok(Some(operation));
        }
    }
    Ok(None)
}
