//! Playing a script: fresh identities for its numbers, real connections, recorded exchanges.

use std::{cell::RefCell, collections::HashMap, net::IpAddr, sync::Barrier, thread};

use super::{
    Cookies, Credential, Script, Send, Step, Voice,
    template::{self, told},
};
use crate::{
    corpus::is_below,
    engine::{Stop, Wire},
    http::{Connection, Failure, Place, Protocol, Request, Response, Sessions, Way, resolve},
    jar::Jar,
    options::{Options, Restart},
};

/// How names begin that the auditor gives to resources.
pub(crate) const OWN_NAME: &str = "audit-";

/// A request and its answer, and all that is known about how they went.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    /// Counted over the run, from 1.
    pub(crate) number: u64,
    /// Which connection carried it, counted over the run.
    pub(crate) connection: u64,
    pub(crate) voice: Voice,
    pub(crate) url: String,
    pub(crate) request: Request,
    pub(crate) response: Response,
    /// Since the run began, in microseconds.
    pub(crate) sent_micros: u64,
    /// Until the whole answer was there, in microseconds.
    pub(crate) took_micros: u64,
    pub(crate) together: Option<u32>,
    /// The address it was sent from, where it was not the usual one.
    pub(crate) source: Option<IpAddr>,
}

/// What came of a script; a step that is no request has no exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    pub(crate) exchanges: Vec<Option<Exchange>>,
}

impl Played {
    /// The exchange of a step.
    pub(crate) fn at(&self, step: usize) -> Option<&Exchange> {
        self.exchanges.get(step)?.as_ref()
    }

    /// The answer to a step.
    pub(crate) fn response(&self, step: usize) -> Option<&Response> {
        self.at(step).map(|exchange| &exchange.response)
    }

    /// How many of a group's requests succeeded.
    pub(crate) fn successes(&self, group: u32) -> usize {
        let of_group = self.exchanges.iter().flatten();
        of_group
            .filter(|exchange| exchange.together == Some(group))
            .filter(|exchange| exchange.response.is_success())
            .count()
    }
}

/// A stream that stays open until it is dropped.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The head of its answer, without a body.
    pub(crate) head: Response,
    _connection: Connection,
}

/// Where scripts are played: the wire, the replicas, whose credentials, how to restart.
#[derive(Debug)]
pub(crate) struct Stage<'r> {
    pub(crate) wire: &'r Wire,
    pub(crate) replicas: Vec<Place>,
    pub(crate) credentials: [Option<String>; 2],
    pub(crate) restart: Option<&'r Restart>,
    /// The path below which requests may make something: only what lies there is deleted again.
    sandbox: Option<&'r str>,
    /// The targets of resources that requests made here, each once.
    made: RefCell<Vec<String>>,
}

impl<'r> Stage<'r> {
    /// A stage on which nobody has credentials and nothing can be restarted.
    pub(crate) fn bare(wire: &'r Wire, replicas: Vec<Place>) -> Self {
        Self {
            wire,
            replicas,
            credentials: [None, None],
            restart: None,
            sandbox: None,
            made: RefCell::default(),
        }
    }

    /// With the credentials and the restart of a run.
    pub(crate) fn equipped(mut self, options: &'r Options) -> Self {
        self.credentials = [options.bearer.clone(), options.bearer2.clone()];
        self.restart = options.restart.as_ref();
        self.sandbox = options.sandbox.as_deref();
        self
    }
}

impl Stage<'_> {
    /// Deletes what requests made here, as the first user; how many of how many are still there.
    pub(crate) fn sweep(&self) -> Result<(usize, usize), Stop> {
        let made = self.made.take();
        let mut left = 0;
        for target in &made {
            let delete = Send::with("DELETE", target, Voice::client(1)).field("if-match", "*");
            let answer = self.walk().ask(&delete)?.response;
            left += usize::from(!answer.is_success() && !matches!(answer.status, 404 | 410));
        }
        Ok((left, made.len()))
    }

    /// Whether a target lies in the sandbox: nothing else is deleted, whatever an answer named.
    fn may_delete(&self, target: &str) -> bool {
        let base = self.replicas.first().map_or("", Place::base);
        self.sandbox
            .is_some_and(|sandbox| lies_in(sandbox, base, target))
    }

    /// Plays a script from its beginning.
    pub(crate) fn play(&self, script: &Script) -> Result<Played, Stop> {
        let mut play = Play::of(self);
        let mut at = 0;
        while let Some(step) = script.0.get(at) {
            at += play.step(script, at, step)?;
        }
        Ok(Played {
            exchanges: play.exchanges,
        })
    }

    /// A play that goes on for as long as somebody asks: one client's walk.
    pub(crate) fn walk(&self) -> Walk<'_, '_> {
        Walk(Play::of(self))
    }

    /// Opens a stream: the head of its answer is read. Who drops it leaves the stream.
    pub(crate) fn open(&self, send: &Send) -> Result<Opened, Stop> {
        let mut play = Play::of(self);
        let (origin, request) = play.request(send)?;
        let way = play.way(send.voice);
        let (head, connection) = self.wire.open_stream(&origin, &way, &request)?;
        Ok(Opened {
            head,
            _connection: connection,
        })
    }

    /// Whether the service is asked under TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.replicas.first().is_some_and(|place| place.origin.tls)
    }

    pub(crate) fn credential(&self, credential: Credential) -> Option<&str> {
        let [first, second] = &self.credentials;
        match credential {
            Credential::Nobody => None,
            Credential::First => first.as_deref(),
            Credential::Second => second.as_deref(),
        }
    }
}

