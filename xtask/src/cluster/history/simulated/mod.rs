//! A store that is made up, and its clients: right, or wrong in one way.
//!
//! What happens is chosen by a list of numbers, so that a list that shows something can be made
//! shorter. Requests and answers may be lost, and a request that was lost may be carried out later.

mod following;

use std::collections::HashMap;

use super::{
    Edit, Entry, Follower, Outcome, Parent, Position, Read, Record, Resource, Seen, Span, Timeline,
    Write,
};

/// The one way in which the store is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    None,
    /// Conditions are not looked at.
    LostUpdate,
    /// Reads show what was replaced already.
    StaleRead,
    /// Acknowledged writes are not kept.
    LostWrite,
    /// A request that got lost is acknowledged.
    UnknownAsSuccess,
    /// A write that was carried out is refused.
    RefusedYetDone,
    /// Of a transaction one part is carried out.
    Torn,
    /// The parts of a transaction have positions of their own.
    Apart,
    /// What a transaction depends on is not looked at.
    Skewed,
    /// Reads show what was never committed.
    DirtyRead,
    /// Pages lack their last change.
    Skipped,
    /// Pages of all versions have two of them in the wrong order.
    Reordered,
    /// Pages end at a position that is further than what they tell.
    Overtaken,
    /// Pages say that nothing is new when something is known to be.
    StalePage,
}

const CLIENTS: u16 = 4;
const RESOURCES: u16 = 3;

/// What became of it.
pub(super) struct Played {
    pub(super) record: Record,
    pub(super) timeline: Timeline,
    /// Whether the fault did anything that somebody could notice.
    pub(super) bitten: bool,
}

enum Doing {
    Idle,
    Asking(Work),
    Told(Work, Outcome),
    /// What it is shown, and whether that is wrong.
    Shown(Read, bool),
}

#[derive(Clone)]
enum Work {
    Read { sent: u64, resource: Resource },
    Write { write: Write },
}

struct World {
    fault: Fault,
    now: u64,
    head: u64,
    contents: u64,
    log: Vec<Entry>,
    /// When a commit was first known to somebody.
    known: HashMap<u64, u64>,
    record: Record,
    limbo: Vec<Write>,
    bitten: bool,
}

/// Lets happen what the choices say.
pub(super) fn play(choices: &[u16], fault: Fault) -> Played {
    let mut world = World {
        fault,
        now: 0,
        head: 0,
        contents: 0,
        log: Vec::new(),
        known: HashMap::new(),
        record: Record::default(),
        limbo: Vec::new(),
        bitten: false,
    };
    let follower = |every_version| Follower {
        collection: 0,
        every_version,
        pages: Vec::new(),
    };
    world.record.followers = vec![follower(false), follower(true)];
    let mut clients: Vec<Doing> = (0..CLIENTS).map(|_| Doing::Idle).collect();
    for choice in choices {
        world.now += 2;
        let who = choice % (CLIENTS + 2);
        let rest = choice / (CLIENTS + 2);
        if who >= CLIENTS {
            world.follow(usize::from(who - CLIENTS), rest);
            continue;
        }
        let doing = &mut clients[usize::from(who)];
        *doing = match std::mem::replace(doing, Doing::Idle) {
            Doing::Idle => Doing::Asking(world.ask(rest)),
            Doing::Asking(work) => world.arrive(work, rest),
            Doing::Told(work, outcome) => world.told(work, outcome, rest),
            Doing::Shown(read, bites) => world.shown(read, bites),
        };
    }
    for doing in clients {
        // What was going on at the end was never answered.
        if let Doing::Asking(Work::Write { write, .. })
        | Doing::Told(Work::Write { write, .. }, _) = doing
        {
            world.write_down(write, Outcome::Unknown, None);
        }
    }
    Played {
        record: world.record,
        timeline: Timeline::new(world.log),
        bitten: world.bitten,
    }
}

impl World {
    fn now_at(&self, resource: Resource) -> Option<&Entry> {
        self.log
            .iter()
            .rev()
            .find(|entry| entry.resource == resource)
    }

