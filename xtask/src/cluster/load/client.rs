//! One client that writes and reads.

use std::{collections::HashMap, thread, time::Duration};

use serde_json::{Value, json};

use super::{
    Done, Stage,
    dice::Dice,
    outcome::{Attempt, judge, tag},
    places::{COLLECTIONS, RESOURCES, target},
    wire::{Answer, Ask, ask},
};
use crate::cluster::history::{Edit, Outcome, Parent, Position, Read, Resource, Seen, Span, Write};

/// How often a write is tried whose outcome is unknown, or that couldn't be taken.
const ATTEMPTS: u32 = 4;
/// Before it is tried again.
const PATIENCE: Duration = Duration::from_millis(150);
/// Contents of one client begin at a multiple of this.
const CONTENTS: u64 = 1_000_000_000;

struct Client<'a> {
    stage: &'a Stage,
    dice: Dice,
    /// What it last saw of each resource.
    known: HashMap<Resource, Option<Position>>,
    content: u64,
    done: Done,
}

/// Writes and reads until the load is over.
pub(super) fn run(stage: &Stage, number: usize) -> Done {
    let first = u64::try_from(number + 1)
        .unwrap_or(1)
        .saturating_mul(CONTENTS);
    let mut client = Client {
        stage,
        dice: Dice::of(number),
        known: HashMap::new(),
        content: first,
        done: Done::default(),
    };
    while !stage.is_over() {
        match client.dice.below(100) {
            0..45 => client.read(),
            45..80 => client.put(),
            80..86 => client.delete(),
            _ => client.transact(),
        }
        client.rest();
    }
    client.done
}

