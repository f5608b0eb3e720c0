//! A model of the server: every state it ever had, and the pages of protocol §§4–6 made from them.

use std::collections::BTreeMap;

use http::{HeaderValue, Method, header};
use milepost_sync::{Answer, Request, SetDigest, Transport, Unanswered, Url};
use serde_json::json;

/// Documents: key to tag and value.
pub(crate) type State = BTreeMap<String, (String, String)>;

/// A server's collection `things`.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The state at each sequence.
    states: Vec<State>,
    /// The part of a position in front of the dot, and behind the hyphen, for each sequence.
    names: Vec<(String, String)>,
    /// Below this, changes are gone.
    pub(crate) floor: usize,
    /// Below this, snapshots are gone.
    pub(crate) snapshot_floor: usize,
    /// How many resources a page of a snapshot has.
    pub(crate) page_items: usize,
    /// How many commits a page of changes tells.
    pub(crate) page_commits: usize,
    /// Whether pages tell a digest.
    pub(crate) tells_digest: bool,
    /// How many requests came.
    pub(crate) requests: usize,
}

/// What was written.
#[derive(Clone, Debug)]
pub(crate) enum Written {
    Put(u8, u8),
    Delete(u8),
}

impl Model {
    pub(crate) fn new() -> Self {
        Self {
            states: vec![State::new()],
            names: vec![("hist0".to_owned(), "aaaa".to_owned())],
            floor: 0,
            snapshot_floor: 0,
            page_items: 2,
            page_commits: 2,
            tells_digest: true,
            requests: 0,
        }
    }

    pub(crate) fn head(&self) -> usize {
        self.states.len() - 1
    }

    pub(crate) fn state(&self) -> &State {
        &self.states[self.head()]
    }

    /// The state at a position, if this is (or was) a position of this server.
    pub(crate) fn state_at(&self, position: &str) -> Option<&State> {
        self.sequence(position, 0).map(|at| &self.states[at])
    }

    pub(crate) fn position(&self, at: usize) -> String {
        let (history, check) = &self.names[at];
        format!("{history}.{at}-{check}")
    }

    pub(crate) fn write(&mut self, written: &Written) {
        let at = self.states.len();
        let (history, check) = self.names[self.head()].clone();
        let mut state = self.state().clone();
        match written {
            Written::Put(id, value) => {
                let tag = format!("\"{history}.{at}-{check}\"");
                state.insert(
                    format!("id-{id}"),
                    (tag, format!("{{ \"n\": {value}, \"at\": {at} }}")),
                );
            }
            Written::Delete(id) => {
                if state.remove(&format!("id-{id}")).is_none() {
                    return;
                }
            }
        }
        self.states.push(state);
        self.names.push((history, check));
    }

    /// Puts a document as it is; its tag.
    pub(crate) fn put(&mut self, id: &str, value: &str) -> String {
        let at = self.states.len();
        let (history, check) = self.names[self.head()].clone();
        let tag = format!("\"{history}.{at}-{check}\"");
        let mut state = self.state().clone();
        state.insert(id.to_owned(), (tag.clone(), value.to_owned()));
        self.states.push(state);
        self.names.push((history, check));
        tag
    }

    /// Removes a document.
    pub(crate) fn remove(&mut self, id: &str) {
        let mut state = self.state().clone();
        state.remove(id);
        let name = self.names[self.head()].clone();
        self.states.push(state);
        self.names.push(name);
    }

    /// Goes back to an earlier state: with a new history, or with another check, as files that were
    /// copied back by hand.
    pub(crate) fn restore(&mut self, back: usize, by_hand: bool, number: usize) {
        let to = self.head().saturating_sub(back);
        self.states.truncate(to + 1);
        self.names.truncate(to + 1);
        self.floor = self.floor.min(to);
        self.snapshot_floor = self.snapshot_floor.min(to);
        if by_hand {
            // Positions up to here stay; the next commit has another check.
            let (history, _) = self.names[to].clone();
            let state = self.state().clone();
            self.states.push(state);
            self.names.push((history, format!("b{:03}", number % 1000)));
        } else {
            for (history, _) in &mut self.names {
                *history = format!("hist{number}");
            }
            let history = format!("hist{number}");
            for (tag, _) in self.states.iter_mut().flat_map(State::values_mut) {
                let rest = tag.split_once('.').unwrap().1.to_owned();
                *tag = format!("\"{history}.{rest}");
            }
        }
    }

    /// Answers a GET of a path with its query.
    pub(crate) fn answer(&mut self, url: &Url) -> Answer {
        self.requests += 1;
        let after = url.pairs().into_iter().find(|(key, _)| key == "after");
        let after = after.map(|(_, value)| value);
        let below = url.path().strip_prefix("/v1/things").unwrap_or("?");
        match below.split('/').collect::<Vec<_>>()[..] {
            [""] => self.snapshot(self.head(), after.as_deref(), "/v1/things"),
            ["", "snapshots", position] => match self.sequence(position, self.snapshot_floor) {
                Some(at) => {
                    let path = format!("/v1/things/snapshots/{position}");
                    self.snapshot(at, after.as_deref(), &path)
                }
                None => self.gone(),
            },
            ["", "changes", position] => match self.sequence(position, self.floor) {
                Some(at) => self.changes(at, url),
                None => self.gone(),
            },
            ["", id] => match self.state().get(id) {
                Some((tag, value)) => Answer::of(200, value.clone())
                    .with(header::ETAG, HeaderValue::try_from(tag).unwrap()),
                None => Answer::of(404, "{}"),
            },
            _ => Answer::of(404, "{}"),
        }
    }