/// Requests one after another, each decided on after the last answer.
pub(crate) struct Walk<'s, 'r>(Play<'s, 'r>);

impl Walk<'_, '_> {
    /// Sends the next request.
    pub(crate) fn ask(&mut self, send: &Send) -> Result<Exchange, Stop> {
        self.0.send(send)?;
        let last = self.0.exchanges.last().and_then(Clone::clone);
        last.ok_or(Stop::Missing("nothing was answered"))
    }
}

/// By what a connection is found again: its number, the replica, the source, and what is spoken.
type Path = (u32, usize, u32, Protocol);

/// One play, in progress.
struct Play<'s, 'r> {
    stage: &'s Stage<'r>,
    /// This play's number: what makes its identities fresh.
    number: u64,
    jars: HashMap<u32, Jar>,
    /// The jar of each step's voice, as it stood after the step.
    kept: Vec<Jar>,
    connections: HashMap<Path, Connection>,
    sessions: HashMap<u32, Sessions>,
    exchanges: Vec<Option<Exchange>>,
}

impl<'s, 'r> Play<'s, 'r> {
    fn of(stage: &'s Stage<'r>) -> Self {
        Self {
            stage,
            number: stage.wire.next_play(),
            jars: HashMap::new(),
            kept: Vec::new(),
            connections: HashMap::new(),
            sessions: HashMap::new(),
            exchanges: Vec::new(),
        }
    }

    /// One step, or the group that begins with it; how many steps that were.
    fn step(&mut self, script: &Script, at: usize, step: &Step) -> Result<usize, Stop> {
        match step {
            Step::Restart => self.restart()?,
            Step::Send(send) => match send.together {
                Some(group) => return self.race(script, at, group),
                None => self.send(send)?,
            },
        }
        Ok(1)
    }

    fn restart(&mut self) -> Result<(), Stop> {
        self.connections.clear();
        let restart = self
            .stage
            .restart
            .ok_or(Stop::Missing("no restart command was given"))?;
        restart.run().map_err(|reason| Stop::Restart { reason })?;
        for replica in &self.stage.replicas {
            self.stage.wire.await_listener(&replica.origin)?;
        }
        self.exchanges.push(None);
        self.kept.push(Jar::default());
        Ok(())
    }

    fn send(&mut self, send: &Send) -> Result<(), Stop> {
        let (origin, request) = self.request(send)?;
        let voice = send.voice;
        let key = (
            voice.connection,
            voice.replica,
            voice.source,
            voice.protocol,
        );
        let held = self.connections.remove(&key).filter(|_| key.0 != 0);
        let way = self.way(voice);
        let (exchange, connection) = self.stage.wire.send(held, &origin, &way, &request)?;
        if connection.is_reusable() && key.0 != 0 {
            self.connections.insert(key, connection);
        }
        self.record(send, exchange);
        Ok(())
    }

    /// How a voice's connections are opened.
    fn way(&mut self, voice: Voice) -> Way {
        let sessions = (voice.session != 0).then(|| {
            let known = self.sessions.entry(voice.session);
            known.or_insert_with(Sessions::none).clone()
        });
        Way {
            from: self.stage.wire.source(self.number, voice.source),
            protocol: voice.protocol,
            sessions,
        }
    }

    fn record(&mut self, send: &Send, mut exchange: Exchange) {
        let first = self.stage.replicas.first();
        let made = first.and_then(|place| made(&exchange, place));
        if let Some(made) = made.filter(|made| self.stage.may_delete(made)) {
            let mut known = self.stage.made.borrow_mut();
            if !known.contains(&made) {
                known.push(made);
            }
        }
        exchange.voice = send.voice;
        exchange.together = send.together;
        exchange.source = self.stage.wire.source(self.number, send.voice.source);
        let mut jar = self.jars.get(&send.voice.jar).cloned().unwrap_or_default();
        let keeps =
            matches!(send.cookies, Cookies::Jar | Cookies::Without(_)) && send.voice.jar != 0;
        if keeps {
            jar.take(&exchange.response.fields);
            self.jars.insert(send.voice.jar, jar.clone());
        }
        self.kept.push(jar);
        self.exchanges.push(Some(exchange));
    }

