//! SC-1, SC-2, SC-4: which cookies are set, whether answers need them, whether cold clients pile up.
//!
//! None of them fails anything: a cookie may hold the state it stands for. SC-3 says which.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use crate::{
    engine::{Draft, Scene, Stop},
    finding::Level,
    jar::{self, Cookie},
    script::{Claim, Cookies, Script, Send, Voice},
};

/// Cold clients that SC-4 sends.
const COLD_CLIENTS: u32 = 8;
/// Cookies that balancers set to find a process again.
const AFFINITY: &[&str] = &[
    "awsalb",
    "arraffinity",
    "serverid",
    "bigipserver",
    "route",
    "lb_",
    "sticky",
    "ingresscookie",
    "traefik",
];

/// What a cookie looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    Affinity,
    Csrf,
    Preference,
    /// At least 64 bits that nobody but the server understands.
    Opaque,
    /// A token that carries its content with it.
    Signed,
}

impl Class {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Affinity => "looks like a balancer's, which ties a client to a process",
            Self::Csrf => "looks like a double-submit token against forged requests",
            Self::Preference => "is short: a preference that the client holds",
            Self::Opaque => {
                "has at least 64 bits that only the server understands: the key of something kept there?"
            }
            Self::Signed => "carries readable content: state that the client holds",
        }
    }
}

/// What a cookie looks like, by its name and value.
pub(crate) fn classify(cookie: &Cookie) -> Class {
    let name = cookie.name.to_ascii_lowercase();
    if AFFINITY.iter().any(|known| name.starts_with(known)) {
        return Class::Affinity;
    }
    if name.contains("csrf") || name.contains("xsrf") {
        return Class::Csrf;
    }
    let value = cookie
        .value
        .trim_matches('"')
        .replace("%3A", ":")
        .replace("%3D", "=");
    if is_readable(&value) {
        return Class::Signed;
    }
    let bits = bits(&value);
    if bits >= 64 {
        Class::Opaque
    } else {
        Class::Preference
    }
}

/// Whether the value, or a part of it, is encoded text: JSON, a JWT, a signed session.
fn is_readable(value: &str) -> bool {
    value.split(['.', ':', '-']).any(|part| {
        let part = part
            .trim_end_matches('=')
            .replace('+', "-")
            .replace('/', "_");
        let decoded = URL_SAFE_NO_PAD.decode(part.as_bytes()).unwrap_or_default();
        let printable = decoded
            .iter()
            .filter(|byte| matches!(byte, 0x20..=0x7e))
            .count();
        decoded.len() >= 6 && printable == decoded.len()
    })
}

/// Bits of randomness that a value can hold at most.
fn bits(value: &str) -> usize {
    let letters: Vec<char> = value
        .chars()
        .filter(|c| c.is_ascii_alphanumeric())
        .collect();
    let is_hex = letters.iter().all(char::is_ascii_hexdigit);
    let has_digit = letters.iter().any(char::is_ascii_digit);
    if !has_digit && letters.len() < 20 {
        return 0;
    }
    letters.len() * if is_hex { 4 } else { 6 }
}

/// Operations that set cookies cold, and what they set.
pub(crate) fn setters(scene: &Scene<'_>) -> Vec<(usize, Vec<Cookie>)> {
    let asked = scene.corpus.safe().filter_map(|operation| {
        let cookies = jar::set_by(&scene.baseline(operation)?.response.fields);
        (!cookies.is_empty()).then_some((operation, cookies))
    });
    asked.collect()
}

/// SC-1: every cookie that a cold client is given, by what it looks like.
pub(super) fn classes(scene: &Scene<'_>) -> Result<(), Stop> {
    let mut first: BTreeMap<String, (usize, Cookie)> = BTreeMap::new();
    for (operation, cookies) in setters(scene) {
        for cookie in cookies {
            first
                .entry(cookie.name.clone())
                .or_insert((operation, cookie));
        }
    }
    for operation in scene.corpus.safe() {
        scene.fine(operation);
    }
    if first.is_empty() {
        scene.file(
            Level::Good,
            Draft {
                summary: "no answer sets a cookie".to_owned(),
                ..Draft::default()
            },
        );
    }
    for (name, (operation, cookie)) in first {
        let class = classify(&cookie);
        let level = if class == Class::Opaque {
            Level::Warn
        } else {
            Level::Info
        };
        let mut script = Script::default();
        let step = script.send(Send::get(scene.target(operation), Voice::client(1)));
        let claims = vec![Claim::Field(step, "set-cookie".to_owned())];
        let summary = format!("cookie {name} {}", class.sentence());
        let draft =
            Draft::at(operation, summary).detail("SC-3 (rewind) shows who holds the state.");
        if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
            scene.file(level, draft.proof(proof));
        }
    }
    Ok(())
}