    /// Clients know what stands there, or what stood there before.
    fn parent(&self, resource: Resource, is_old: bool) -> Parent {
        let mut history = self
            .log
            .iter()
            .rev()
            .filter(|entry| entry.resource == resource);
        let newest = history.next();
        let chosen = if is_old { history.next() } else { newest };
        match chosen {
            Some(Entry {
                position,
                content: Some(_),
                ..
            }) => Parent::Version(position.clone()),
            _ => Parent::Nothing,
        }
    }

    fn ask(&mut self, choice: u16) -> Work {
        let resource = |number: u16| Resource {
            collection: 0,
            id: u32::from(number % RESOURCES),
        };
        let sent = self.now;
        let (kind, number) = (choice % 8, choice / 8);
        let is_old = choice.is_multiple_of(5);
        if kind < 3 {
            return Work::Read {
                sent,
                resource: resource(number),
            };
        }
        let mut edit = |number: u16, deletes: bool| {
            let resource = resource(number);
            let parent = self.parent(resource, is_old);
            self.contents += 1;
            let deletes = deletes && matches!(parent, Parent::Version(_));
            Edit {
                resource,
                parent,
                content: (!deletes).then_some(self.contents),
            }
        };
        let edits = match kind {
            6 => vec![edit(number, true)],
            7 => vec![edit(number, false), edit(number + 1, false)],
            _ => vec![edit(number, false)],
        };
        let depended = resource(number + 2);
        let checked = match self.parent(depended, is_old) {
            Parent::Version(position) if kind == 7 => vec![(depended, position)],
            _ => Vec::new(),
        };
        let span = Span {
            sent,
            answered: None,
        };
        let write = Write {
            span,
            edits,
            checked,
            outcome: Outcome::Unknown,
        };
        Work::Write { write }
    }

    fn arrive(&mut self, work: Work, choice: u16) -> Doing {
        if choice.is_multiple_of(13)
            && let Some(write) = self.limbo.pop()
        {
            // Nobody waits for its answer any more.
            self.carry_out(&write);
        }
        match work {
            Work::Read { sent, resource } => {
                let (read, bites) = self.look(sent, resource, choice);
                Doing::Shown(read, bites)
            }
            Work::Write { ref write, .. } if choice % 8 == 7 => {
                if self.fault == Fault::UnknownAsSuccess && write.edits[0].content.is_some() {
                    let told = Position::made(self.head + 1);
                    return self.told(work.clone(), Outcome::Acknowledged(Some(told)), 0);
                }
                self.limbo.push(write.clone());
                self.write_down(write.clone(), Outcome::Unknown, None);
                Doing::Idle
            }
            Work::Write { ref write, .. } => {
                let outcome = self.carry_out(write);
                Doing::Told(work, outcome)
            }
        }
    }

    fn holds(&self, write: &Write) -> bool {
        let edits = write
            .edits
            .iter()
            .all(|edit| self.parent(edit.resource, false) == edit.parent);
        let stands = |(resource, position): &(Resource, Position)| {
            self.parent(*resource, false) == Parent::Version(position.clone())
        };
        edits && (self.fault == Fault::Skewed || write.checked.iter().all(stands))
    }

    fn carry_out(&mut self, write: &Write) -> Outcome {
        let deletes_again = write.edits.iter().all(|edit| edit.content.is_none())
            && self.now_at(write.edits[0].resource).is_some_and(|entry| {
                let before = self
                    .log
                    .iter()
                    .rev()
                    .filter(|other| other.resource == entry.resource);
                let replaced = before.clone().nth(1).map(|entry| entry.position.clone());
                entry.content.is_none()
                    && replaced.map(Parent::Version) == Some(write.edits[0].parent.clone())
            });
        if deletes_again {
            return Outcome::Acknowledged(None);
        }
        let holds = self.holds(write);
        if !holds && self.fault == Fault::LostUpdate && write.edits.len() == 1 {
            // Who deletes what was replaced meanwhile, and isn't told, can't be told from who deleted in time.
            self.bitten |= write.edits[0].content.is_some();
        } else if !holds {
            return Outcome::Refused;
        }
        let skews = write.checked.iter().any(|(resource, position)| {
            self.parent(*resource, false) != Parent::Version(position.clone())
        });
        self.bitten |= skews;
        if self.fault == Fault::LostWrite && write.edits[0].content.is_some() {
            return Outcome::Acknowledged(Some(Position::made(self.head + 1)));
        }
        self.commit(write)
    }

