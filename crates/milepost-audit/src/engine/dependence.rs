//! Whether an answer depends on what was asked before, on what, and how the server knows.
//!
//! Problem: state is visible only as a difference between two histories, and clocks, counters and
//! other clients make differences too. Choice: two histories `h` and `g` alternate, each by clients
//! that never spoke before (h r · g r · h r · g r); r must be the same after the same history and
//! differ after the other, outside the noise mask, in three plays of three. Alternation makes each
//! arm the other's sandwich. State that sticks to what can't be made fresh (the user's credentials)
//! is seen as well, because `g` overwrites what `h` left.
//!
//! Then the probe is sent by a stranger who shares one trait with the history: the trait with which
//! the difference remains is the carrier. Where it remains with none, anybody sees it: that is
//! resource state, and no finding.

use super::{Carrier, Mask, Proof, Scene, Stop, carrier::Shared, differences, shrink::shrink};
use crate::{
    http::Response,
    jar,
    script::{Claim, Script, Send, Voice},
};

/// Predecessors that are tried one by one.
const SINGLES_MAX: usize = 120;

/// An answer that depends on history.
#[derive(Clone, Debug)]
pub(crate) struct Dependence {
    /// The operation whose answer differs.
    pub(crate) probe: usize,
    /// The history that it shows.
    pub(crate) history: Vec<usize>,
    /// The one that shows the difference; may be empty.
    pub(crate) other: Vec<usize>,
    pub(crate) carrier: Carrier,
    pub(crate) proof: Proof,
    /// Where cookies carry it: the proof that the server holds it; none where the client does.
    pub(crate) rewound: Option<Proof>,
}

/// Two histories and what comes after them.
struct Contrast {
    probe: usize,
    history: Vec<usize>,
    other: Vec<usize>,
}

impl Dependence {
    /// Looks for a history that the probe's answer shows; `seen` is one after which it differed.
    pub(crate) fn search(
        scene: &Scene<'_>,
        probe: usize,
        seen: &[usize],
    ) -> Result<Option<Self>, Stop> {
        let Some(baseline) = scene.baseline(probe).filter(|baseline| baseline.is_steady) else {
            return Ok(None);
        };
        let mask = baseline.mask.clone();
        let contrast = match single(scene, probe, &mask)? {
            Some(contrast) => contrast,
            None => match longer(scene, probe, seen, &mask)? {
                Some(contrast) => contrast,
                None => return Ok(None),
            },
        };
        let Some(proof) = contrast.proof(scene, Shared::All, &mask)? else {
            return Ok(None);
        };
        let carrier = contrast.carrier(scene, &mask, &proof)?;
        let Contrast {
            probe,
            history,
            other,
        } = contrast;
        Ok(Some(Self {
            probe,
            history,
            other,
            carrier,
            proof,
            rewound: None,
        }))
    }
}

/// The answer of a probe after a history, by somebody who never spoke before.
fn after(scene: &Scene<'_>, history: &[usize], probe: usize) -> Result<Option<Response>, Stop> {
    let mut script = Script::default();
    let voice = Voice::stranger(1);
    for operation in history {
        script.send(Send::get(scene.target(*operation), voice));
    }
    let last = script.send(Send::get(scene.target(probe), voice));
    Ok(scene.stage.play(&script)?.response(last).cloned())
}

fn visible(left: &Response, right: &Response, mask: &Mask) -> bool {
    let found = differences(left, right);
    found
        .iter()
        .any(|difference| !mask.covers(&difference.spot))
}

/// Two single predecessors, or one and none, that make a difference.
fn single(scene: &Scene<'_>, probe: usize, mask: &Mask) -> Result<Option<Contrast>, Stop> {
    let mut answers: Vec<(Vec<usize>, Response)> = Vec::new();
    let histories = scene
        .corpus
        .safe()
        .take(SINGLES_MAX)
        .map(|operation| vec![operation]);
    for history in std::iter::once(Vec::new()).chain(histories) {
        let Some(answer) = after(scene, &history, probe)? else {
            continue;
        };
        let differing = answers
            .iter()
            .filter(|(_, known)| visible(known, &answer, mask));
        for (other, _) in differing {
            let contrast = Contrast {
                probe,
                history: history.clone(),
                other: other.clone(),
            };
            if contrast.holds(scene, mask)? {
                return Ok(Some(contrast));
            }
        }
        if answers
            .iter()
            .all(|(_, known)| visible(known, &answer, mask))
            || answers.len() < 2
        {
            answers.push((history, answer));
        }
        // So many different answers are noise that the baseline did not see.
        if answers.len() > 4 {
            return Ok(None);
        }
    }
    Ok(None)
}

