//! A collection as somebody watches it: its state in memory, and the changes since watching began.
//!
//! It is a replica like any other, so what it shows is what a follower holds, proven by the same digest.

mod change;

use std::collections::VecDeque;

use milepost_semantics::Position;
use milepost_sync::{
    Applied, Change, Delivery, Held, Key, MemoryReplica, Replica, ReplicaError, Version,
};

use self::change::Changed;
use crate::{
    exit::Failure,
    terminal::{Style, Terminal, harmless},
};

/// How many changes are kept to be shown.
const CHANGES_MAX: usize = 500;
/// The height that is assumed where a terminal doesn't tell it.
const ROWS_USUAL: u16 = 24;
/// The width that is assumed where a terminal doesn't tell it.
const COLUMNS_USUAL: u16 = 80;

/// What is watched.
#[derive(Debug)]
pub(crate) struct View {
    terminal: Terminal,
    name: String,
    as_json: bool,
    /// How many changes are still to be shown; `None`: no end.
    left: Option<u64>,
    replica: MemoryReplica,
    /// Whether the state was read, and what comes is news.
    has_begun: bool,
    /// The newest first.
    changes: VecDeque<Changed>,
    /// How many of them were not shown yet, where they are lines.
    unshown: usize,
    /// What goes wrong at the moment.
    trouble: Option<String>,
}

impl View {
    /// A view of nothing yet.
    pub(crate) fn new(terminal: Terminal, name: &str, as_json: bool, count: Option<u64>) -> Self {
        Self {
            terminal,
            name: name.to_owned(),
            as_json,
            left: count,
            replica: MemoryReplica::new(),
            has_begun: false,
            changes: VecDeque::new(),
            unshown: 0,
            trouble: None,
        }
    }

    /// The state is in: what follows is news.
    pub(crate) fn begin(&mut self, position: Position) -> Result<(), Failure> {
        self.trouble = None;
        if !std::mem::replace(&mut self.has_begun, true) && !self.is_screen() {
            let resources = self.replica.iter().count();
            let name = &self.name;
            self.terminal.talk(format!(
                "watching {name}: {resources} resources at {position}"
            ));
        }
        Ok(())
    }

    /// Something goes wrong, or nothing does any more.
    pub(crate) fn trouble(&mut self, because: Option<&str>) -> Result<(), Failure> {
        let is_new = because.is_some() && self.trouble.is_none();
        self.trouble = because.map(harmless);
        if let Some(trouble) = self
            .trouble
            .as_ref()
            .filter(|_| is_new && !self.is_screen())
        {
            self.terminal
                .talk(format!("{}: {trouble}; trying again", self.name));
        }
        Ok(())
    }

    /// Whether as many changes were shown as were asked for.
    pub(crate) fn is_enough(&self) -> bool {
        self.left == Some(0)
    }

    /// Shows what is new.
    pub(crate) fn show(&mut self) -> Result<(), Failure> {
        if self.is_screen() {
            return self.draw();
        }
        let mut fresh: Vec<&Changed> = self.changes.iter().take(self.unshown).collect();
        fresh.reverse();
        let most = self.left.and_then(|left| usize::try_from(left).ok());
        fresh.truncate(most.unwrap_or(usize::MAX));
        for changed in &fresh {
            match self.as_json {
                true => self.terminal.line(changed.to_json())?,
                false => self.terminal.line(changed.line(self.terminal))?,
            }
        }
        self.left = self
            .left
            .map(|left| left.saturating_sub(fresh.len() as u64));
        self.unshown = 0;
        Ok(())
    }

    const fn is_screen(&self) -> bool {
        self.terminal.stdout_is_terminal && !self.as_json
    }

    /// Draws the whole screen: a heading, then the newest changes that fit.
    fn draw(&mut self) -> Result<(), Failure> {
        let (columns, rows) = match terminal_size::terminal_size() {
            Some((columns, rows)) => (columns.0, rows.0),
            None => (COLUMNS_USUAL, ROWS_USUAL),
        };
        let mut lines = vec![self.heading()];
        let width = usize::from(columns);
        let fitting = usize::from(rows).saturating_sub(2);
        for changed in self.changes.iter().take(fitting) {
            lines.push(changed.line_within(self.terminal, width));
        }
        self.left = self
            .left
            .map(|left| left.saturating_sub(self.unshown as u64));
        self.unshown = 0;
        // Home, the lines each cleared to its end, then what is below.
        let screen = lines.join("\u{1b}[K\r\n");
        self.terminal
            .data(format!("\u{1b}[H{screen}\u{1b}[K\u{1b}[J\r\n").as_bytes())
    }

    /// Keeps what a change changes, to be shown.
    fn note(&mut self, change: &Change) -> Result<(), ReplicaError> {
        let before = self.replica.lookup(&change.key)?;
        if let Some(changed) = Changed::between(&change.key, before, change.version.clone()) {
            self.changes.push_front(changed);
            self.unshown += 1;
        }
        Ok(())
    }

    fn heading(&self) -> String {
        let resources = self.replica.iter().count();
        let position = match self.replica.held() {
            Ok(Some(held)) => held.position.to_string(),
            _ => "…".to_owned(),
        };
        let state = match (&self.trouble, self.has_begun) {
            (Some(trouble), _) => self.terminal.out(trouble, Style::Red),
            (None, true) => self.terminal.out("live", Style::Green),
            (None, false) => self.terminal.out("reading", Style::Yellow),
        };
        let name = self.terminal.out(&self.name, Style::Bold);
        format!("{name}  {resources} resources  {position}  {state}")
    }
}

impl Replica for View {
    fn held(&self) -> Result<Option<Held>, ReplicaError> {
        self.replica.held()
    }

    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError> {
        if self.has_begun {
            for change in &delivery.changes {
                self.note(change)?;
            }
            self.changes.truncate(CHANGES_MAX.max(self.unshown));
        }
        self.replica.apply(delivery)
    }

    fn forget(&mut self) -> Result<(), ReplicaError> {
        self.replica.forget()
    }

    fn lookup(&self, key: &Key) -> Result<Option<Version>, ReplicaError> {
        self.replica.lookup(key)
    }

    fn count(&self) -> Result<u64, ReplicaError> {
        self.replica.count()
    }
}