    fn commit(&mut self, write: &Write) -> Outcome {
        self.head += 1;
        let told = Position::made(self.head);
        for (number, edit) in write.edits.iter().enumerate() {
            if number > 0 && self.fault == Fault::Torn {
                self.bitten = true;
                break;
            }
            if number > 0 && self.fault == Fault::Apart {
                self.bitten = true;
                self.head += 1;
            }
            self.log.push(Entry {
                position: Position::made(self.head),
                resource: edit.resource,
                content: edit.content,
            });
        }
        if self.fault == Fault::RefusedYetDone && write.edits[0].content.is_some() {
            return Outcome::Refused;
        }
        let deletes = write.edits.iter().all(|edit| edit.content.is_none());
        Outcome::Acknowledged((!deletes).then_some(told))
    }

    fn told(&mut self, work: Work, outcome: Outcome, choice: u16) -> Doing {
        let Work::Write { write, .. } = work else {
            return Doing::Idle;
        };
        if choice % 8 == 7 {
            // The answer got lost.
            self.write_down(write, Outcome::Unknown, None);
            return Doing::Idle;
        }
        if let Outcome::Acknowledged(Some(position)) = &outcome {
            self.known.entry(position.sequence).or_insert(self.now);
            let is_kept = |edit: &Edit| self.log.iter().any(|entry| entry.content == edit.content);
            self.bitten |= !write.edits.iter().all(is_kept);
        }
        self.bitten |= self.fault == Fault::RefusedYetDone
            && outcome == Outcome::Refused
            && self
                .log
                .iter()
                .any(|entry| entry.content == write.edits[0].content);
        self.write_down(write, outcome, Some(self.now));
        Doing::Idle
    }

    fn write_down(&mut self, mut write: Write, outcome: Outcome, answered: Option<u64>) {
        write.outcome = outcome;
        write.span.answered = answered;
        self.record.writes.push(write);
    }

    /// What a read shows, and when it was asked.
    fn look(&self, sent: u64, resource: Resource, choice: u16) -> (Read, bool) {
        let mut bites = false;
        let mut history = self
            .log
            .iter()
            .rev()
            .filter(|entry| entry.resource == resource);
        let newest = history.next();
        let mut shown = newest;
        let is_known = |entry: &Entry| {
            self.known
                .get(&entry.position.sequence)
                .is_some_and(|known| *known < sent)
        };
        let older = history.next().filter(|entry| entry.content.is_some());
        if self.fault == Fault::StaleRead && older.is_some() && newest.is_some_and(is_known) {
            shown = older;
            bites = true;
        }
        let seen = match shown {
            Some(Entry {
                position,
                content: Some(content),
                ..
            }) => {
                let is_dirty = self.fault == Fault::DirtyRead;
                bites |= is_dirty;
                let content = if is_dirty { u64::MAX } else { *content };
                match choice % 3 {
                    0 if !is_dirty => Seen::Tag(position.clone()),
                    _ => Seen::Version {
                        tag: position.clone(),
                        content,
                    },
                }
            }
            _ => Seen::Nothing,
        };
        let span = Span {
            sent,
            answered: None,
        };
        (
            Read {
                span,
                resource,
                seen,
            },
            bites,
        )
    }

    fn shown(&mut self, mut read: Read, bites: bool) -> Doing {
        self.bitten |= bites;
        read.span.answered = Some(self.now);
        self.record.reads.push(read);
        Doing::Idle
    }
}