/// A longer history, shrunk, against none.
fn longer(
    scene: &Scene<'_>,
    probe: usize,
    seen: &[usize],
    mask: &Mask,
) -> Result<Option<Contrast>, Stop> {
    let contrast = |history: &[usize]| Contrast {
        probe,
        history: history.to_vec(),
        other: Vec::new(),
    };
    if seen.len() < 2 || !contrast(seen).holds(scene, mask)? {
        return Ok(None);
    }
    let shrunk = shrink(seen, |fewer| contrast(fewer).holds(scene, mask))?;
    Ok(Some(contrast(&shrunk)))
}

impl Contrast {
    /// One play of the alternation.
    fn holds(&self, scene: &Scene<'_>, mask: &Mask) -> Result<bool, Stop> {
        let (script, claims) = self.script(scene, Shared::All);
        let played = scene.stage.play(&script)?;
        Ok(claims.iter().all(|claim| claim.holds(&played, mask)))
    }

    fn proof(&self, scene: &Scene<'_>, shared: Shared, mask: &Mask) -> Result<Option<Proof>, Stop> {
        let (script, claims) = self.script(scene, shared);
        Proof::seek(&scene.stage, script, claims, mask.clone())
    }

    fn script(&self, scene: &Scene<'_>, shared: Shared) -> (Script, Vec<Claim>) {
        let mut script = Script::default();
        let mut probes = Vec::new();
        for arm in 0..4_u32 {
            let history = if arm % 2 == 0 {
                &self.history
            } else {
                &self.other
            };
            let voice = Voice::stranger(arm * 2 + 1);
            for operation in history {
                script.send(Send::get(scene.target(*operation), voice));
            }
            let voice = shared.beside(voice, arm * 2 + 2);
            probes.push(script.send(Send::get(scene.target(self.probe), voice)));
        }
        let claims = match probes.as_slice() {
            [a, b, c, d] => vec![
                Claim::Same(*a, *c),
                Claim::Same(*b, *d),
                Claim::Differ(*a, *b),
            ],
            _ => Vec::new(),
        };
        (script, claims)
    }

    fn carrier(&self, scene: &Scene<'_>, mask: &Mask, proof: &Proof) -> Result<Carrier, Stop> {
        let remains = |shared: Shared| Ok::<bool, Stop>(self.proof(scene, shared, mask)?.is_some());
        if remains(Shared::Nothing)? {
            return Ok(Carrier::Anybody);
        }
        if remains(Shared::OnlyCredential)? {
            return Ok(Carrier::Credential);
        }
        for shared in Shared::TRAITS {
            if remains(shared)? {
                return Ok(match shared {
                    Shared::Cookies => Carrier::Cookie(cookie_names(proof)),
                    Shared::Connection => self.of_connection(scene, mask)?,
                    Shared::Source => Carrier::Source,
                    _ => Carrier::Agent,
                });
            }
        }
        Ok(Carrier::Several)
    }

    /// A connection shares the address and the TLS session: only where neither does it alone it is
    /// the connection.
    fn of_connection(&self, scene: &Scene<'_>, mask: &Mask) -> Result<Carrier, Stop> {
        if self.proof(scene, Shared::Source, mask)?.is_some() {
            return Ok(Carrier::Source);
        }
        if scene.stage.is_tls() && self.proof(scene, Shared::TlsSession, mask)?.is_some() {
            return Ok(Carrier::TlsSession);
        }
        Ok(Carrier::Connection)
    }
}

fn cookie_names(proof: &Proof) -> String {
    let set = proof.played.exchanges.iter().flatten();
    let mut names: Vec<String> = set
        .flat_map(|exchange| jar::set_by(&exchange.response.fields))
        .map(|cookie| cookie.name)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}
