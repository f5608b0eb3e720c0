//! Event streams, for SB-1: which operations are some, whether each client's has a name of its own, and
//! whether somebody else goes on where one was cut off.

use crate::{
    engine::{Carrier, Draft, Mask, Proof, Scene, Stop},
    finding::Level,
    http::Response,
    script::{Claim, Script, Send, Voice, told},
};

/// The media type (HTML Living Standard §9.2).
const EVENTS: &str = "text/event-stream";
/// The id of a stream's first event, as placeholders name it.
const FIRST: &str = "event:0";
/// And of the one after it.
const SECOND: &str = "event:1";

/// A request for an operation as an event stream.
pub(super) fn asked(scene: &Scene<'_>, operation: usize, voice: Voice) -> Send {
    Send::get(scene.target(operation), voice).field("accept", EVENTS)
}

/// Operations that answer with an event stream to who asks for one.
pub(super) fn all(scene: &Scene<'_>) -> Result<Vec<usize>, Stop> {
    let mut streams = Vec::new();
    for (operation, known) in scene.corpus.operations.iter().enumerate() {
        if !(200..300).contains(&known.status) {
            continue;
        }
        let is_stream = match scene.stage.open(&asked(scene, operation, Voice::default())) {
            Ok(opened) => opened.head.is_success() && opened.head.media_type() == EVENTS,
            Err(stop) if stop.is_final() => return Err(stop),
            Err(_) => false,
        };
        if is_stream {
            streams.push(operation);
        }
    }
    Ok(streams)
}

/// What a stream says at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A name of its own for each client.
    Name,
    /// Events with ids, the same to everybody.
    Ids,
    /// Events without ids.
    Plain,
    Nothing,
}

/// Listens to a stream by two clients.
pub(super) fn listen(scene: &Scene<'_>, operation: usize) -> Result<Heard, Stop> {
    let mut script = Script::default();
    for client in 1..=2 {
        script.send(asked(scene, operation, Voice::client(client)));
    }
    let played = scene.stage.play(&script)?;
    let (Some(one), Some(two)) = (played.response(0), played.response(1)) else {
        return Ok(Heard::Nothing);
    };
    let heard = heard(one, two);
    match heard {
        Heard::Name => named(scene, operation, script)?,
        Heard::Ids => {}
        Heard::Plain => {
            let summary = "a stream without event ids: who was cut off can't know what was missed";
            scene.file(Level::Warn, Draft::at(operation, summary));
        }
        Heard::Nothing => {
            let summary = "a stream that said nothing while it was listened to";
            scene.file(Level::Info, Draft::at(operation, summary));
        }
    }
    Ok(heard)
}

fn heard(one: &Response, two: &Response) -> Heard {
    let is_named = ["data:", "id:"].into_iter().any(|name| {
        let (left, right) = (line(one, name), line(two, name));
        left.is_some() && left != right
    });
    if is_named {
        Heard::Name
    } else if told(one, FIRST).is_some() {
        Heard::Ids
    } else if one.body.is_empty() {
        Heard::Nothing
    } else {
        Heard::Plain
    }
}

/// The first value of a stream's lines of a name.
fn line(stream: &Response, name: &str) -> Option<String> {
    let text = stream.text();
    let found = text.lines().find_map(|line| line.strip_prefix(name))?;
    Some(found.trim().to_owned())
}

/// Files a stream with a name for each client; where the name is a URL, whether something is to be
/// sent there.
fn named(scene: &Scene<'_>, operation: usize, script: Script) -> Result<(), Stop> {
    let mut draft = Draft::at(
        operation,
        "each client's stream begins with a name of its own: the server keeps a registry of streams",
    );
    let claims = vec![Claim::BodyDiffers(0, 1)];
    let mut taken = script.clone();
    let step = taken.send(Send::with("OPTIONS", "${0:data}", Voice::client(1)));
    let posts = Claim::Lists(step, "allow".to_owned(), "POST".to_owned());
    let with_post = [claims.clone(), vec![posts]].concat();
    let proof = match scene.prove(taken, with_post, Mask::default())? {
        Some(proof) => {
            draft.summary.push_str(", and takes POST there");
            Some(proof)
        }
        None => scene.prove(script, claims, Mask::default())?,
    };
    draft.proof = proof;
    scene.file(Level::Warn, draft);
    Ok(())
}

/// Who goes on where a stream was cut off.
struct Successor {
    voice: Voice,
    restarted: bool,
    who: String,
}

/// Goes on after the first event: by another client, at other replicas, after a restart.
pub(super) fn resumed(scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
    let another = Successor {
        voice: Voice::stranger(2),
        restarted: false,
        who: "another client".to_owned(),
    };
    if let Some((proof, how)) = stuck(scene, operation, &another)? {
        let summary = format!("a stream with event ids that {how} when told one");
        scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
        return Ok(());
    }
    let mut is_fine = true;
    for successor in successors(scene) {
        let Some((proof, how)) = stuck(scene, operation, &successor)? else {
            continue;
        };
        is_fine = false;
        let summary = format!(
            "a stream {how} when told an event id {}: only one process knows its ids",
            successor.who
        );
        let last = proof.script.0.len() - 1;
        let draft = Draft::at(operation, summary).proof(proof);
        scene.file(Level::Bad, draft.remembered(0, last, Carrier::Process));
    }
    if is_fine {
        let summary = "a stream with event ids: who was cut off goes on elsewhere";
        scene.file(Level::Good, Draft::at(operation, summary));
    }
    Ok(())
}

fn successors(scene: &Scene<'_>) -> Vec<Successor> {
    let replicas = 1..scene.stage.replicas.len();
    let mut successors: Vec<Successor> = replicas
        .map(|replica| Successor {
            voice: Voice::client(2).at(replica),
            restarted: false,
            who: format!("at replica {replica}"),
        })
        .collect();
    if scene.stage.restart.is_some() {
        successors.push(Successor {
            voice: Voice::client(2),
            restarted: true,
            who: "after a restart".to_owned(),
        });
    }
    successors
}

/// The proof that somebody can't go on after a stream's first event, and what happens instead.
fn stuck(
    scene: &Scene<'_>,
    operation: usize,
    successor: &Successor,
) -> Result<Option<(Proof, &'static str)>, Stop> {
    let mut script = Script::default();
    let first = script.send(asked(scene, operation, Voice::client(1)));
    if successor.restarted {
        script.restart();
    }
    let id = format!("${{{first}:{FIRST}}}");
    let on = script.send(asked(scene, operation, successor.voice).field("last-event-id", &id));
    let refused = vec![Claim::NotStatus(on, 200, 299)];
    // Where there is one event only, it may be where both stand: nothing has come since.
    let anew = vec![
        Claim::Value(first, SECOND.to_owned()),
        Claim::ValueSame(first, on, FIRST.to_owned()),
    ];
    let played = match scene.stage.play(&script) {
        Ok(played) => played,
        // The stream had no event this time.
        Err(Stop::Missing(_)) => return Ok(None),
        Err(stop) => return Err(stop),
    };
    let ways = [(refused, "refuses to go on"), (anew, "begins anew")];
    let holds = |claims: &[Claim]| {
        let mut claims = claims.iter();
        claims.all(|claim| claim.holds(&played, &Mask::default()))
    };
    let Some((mut claims, how)) = ways.into_iter().find(|(claims, _)| holds(claims)) else {
        return Ok(None);
    };
    claims.insert(0, Claim::Status(first, 200, 299));
    let proof = scene.prove(script, claims, Mask::default())?;
    Ok(proof.map(|proof| (proof, how)))
}
