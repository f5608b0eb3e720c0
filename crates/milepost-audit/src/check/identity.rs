//! CN-1: a request without credentials on a connection that carried somebody's (RFC 9110 §3.3),
//! over HTTP/1.1, over HTTP/2, and over a new connection that resumes the TLS session of the first.

use crate::{
    engine::{Carrier, Draft, Scene, Stop, shown},
    finding::Level,
    http::Protocol,
    script::{Claim, Cookies, Credential, Script, Send, Voice},
};

/// Operations that are tried.
const TRIED_MAX: usize = 20;

/// What two requests have in common by which one could vouch for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bond {
    Connection(Protocol),
    TlsSession,
}

impl Bond {
    const ALL: [Self; 3] = [
        Self::Connection(Protocol::Http1),
        Self::Connection(Protocol::Http2),
        Self::TlsSession,
    ];

    /// The voice of a request with the bond; `nth` are those with it, in order.
    fn voice(self, nth: u32) -> Voice {
        match self {
            Self::Connection(protocol) => Voice::default().over(1).speaking(protocol),
            Self::TlsSession => Voice::default().over(nth).resuming(1),
        }
    }

    /// The voice of somebody without it.
    fn alone(self) -> Voice {
        match self {
            Self::Connection(protocol) => Voice::default().over(9).speaking(protocol),
            Self::TlsSession => Voice::default().over(9).resuming(9),
        }
    }

    const fn carrier(self) -> Carrier {
        match self {
            Self::Connection(_) => Carrier::Connection,
            Self::TlsSession => Carrier::TlsSession,
        }
    }

    const fn named(self) -> &'static str {
        match self {
            Self::Connection(Protocol::Http1) => "the connection",
            Self::Connection(Protocol::Http2) => "the HTTP/2 connection",
            Self::TlsSession => "the TLS session",
        }
    }
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if !scene.has_credential(Credential::First) {
        scene.unshown("needs --bearer: without credentials nobody can be taken for somebody");
        return Ok(());
    }
    let operations: Vec<usize> = scene.readable().into_iter().take(TRIED_MAX).collect();
    let mut applicable = 0;
    for bond in Bond::ALL {
        if !is_possible(scene, bond, &operations)? {
            continue;
        }
        for operation in &operations {
            applicable += usize::from(anonymous(scene, *operation, bond)?);
            if scene.has_credential(Credential::Second) {
                applicable += usize::from(alternating(scene, *operation, bond)?);
            }
        }
    }
    if applicable == 0 {
        scene.unshown("every operation answers anybody the same: none tells users apart");
    }
    Ok(())
}

/// Whether the service can be asked like that; says so where it can't.
fn is_possible(scene: &Scene<'_>, bond: Bond, operations: &[usize]) -> Result<bool, Stop> {
    let Some(first) = operations.first() else {
        return Ok(false);
    };
    match bond {
        Bond::Connection(Protocol::Http1) => Ok(true),
        Bond::TlsSession if !scene.stage.is_tls() => {
            scene.unshown("TLS sessions: the service is not asked under TLS");
            Ok(false)
        }
        bond => {
            let mut script = Script::default();
            script.send(on(scene, *first, bond.voice(1), Credential::First));
            match scene.stage.play(&script) {
                Ok(_) => Ok(true),
                Err(stop) if stop.is_final() => Err(stop),
                Err(stop) => {
                    scene.unshown(format!("{}: {stop}", bond.named()));
                    Ok(false)
                }
            }
        }
    }
}

fn on(scene: &Scene<'_>, operation: usize, voice: Voice, credential: Credential) -> Send {
    Send::get(scene.target(operation), voice.as_user(credential)).cookies(Cookies::None)
}

/// Whether the operation refuses strangers; files it where the bond vouches for them.
fn anonymous(scene: &Scene<'_>, operation: usize, bond: Bond) -> Result<bool, Stop> {
    let mut script = Script::default();
    let first = script.send(on(scene, operation, bond.voice(1), Credential::First));
    let second = script.send(on(scene, operation, bond.voice(2), Credential::Nobody));
    let cold = script.send(on(scene, operation, bond.alone(), Credential::Nobody));
    let played = scene.stage.play(&script)?;
    if !played
        .response(cold)
        .is_some_and(|answer| matches!(answer.status, 401 | 403))
    {
        return Ok(false);
    }
    let claims = vec![
        Claim::Status(first, 200, 299),
        Claim::Status(second, 200, 299),
        Claim::Status(cold, 401, 403),
    ];
    match scene.prove(script, claims, scene.mask(operation))? {
        None => scene.fine(operation),
        Some(proof) => {
            let summary = format!(
                "a request without credentials is answered, because {} carried some before",
                bond.named()
            );
            let draft = Draft::at(operation, summary)
                .detail("Behind a proxy that shares connections, one user is taken for another.")
                .proof(proof)
                .remembered(first, second, bond.carrier());
            scene.file(Level::Bad, draft);
        }
    }
    Ok(true)
}

/// Whether the operation tells the two users apart; files it where the bond mixes them up.
fn alternating(scene: &Scene<'_>, operation: usize, bond: Bond) -> Result<bool, Stop> {
    let mut script = Script::default();
    let one = script.send(on(scene, operation, bond.voice(1), Credential::First));
    let two = script.send(on(scene, operation, bond.voice(2), Credential::Second));
    let again = script.send(on(scene, operation, bond.voice(3), Credential::First));
    let alone = script.send(on(scene, operation, bond.alone(), Credential::Second));
    let played = scene.stage.play(&script)?;
    let tells = Claim::Differ(one, alone).holds(&played, &scene.mask(operation));
    if !tells {
        return Ok(false);
    }
    let claims = vec![Claim::Differ(two, alone), Claim::Same(one, again)];
    match scene.prove(script, claims, scene.mask(operation))? {
        None => scene.fine(operation),
        Some(proof) => {
            let summary = format!(
                "the second user on {} is answered as the first ({})",
                bond.named(),
                shown(&proof)
            );
            let draft =
                Draft::at(operation, summary)
                    .proof(proof)
                    .remembered(one, two, bond.carrier());
            scene.file(Level::Bad, draft);
        }
    }
    Ok(true)
}
