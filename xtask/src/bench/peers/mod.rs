//! The peers: other backends with the same documents, started the way their manuals say.
//!
//! One that cannot be installed or started is left out, and the report says so.

pub(in crate::bench) mod durable_streams;
mod etcd;
mod json_server;
mod kinto;
mod pocketbase;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command},
};

use super::{load::Ask, options::Options, pinned::Pinned, report::Report};
use crate::say;

/// A running peer.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its name in tables.
    pub(super) name: &'static str,
    /// How it is written to.
    pub(super) dialect: &'static str,
    /// How many of its documents the writing load works on: a slow peer would take minutes to
    /// tell the entity tags of all of them.
    pub(super) written: u32,
    /// What a reader should know beside its figures.
    remark: &'static str,
    process: Pinned,
    /// How one document is read.
    read: fn(u32) -> Ask,
    /// How a page of 100 is read, where it has pages.
    list: Option<fn() -> Ask>,
    /// What must be ended with it.
    _companion: Option<Companion>,
}

impl Peer {
    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// Reads of all documents.
    pub(super) fn gets(&self, documents: u32) -> Vec<Ask> {
        (0..documents).map(self.read).collect()
    }

    /// The read of a page of 100.
    pub(super) fn list(&self) -> Option<Ask> {
        self.list.map(|list| list())
    }
}

/// A database that belongs to a peer: dropped, it is stopped and its folder removed.
#[derive(Debug)]
struct Companion {
    child: Child,
    data: PathBuf,
}

impl Drop for Companion {
    fn drop(&mut self) {
        // PostgreSQL's fast shutdown. What is left over lies in a folder for such things.
        let id = self.child.id().to_string();
        let _asked = Command::new("kill").args(["-INT", &id]).status();
        let _status = self.child.wait();
        let _left_over = fs::remove_dir_all(&self.data);
    }
}

type Start = fn(&Path, u32) -> Result<Peer, String>;

const PEERS: &[(&str, Start)] = &[
    ("pocketbase", pocketbase::start),
    ("etcd", etcd::start),
    ("kinto", kinto::start),
    ("json-server", json_server::start),
];

/// Starts the peers that are wanted and can be had.
pub(super) fn start(options: &Options, report: &mut Report) -> Vec<Peer> {
    let mut peers = Vec::new();
    for (name, start) in PEERS.iter().filter(|(name, _)| options.wants(name)) {
        say::talk(&format!(
            "preparing {name} with {} documents",
            options.documents
        ));
        match empty_folder(name).and_then(|folder| start(&folder, options.documents)) {
            Ok(peer) => {
                report.line(&format!("{}: {}", peer.name, peer.remark));
                peers.push(peer);
            }
            Err(reason) => report.line(&format!("{name} is left out: {reason}")),
        }
    }
    peers
}

fn empty_folder(name: &str) -> Result<PathBuf, String> {
    let folder = super::folder()?.join(name);
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(wrong)?;
    }
    fs::create_dir_all(&folder).map_err(wrong)?;
    Ok(folder)
}

fn identifier(key: u32) -> String {
    format!("d{key:014}")
}
