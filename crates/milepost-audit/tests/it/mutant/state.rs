//! What is kept: the database that all processes share, and each process's own memory.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

/// A note: its text, and its version.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) body: String,
    pub(crate) version: u64,
}

/// What all processes share.
#[derive(Debug, Default)]
pub(crate) struct Database {
    pub(crate) notes: Mutex<BTreeMap<String, Note>>,
    pub(crate) cursors: Mutex<HashMap<String, usize>>,
    pub(crate) recent: Mutex<String>,
    pub(crate) keys: Mutex<HashMap<String, String>>,
    pub(crate) revoked: Mutex<HashSet<String>>,
    pub(crate) touched: AtomicU64,
    pub(crate) hits: AtomicU64,
    numbers: AtomicU64,
}

impl Database {
    /// A number that was never given before.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A name that looks random and is not.
    pub(crate) fn token(&self) -> String {
        let mixed = |seed: u64| {
            (self.number() ^ seed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .rotate_left(31)
                .wrapping_mul(0xd6e8_feb8_6659_fd93)
        };
        format!("{:016x}{:016x}", mixed(0x51), mixed(0xa7))
    }
}

/// What one process keeps for itself, until it dies.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// Which life of the process it is: what secrets and counters are made of.
    pub(crate) life: u64,
    /// The last page by whatever key a client is known again.
    pub(crate) recent: HashMap<String, String>,
    pub(crate) tokens: HashSet<String>,
    pub(crate) wizards: HashSet<String>,
    pub(crate) cursors: HashMap<String, usize>,
    /// Links to the connection that they were given to.
    pub(crate) bound: HashMap<String, u64>,
    pub(crate) tags: HashMap<(String, u64), u64>,
    pub(crate) authenticated: HashMap<u64, String>,
    /// TLS sessions that vouch for somebody.
    pub(crate) vouched: HashMap<String, String>,
    pub(crate) clients: HashMap<String, Vec<u8>>,
    /// Streams by their connection, and what is held for each.
    pub(crate) streams: HashMap<u64, Vec<u8>>,
    /// How often the gauge was read, by the late one since a listener left.
    pub(crate) readings: u32,
    pub(crate) notes: BTreeMap<String, Note>,
    pub(crate) locks: HashMap<String, String>,
    /// How often a note was read here before this replica has caught up.
    pub(crate) lag: HashMap<String, u32>,
}