    /// The request as it goes out, with everything that the voice adds to it.
    fn request(&self, send: &Send) -> Result<(crate::http::Origin, Request), Stop> {
        let stage = self.stage;
        let replica = stage.replicas.get(send.voice.replica);
        let replica = replica.ok_or(Stop::Missing("no further replica was given"))?;
        let first = stage
            .replicas
            .first()
            .ok_or(Stop::Missing("no service was given"))?;
        let mut request = template::expand(&send.request, &first.origin, &self.exchanges).ok_or(
            Stop::Missing("an earlier answer lacks what the next request needs"),
        )?;
        if let Some(rest) = request.target.strip_prefix(first.base()) {
            request.target = format!("{}{rest}", replica.base());
        }
        if !request.fields.has("user-agent") {
            request.fields.add(
                "user-agent",
                stage.wire.agent(self.number, send.voice.agent),
            );
        }
        if !request.fields.has("accept") {
            request.fields.add("accept", "application/json, */*;q=0.5");
        }
        if !request.fields.has("accept-encoding") {
            request.fields.add("accept-encoding", "identity");
        }
        if let Some(token) = stage.credential(send.voice.credential) {
            request
                .fields
                .add("authorization", format!("Bearer {token}"));
        }
        if let Some(cookies) = self.cookies(send) {
            request.fields.add("cookie", cookies);
        }
        Ok((replica.origin.clone(), request))
    }

    fn cookies(&self, send: &Send) -> Option<String> {
        let own = self.jars.get(&send.voice.jar);
        match &send.cookies {
            Cookies::None => None,
            Cookies::Jar => own?.to_field(&[]),
            Cookies::Without(names) => own?.to_field(names),
            Cookies::AsOf(step) => self.kept.get(*step)?.to_field(&[]),
        }
    }

    /// Releases the requests of a group together; how many there were.
    fn race(&mut self, script: &Script, from: usize, group: u32) -> Result<usize, Stop> {
        let rest = script.0.get(from..).unwrap_or_default();
        let racers: Vec<&Send> = rest
            .iter()
            .map_while(|step| match step {
                Step::Send(send) if send.together == Some(group) => Some(send.as_ref()),
                _ => None,
            })
            .collect();
        let mut ready = Vec::new();
        for send in &racers {
            let (origin, request) = self.request(send)?;
            let way = self.way(send.voice);
            let connection = self.stage.wire.open(&origin, &way)?;
            ready.push((origin, request, connection));
        }
        let barrier = Barrier::new(ready.len());
        let wire = self.stage.wire;
        let finished: Vec<Result<Exchange, Failure>> = thread::scope(|scope| {
            let race = |(origin, request, connection)| {
                let barrier = &barrier;
                scope.spawn(move || wire.released(connection, &origin, &request, barrier))
            };
            let threads: Vec<_> = ready.into_iter().map(race).collect();
            let join = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().unwrap_or(Err(Failure::Closed))
            };
            threads.into_iter().map(join).collect()
        });
        for (send, finished) in racers.iter().zip(finished) {
            match finished {
                Ok(exchange) => self.record(send, exchange),
                // Nobody knows what became of it: a maybe, never a winner.
                Err(_lost) => {
                    self.exchanges.push(None);
                    self.kept.push(Jar::default());
                }
            }
        }
        Ok(racers.len())
    }
}

/// Whether a target lies in a sandbox, which may be named below the service's base.
fn lies_in(sandbox: &str, base: &str, target: &str) -> bool {
    let inner = target.strip_prefix(base).unwrap_or(target);
    is_below(target, sandbox) || is_below(inner, sandbox)
}

/// The target of the resource that an exchange made: by POST, or by PUT under a name of the auditor's.
fn made(exchange: &Exchange, place: &Place) -> Option<String> {
    let (request, response) = (&exchange.request, &exchange.response);
    if !response.is_success() {
        return None;
    }
    let target = request.target.as_str();
    match request.method.as_str() {
        "PUT" => {
            let (_, name) = target.rsplit_once('/')?;
            name.starts_with(OWN_NAME).then(|| target.to_owned())
        }
        "POST" => match response.fields.first("location") {
            Some(location) => resolve(&place.origin, target, location),
            None => told(response, "json:/id").map(|id| format!("{target}/{id}")),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::lies_in;

    #[test]
    fn only_what_lies_in_the_sandbox_is_deleted_again() {
        assert!(lies_in("/notes", "", "/notes/7"));
        assert!(lies_in("/notes", "/v1", "/v1/notes/7"));
        for outside in ["/jobs/7", "/logout/7", "/notes-of-others/7"] {
            assert!(!lies_in("/notes", "", outside), "{outside}");
        }
    }
}