impl Client<'_> {
    fn rest(&mut self) {
        let pause = u64::try_from(self.stage.load.pause.as_micros()).unwrap_or(0);
        thread::sleep(Duration::from_micros(
            self.dice.below(pause.saturating_mul(2)),
        ));
    }

    fn any(&mut self) -> Resource {
        let collections = u64::try_from(COLLECTIONS.len()).unwrap_or(1);
        let number = |number: u64| u32::try_from(number).unwrap_or(0);
        Resource {
            collection: number(self.dice.below(collections)),
            id: number(self.dice.below(u64::from(RESOURCES))),
        }
    }

    fn read(&mut self) {
        let resource = self.any();
        self.look(resource);
    }

    /// Reads a resource; `None` where no answer came.
    fn look(&mut self, resource: Resource) -> Option<Option<Position>> {
        let sent = self.stage.now();
        let answer = ask(self.stage.door(), &Ask::fetch(&target(resource)));
        let answered = Some(self.stage.now());
        let is_wrong = match &answer {
            Answer::Told(response) => response.status >= 500,
            Answer::Unsent | Answer::Silence => true,
        };
        if is_wrong {
            self.done.failed.push(self.stage.failed("GET", &answer));
        }
        let Answer::Told(response) = answer else {
            return None;
        };
        let seen = match response.status {
            404 => Seen::Nothing,
            200 => Seen::Version {
                tag: tag(&response)?,
                content: content(&response.body)?,
            },
            500..600 => return None,
            status => {
                self.done
                    .complaints
                    .push(format!("GET {}: {status}", target(resource)));
                return None;
            }
        };
        self.done.seen.push(self.stage.now());
        let known = match &seen {
            Seen::Version { tag, .. } => Some(tag.clone()),
            _ => None,
        };
        self.known.insert(resource, known.clone());
        let span = Span { sent, answered };
        self.done.record.reads.push(Read {
            span,
            resource,
            seen,
        });
        Some(known)
    }

    /// What it believes to stand there; it looks where it doesn't know.
    fn parent(&mut self, resource: Resource) -> Option<Parent> {
        let known = match self.known.get(&resource) {
            Some(known) => known.clone(),
            None => self.look(resource)?,
        };
        Some(known.map_or(Parent::Nothing, Parent::Version))
    }

    fn next_content(&mut self) -> u64 {
        self.content += 1;
        self.content
    }

    fn put(&mut self) {
        let resource = self.any();
        let Some(parent) = self.parent(resource) else {
            return;
        };
        let content = self.next_content();
        let asked = Ask::put(&target(resource), body(content).to_string());
        let asked = match &parent {
            Parent::Version(tag) => asked.with("If-Match", &quoted(tag)),
            Parent::Nothing => asked.with("If-None-Match", "*"),
        };
        let edit = Edit {
            resource,
            parent,
            content: Some(content),
        };
        self.write(&asked, vec![edit], Vec::new());
    }

    fn delete(&mut self) {
        let resource = self.any();
        let Some(parent @ Parent::Version(_)) = self.parent(resource) else {
            return;
        };
        let Parent::Version(tag) = &parent else {
            return;
        };
        let mut asked = Ask::fetch(&target(resource)).with("If-Match", &quoted(tag));
        asked.method = "DELETE";
        let edit = Edit {
            resource,
            parent,
            content: None,
        };
        self.write(&asked, vec![edit], Vec::new());
    }

    /// Writes two resources as one, on the condition that a third is what it was.
    fn transact(&mut self) {
        let resources = [self.any(), self.any(), self.any()];
        let [one, other, depended] = resources;
        if one == other || one == depended || other == depended {
            return;
        }
        let mut edits = Vec::new();
        let mut operations = Vec::new();
        for resource in [one, other] {
            let Some(parent) = self.parent(resource) else {
                return;
            };
            let content = self.next_content();
            let href = target(resource);
            operations.push(match &parent {
                Parent::Version(tag) => {
                    json!({ "method": "PUT", "href": href, "ifMatch": quoted(tag), "value": body(content) })
                }
                Parent::Nothing => {
                    json!({ "method": "PUT", "href": href, "ifNoneMatch": "*", "value": body(content) })
                }
            });
            edits.push(Edit {
                resource,
                parent,
                content: Some(content),
            });
        }
        let mut checked = Vec::new();
        if let Some(Parent::Version(tag)) = self.parent(depended) {
            let demand =
                json!({ "method": "CHECK", "href": target(depended), "ifMatch": quoted(&tag) });
            operations.push(demand);
            checked.push((depended, tag));
        }
        let id = format!("00000000-0000-7000-8000-{:012x}", self.next_content());
        let document = json!({ "operations": operations }).to_string();
        self.write(
            &Ask::put(&format!("/v1/-/transactions/{id}"), document),
            edits,
            checked,
        );
    }

    /// Sends a write until its outcome is known, or patience ends; and writes down what is known.
    fn write(&mut self, asked: &Ask, edits: Vec<Edit>, checked: Vec<(Resource, Position)>) {
        let first = self.stage.now();
        let mut may_be_done = false;
        let mut ended = None;
        for attempt in 0..ATTEMPTS {
            thread::sleep(PATIENCE * attempt);
            let sent = self.stage.now();
            let answer = ask(self.stage.door(), asked);
            let attempted = judge(&answer);
            match attempted {
                Attempt::Unknown | Attempt::NotNow => {
                    may_be_done |= matches!(attempted, Attempt::Unknown);
                    self.done
                        .failed
                        .push(self.stage.failed(asked.method, &answer));
                }
                Attempt::Refused(ref current) => self.refused(sent, &edits, current.clone()),
                Attempt::Absurd(ref what) => {
                    self.done
                        .complaints
                        .push(format!("{} {}: {what}", asked.method, asked.target));
                }
                Attempt::Done(_) => self.done.written.push(self.stage.now()),
            }
            if !matches!(attempted, Attempt::Unknown | Attempt::NotNow) {
                ended = Some(attempted);
                break;
            }
        }
        let outcome = match ended {
            Some(Attempt::Done(told)) => Outcome::Acknowledged(told),
            // A condition that doesn't hold says nothing of an earlier attempt: it may have been replaced.
            _ if may_be_done => Outcome::Unknown,
            _ => Outcome::Refused,
        };
        self.learn(&edits, &outcome);
        let answered = (outcome != Outcome::Unknown).then(|| self.stage.now());
        let span = Span {
            sent: first,
            answered,
        };
        self.done.record.writes.push(Write {
            span,
            edits,
            checked,
            outcome,
        });
    }

    /// A refusal tells what stands there.
    fn refused(&mut self, sent: u64, edits: &[Edit], current: Option<Position>) {
        if let ([edit], Some(tag)) = (edits, current) {
            let span = Span {
                sent,
                answered: Some(self.stage.now()),
            };
            let seen = Seen::Tag(tag);
            self.done.record.reads.push(Read {
                span,
                resource: edit.resource,
                seen,
            });
        }
    }

    fn learn(&mut self, edits: &[Edit], outcome: &Outcome) {
        for edit in edits {
            match (outcome, edit.content) {
                (Outcome::Acknowledged(Some(told)), Some(_)) => {
                    self.known.insert(edit.resource, Some(told.clone()));
                }
                (Outcome::Acknowledged(_), None) => {
                    self.known.insert(edit.resource, None);
                }
                _ => {
                    self.known.remove(&edit.resource);
                }
            }
        }
    }
}

fn quoted(tag: &Position) -> String {
    format!("\"{tag}\"")
}

fn body(content: u64) -> Value {
    json!({ "writer": content })
}

/// The number that a body carries.
pub(super) fn content(body: &[u8]) -> Option<u64> {
    let document: Value = serde_json::from_slice(body).ok()?;
    document.get("writer")?.as_u64()
}