/// SC-2: the same request with and without the cookies, credentials kept.
pub(super) fn strip(scene: &Scene<'_>) -> Result<(), Stop> {
    let setters = setters(scene);
    let Some((contact, cookies)) = setters.first() else {
        scene.unshown("not applicable: no cookie is set");
        return Ok(());
    };
    let is_harmless = |cookie: &Cookie| !matches!(classify(cookie), Class::Opaque | Class::Signed);
    let level = if cookies.iter().all(is_harmless) {
        Level::Info
    } else {
        Level::Warn
    };
    for operation in scene.steady() {
        let mut script = Script::default();
        let target = scene.target(operation);
        let voice = Voice::client(1);
        script.send(Send::get(scene.target(*contact), voice));
        let before = script.send(Send::get(target, voice));
        let bare = script.send(Send::get(target, voice).cookies(Cookies::None));
        let after = script.send(Send::get(target, voice));
        let claims = vec![Claim::Same(before, after), Claim::Differ(before, bare)];
        match scene.prove(script, claims, scene.mask(operation))? {
            None => scene.fine(operation),
            Some(proof) => {
                let shown = crate::engine::shown(&proof);
                let needed = needed(scene, *contact, cookies, operation)?;
                let summary = format!("the answer needs {needed}: {shown}");
                let detail = "The cookie may hold what is needed, or be the key of what the server holds: SC-3 says which.";
                scene.file(
                    level,
                    Draft::at(operation, summary).detail(detail).proof(proof),
                );
            }
        }
    }
    Ok(())
}

/// Which of several cookies an answer needs: each is left out alone.
fn needed(
    scene: &Scene<'_>,
    contact: usize,
    cookies: &[Cookie],
    operation: usize,
) -> Result<String, Stop> {
    let mut needed = Vec::new();
    for cookie in cookies {
        let mut script = Script::default();
        let (target, voice) = (scene.target(operation), Voice::client(1));
        let without = Cookies::Without(vec![cookie.name.clone()]);
        script.send(Send::get(scene.target(contact), voice));
        let before = script.send(Send::get(target, voice));
        let bare = script.send(Send::get(target, voice).cookies(without));
        let played = scene.stage.play(&script)?;
        if Claim::Differ(before, bare).holds(&played, &scene.mask(operation)) {
            needed.push(cookie.name.as_str());
        }
    }
    Ok(match needed.as_slice() {
        [] => "the cookies together".to_owned(),
        names => format!("cookie {}", names.join(" and cookie ")),
    })
}

/// SC-4: cold clients, each of which is given an identity of its own.
pub(super) fn accumulation(scene: &Scene<'_>) -> Result<(), Stop> {
    let setters = setters(scene);
    let Some((operation, cookies)) = setters.first() else {
        scene.unshown("not applicable: no cookie is set");
        return Ok(());
    };
    let mut script = Script::default();
    for client in 1..=COLD_CLIENTS {
        script.send(Send::get(scene.target(*operation), Voice::client(client)));
    }
    let name = "set-cookie".to_owned();
    let claims = (1..script.0.len())
        .map(|step| Claim::FieldDiffers(0, step, name.clone()))
        .collect();
    let Some(proof) = scene.prove(script, claims, scene.mask(*operation))? else {
        scene.fine(*operation);
        return Ok(());
    };
    let is_identity = |cookie: &Cookie| classify(cookie) == Class::Opaque;
    let level = if cookies.iter().any(is_identity) {
        Level::Warn
    } else {
        Level::Info
    };
    let summary = format!(
        "each of {COLD_CLIENTS} clients without history is given a cookie of its own by a plain GET"
    );
    scene.file(level, Draft::at(*operation, summary).proof(proof));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_are_told_apart_by_name_and_entropy() {
        for (name, value, class) in [
            ("AWSALB", "x", Class::Affinity),
            ("csrftoken", "abcdefabcdef0123456789abcdef01", Class::Csrf),
            ("ab", "B", Class::Preference),
            ("theme", "solarized-dark", Class::Preference),
            ("sid", "0123456789abcdef0123456789abcdef", Class::Opaque),
            (
                "session",
                "eyJ2aWV3cyI6MSwidXNlciI6ImFkYSJ9.c2ln",
                Class::Signed,
            ),
        ] {
            let cookie = Cookie {
                name: name.to_owned(),
                value: value.to_owned(),
                is_expired: false,
            };
            assert_eq!(classify(&cookie), class, "{name}");
        }
    }
}
