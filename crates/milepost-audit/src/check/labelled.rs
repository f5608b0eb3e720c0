//! CC-2: what differs by credentials, cookies or `Accept` says so, and what sets a cookie is not
//! for everybody's cache (RFC 9111 §3.5, §7.3).

use crate::{
    engine::{Draft, Scene, Stop, shown},
    finding::Level,
    http::{Fields, Response},
    script::{Claim, Cookies, Credential, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    for operation in scene.readable() {
        let mut fine = true;
        if scene.has_credential(Credential::First) {
            fine &= !by_credential(scene, operation)?;
        }
        fine &= !by_accept(scene, operation)?;
        fine &= !by_cookie(scene, operation)?;
        fine &= !set_for_all(scene, operation)?;
        if fine {
            scene.fine(operation);
        }
    }
    Ok(())
}

/// Whether a shared cache may keep the answer to a request with credentials (RFC 9111 §3.5).
fn is_for_all(fields: &Fields) -> bool {
    let says = |word| fields.lists("cache-control", word);
    (says("public") || says("s-maxage")) && !says("private") && !says("no-store")
}

/// Whether the answer says that it depends on a request's field, or is for one client only.
fn is_labelled(response: &Response, field: &str) -> bool {
    let fields = &response.fields;
    let says = |word| fields.lists("cache-control", word);
    says("private") || says("no-store") || fields.lists("vary", field) || fields.lists("vary", "*")
}

fn by_credential(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let Some(baseline) = scene.baseline(operation) else {
        return Ok(false);
    };
    let response = &baseline.response;
    if !is_for_all(&response.fields) || response.fields.lists("vary", "authorization") {
        return Ok(false);
    }
    let others = [Credential::Nobody, Credential::Second];
    for other in others
        .into_iter()
        .filter(|other| *other == Credential::Nobody || scene.has_credential(*other))
    {
        let variant = Send::get(scene.target(operation), Voice::client(2).as_user(other));
        if let Some(proof) = scene.sandwich(operation, Voice::client(1), &variant)? {
            let summary = format!(
                "differs by who asks, and says that any cache may keep it ({})",
                shown(&proof)
            );
            let draft = Draft::at(operation, summary)
                .detail("Say `private`, or `no-store`, or `Vary: Authorization`.")
                .proof(proof);
            scene.file(Level::Bad, draft);
            return Ok(true);
        }
    }
    Ok(false)
}

fn by_accept(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let plain = Voice::client(1);
    let variant = Send::get(scene.target(operation), Voice::client(2)).field("accept", "text/html");
    let Some(proof) = scene.sandwich(operation, plain, &variant)? else {
        return Ok(false);
    };
    let answers: Vec<&Response> = (0..3)
        .filter_map(|step| proof.played.response(step))
        .collect();
    let succeed = answers.iter().all(|answer| answer.is_success());
    if !succeed
        || answers.iter().all(|answer| {
            is_labelled(answer, "accept") || answer.fields.lists("cache-control", "no-cache")
        })
    {
        return Ok(false);
    }
    let summary =
        "differs by Accept without Vary: Accept: a cache hands one to who asked for the other";
    scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
    Ok(true)
}

fn by_cookie(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let Some((contact, _)) = super::cookie::setters(scene).into_iter().next() else {
        return Ok(false);
    };
    let target = scene.target(operation);
    let mut script = Script::default();
    script.send(Send::get(scene.target(contact), Voice::client(1)));
    let before = script.send(Send::get(target, Voice::client(1)));
    let bare = script.send(Send::get(target, Voice::client(1)).cookies(Cookies::None));
    let after = script.send(Send::get(target, Voice::client(1)));
    let claims = vec![Claim::Same(before, after), Claim::Differ(before, bare)];
    let Some(proof) = scene.prove(script, claims, scene.mask(operation))? else {
        return Ok(false);
    };
    if proof
        .played
        .response(before)
        .is_some_and(|answer| is_labelled(answer, "cookie"))
    {
        return Ok(false);
    }
    let summary = "differs by cookie, and says neither `private` nor `Vary: Cookie`";
    scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
    Ok(true)
}

/// A cookie in an answer that everybody's cache may keep is everybody's cookie.
fn set_for_all(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let Some(baseline) = scene.baseline(operation) else {
        return Ok(false);
    };
    let fields = &baseline.response.fields;
    if !fields.has("set-cookie") || !is_for_all(fields) {
        return Ok(false);
    }
    let mut script = Script::default();
    let step = script.send(Send::get(scene.target(operation), Voice::client(1)));
    let claims = ["set-cookie", "cache-control"]
        .map(|name| Claim::Field(step, name.to_owned()))
        .to_vec();
    if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
        let summary =
            "sets a cookie in an answer that any cache may keep: the next client gets the same one";
        scene.file(Level::Bad, Draft::at(operation, summary).proof(proof));
    }
    Ok(true)
}