    fn sequence(&self, position: &str, floor: usize) -> Option<usize> {
        let number = position.split(['.', '-']).nth(1)?;
        let at = number.parse().ok()?;
        let is_known = (floor..self.states.len()).contains(&at);
        (is_known && self.position(at) == position).then_some(at)
    }

    fn gone(&self) -> Answer {
        let resync = format!("/v1/things/snapshots/{}", self.position(self.head()));
        Answer::of(410, json!({ "resync": resync }).to_string()).with(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=60"),
        )
    }

    fn snapshot(&self, at: usize, after: Option<&str>, path: &str) -> Answer {
        let is_behind = |id: &str| after.is_none_or(|after| id > after);
        let all = self.states[at].iter().filter(|(id, _)| is_behind(id));
        let rest: Vec<_> = all.collect();
        let shown = rest.iter().take(self.page_items);
        let items: Vec<String> = shown.map(|(id, document)| live(id, document)).collect();
        let position = self.position(at);
        let way_on = if rest.len() > self.page_items {
            let last = rest[self.page_items - 1].0;
            let path = format!("/v1/things/snapshots/{position}");
            format!("\"next\":\"{}\"", own(&path, Some(last)))
        } else {
            format!("\"resume\":\"/v1/things/changes/{position}\"")
        };
        Answer::of(
            200,
            format!(
                r#"{{"self":"{}","kind":"snapshot","replace":{},"items":[{}],"position":"{position}",{way_on}}}"#,
                own(path, after),
                after.is_none(),
                items.join(",")
            ),
        )
    }

    fn changes(&self, from: usize, url: &Url) -> Answer {
        let to = (from + self.page_commits).min(self.head());
        let (before, now) = (&self.states[from], &self.states[to]);
        let position = self.position(to);
        let changed = now
            .iter()
            .filter(|(id, document)| before.get(*id) != Some(document));
        let mut items: Vec<String> = changed.map(|(id, document)| live(id, document)).collect();
        let gone = before.keys().filter(|id| !now.contains_key(*id));
        items.extend(gone.map(|id| {
            format!(
                r#"{{"href":"/v1/things/{id}","id":"{id}","deleted":true,"position":"{position}"}}"#
            )
        }));
        let way_on = self.way_on(from, to, url);
        let body = format!(
            r#"{{"self":"/v1/things/changes/{}","kind":"changes","replace":false,"items":[{}],"position":"{position}",{way_on}}}"#,
            self.position(from),
            items.join(",")
        );
        let fresh = HeaderValue::from_static("public, max-age=1");
        Answer::of(200, body).with(header::CACHE_CONTROL, fresh)
    }

    fn way_on(&self, from: usize, to: usize, url: &Url) -> String {
        let link = format!("/v1/things/changes/{}", self.position(to));
        if to < self.head() {
            return format!("\"next\":\"{link}\"");
        }
        let waits = url.pairs().iter().any(|(key, _)| key == "wait");
        let tick = match waits && from == to {
            true => format!("?tick={}&wait=20", self.requests),
            false => String::new(),
        };
        let digest = match self.tells_digest {
            true => format!(",\"digest\":\"{}\"", digest(self.state())),
            false => String::new(),
        };
        format!("\"resume\":\"{link}{tick}\"{digest}")
    }

    /// A conditional write, as protocol §2 says.
    fn conditional(&mut self, request: &Request) -> Answer {
        let id = request.url.path().rsplit('/').next().unwrap().to_owned();
        let current = self.state().get(&id).cloned();
        let field = |name: header::HeaderName| {
            let found = request.fields.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| value.clone())
        };
        let if_match = field(header::IF_MATCH);
        let holds = match (&if_match, field(header::IF_NONE_MATCH)) {
            (Some(tag), _) => current.as_ref().is_some_and(|(current, _)| current == tag),
            (None, Some(_)) => current.is_none(),
            (None, None) => current.is_none(),
        };
        match (holds, request.method.clone()) {
            (true, Method::PUT) => {
                let value = String::from_utf8(request.body.clone().unwrap()).unwrap();
                let tag = match current {
                    Some((tag, same)) if same == value => tag,
                    _ => self.put(&id, &value),
                };
                Answer::of(204, "").with(header::ETAG, HeaderValue::try_from(tag).unwrap())
            }
            (true, _) => {
                self.remove(&id);
                Answer::of(204, "")
            }
            (false, Method::DELETE) if current.is_none() => Answer::of(404, "{}"),
            (false, _) => Answer::of(412, "{}"),
        }
    }
}

impl Transport for Model {
    fn send(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        Ok(match request.method {
            Method::GET => self.answer(&request.url),
            _ => self.conditional(request),
        })
    }
}

pub(crate) fn digest(state: &State) -> SetDigest {
    let mut digest = SetDigest::default();
    for (id, (tag, _)) in state {
        digest.insert(id, tag);
    }
    digest
}

fn own(path: &str, after: Option<&str>) -> String {
    after.map_or_else(|| path.to_owned(), |after| format!("{path}?after={after}"))
}

/// An item, with its value byte for byte.
fn live(id: &str, (tag, value): &(String, String)) -> String {
    let tag = tag.replace('"', "\\\"");
    format!(r#"{{"href":"/v1/things/{id}","id":"{id}","etag":"{tag}","value":{value}}}"#)
}
