//! LG-1: does a token still work after a logout? A list of revoked tokens is a legitimate trade-off,
//! and state all the same. Runs last, and only where writing is allowed: it ends the first user's
//! login. Logs nobody in: the token is the one that was given.

use crate::{
    check::NO_SANDBOX,
    corpus::{is_below, links},
    engine::{Carrier, Draft, Mask, Proof, Scene, Stop},
    finding::Level,
    http::resolve,
    script::{Claim, Cookies, Credential, Script, Send, Voice},
};

const WORDS: &[&str] = &[
    "logout", "log-out", "log_out", "signout", "sign-out", "sign_out",
];
/// Linked logouts that are asked for what they allow.
const LINKED_MAX: usize = 4;

/// How a login is ended.
struct Logout {
    method: String,
    target: String,
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if scene.options.sandbox.is_none() {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    }
    let found = match described(scene) {
        Some(logout) => Some(logout),
        None => linked(scene)?,
    };
    let Some(logout) = found else {
        scene.unshown("not applicable: no POST or DELETE that is named a logout is described, and no link to one allows either");
        return Ok(());
    };
    let Some(private) = private(scene)? else {
        scene.unshown("needs --bearer, and an operation that refuses strangers");
        return Ok(());
    };
    ended(scene, &logout, private)
}

/// A private operation twice, the logout, and the operation twice again; another user, where there
/// is one, still gets in.
fn ended(scene: &Scene<'_>, logout: &Logout, private: usize) -> Result<(), Stop> {
    let user = |credential| {
        let voice = Voice::default().as_user(credential);
        Send::get(scene.target(private), voice).cookies(Cookies::None)
    };
    let ask = || user(Credential::First);
    let mut script = Script::default();
    let before = [script.send(ask()), script.send(ask())];
    let left = script.send(Send::with(&logout.method, &logout.target, Voice::default()));
    let after = [script.send(ask()), script.send(ask())];
    let refused = after.map(|step| Claim::Status(step, 401, 403));
    let mut claims: Vec<Claim> = before.map(|step| Claim::Status(step, 200, 299)).to_vec();
    claims.push(Claim::Status(left, 200, 399));
    claims.extend(refused);
    if scene.has_credential(Credential::Second) {
        let other = script.send(user(Credential::Second));
        claims.push(Claim::Status(other, 200, 299));
    }
    // Who is logged out stays so: it can't be played three times.
    let proof = Proof::once(&scene.stage, script.clone(), claims, Mask::default())?;
    let Logout { method, target } = logout;
    if let Some(proof) = proof {
        let summary = format!(
            "after {method} {target} the token is refused: the server remembers that it was revoked"
        );
        let draft = Draft::at(private, summary)
            .detail("A bounded list of revoked tokens is a legitimate trade-off. To play it again a token is needed that is not logged out.")
            .proof(proof)
            .remembered(left, after[0], Carrier::Credential);
        scene.file(Level::Info, draft);
        return Ok(());
    }
    survived(scene, logout, private)
}

/// Whether the token works after the logout: if so, nothing is remembered of it.
fn survived(scene: &Scene<'_>, logout: &Logout, private: usize) -> Result<(), Stop> {
    let Logout { method, target } = logout;
    let mut script = Script::default();
    let left = script.send(Send::with(method, target, Voice::default()));
    let after =
        script.send(Send::get(scene.target(private), Voice::default()).cookies(Cookies::None));
    let played = scene.stage.play(&script)?;
    let status = |step| played.response(step).map_or(0, |answer| answer.status);
    let (left, after) = (status(left), status(after));
    if (200..400).contains(&left) && (200..300).contains(&after) {
        let summary = format!(
            "after {method} {target} the token still works: the server keeps no list of those that were revoked"
        );
        scene.file(Level::Good, Draft::at(private, summary));
    } else {
        scene.unshown(format!(
            "whether a logout is remembered: {method} {target} answers {left}, and {} then {after}",
            scene.label(private)
        ));
    }
    Ok(())
}

/// A logout by the last segment of its path.
fn is_named(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_end_matches('/').to_ascii_lowercase();
    let last = path.rsplit(['/', ':']).next().unwrap_or_default();
    WORDS.contains(&last) && !path.contains('{')
}

fn is_excluded(scene: &Scene<'_>, target: &str) -> bool {
    let excluded = &scene.options.excluded;
    excluded.iter().any(|outer| is_below(target, outer))
}

fn described(scene: &Scene<'_>) -> Option<Logout> {
    let description = scene.corpus.description.as_ref()?;
    let operations = description.operations();
    let found = operations.iter().find(|operation| {
        let target = format!("{}{}", description.base(), operation.path);
        is_named(&operation.path)
            && matches!(operation.method.as_str(), "POST" | "DELETE")
            && !is_excluded(scene, &target)
    })?;
    Some(Logout {
        method: found.method.clone(),
        target: format!("{}{}", description.base(), found.path),
    })
}

/// A logout that an answer links to, and that says of itself that it takes POST or DELETE.
fn linked(scene: &Scene<'_>) -> Result<Option<Logout>, Stop> {
    let Some(place) = scene.stage.replicas.first() else {
        return Ok(None);
    };
    let mut targets: Vec<String> = Vec::new();
    for operation in scene.readable() {
        let Some(known) = scene.baseline(operation) else {
            continue;
        };
        let found = links::all(&known.response);
        let found = found.iter().filter(|reference| is_named(reference));
        let here = scene.target(operation);
        targets.extend(found.filter_map(|found| resolve(&place.origin, here, found)));
    }
    targets.retain(|target| !is_excluded(scene, target));
    targets.dedup();
    for target in targets.into_iter().take(LINKED_MAX) {
        let mut script = Script::default();
        let step = script.send(Send::with("OPTIONS", &target, Voice::default()));
        let played = scene.stage.play(&script)?;
        let allows = |method: &&str| {
            let answer = played.response(step);
            answer.is_some_and(|answer| answer.fields.lists("allow", method))
        };
        if let Some(method) = ["POST", "DELETE"].iter().find(|method| allows(method)) {
            let method = (*method).to_owned();
            return Ok(Some(Logout { method, target }));
        }
    }
    Ok(None)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_is_named_by_the_end_of_its_path() {
        for path in [
            "/logout",
            "/users/sign-out/",
            "/v1/session:logout",
            "/Logout?x=1",
        ] {
            assert!(is_named(path), "{path}");
        }
        for path in [
            "/logouts",
            "/users/{id}/logout",
            "/logout/history",
            "/blogout",
        ] {
            assert!(!is_named(path), "{path}");
        }
    }
}
