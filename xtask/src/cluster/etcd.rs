//! One member of the etcd cluster in which Patroni keeps who leads.

use std::process::Child;

use super::{
    network::Host,
    place::{Place, Start},
    processes,
};

/// Where clients and other members find a member.
const CLIENT_PORT: u16 = 2379;
const PEER_PORT: u16 = 2380;

/// A member; its host and data stay when it is killed.
#[derive(Debug)]
pub(crate) struct Etcd {
    pub(crate) name: String,
    host: Host,
    members: String,
    running: Option<Child>,
}

impl Etcd {
    /// All members, not started yet.
    pub(crate) fn members(hosts: &[Host]) -> Vec<Self> {
        let name = |number: usize| format!("etcd-{}", number + 1);
        let peer = |(number, host): (usize, &Host)| {
            format!("{}=http://{}:{PEER_PORT}", name(number), host.address)
        };
        let all: Vec<String> = hosts.iter().enumerate().map(peer).collect();
        let member = |(number, host): (usize, &Host)| Self {
            name: name(number),
            host: host.clone(),
            members: all.join(","),
            running: None,
        };
        hosts.iter().enumerate().map(member).collect()
    }

    /// Where clients find it, as `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("{}:{CLIENT_PORT}", self.host.address)
    }

    /// Starts it, for the first time or again.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(&mut self, place: &Place) -> Result<(), String> {
        let at = |port: u16| format!("http://{}:{port}", self.host.address);
        let options = [
            ("--name", self.name.clone()),
            ("--data-dir", "data".to_owned()),
            ("--listen-client-urls", at(CLIENT_PORT)),
            ("--advertise-client-urls", at(CLIENT_PORT)),
            ("--listen-peer-urls", at(PEER_PORT)),
            ("--initial-advertise-peer-urls", at(PEER_PORT)),
            ("--initial-cluster", self.members.clone()),
            ("--auto-compaction-retention", "1h".to_owned()),
            ("--log-level", "warn".to_owned()),
        ];
        let words = options
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value]);
        let started = place.start(&Start {
            folder: &self.name,
            host: &self.host,
            as_caller: false,
            program: "etcd",
            words: words.collect(),
        });
        self.running = Some(started?);
        Ok(())
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self, place: &Place) {
        processes::kill_within(&place.path(&self.name));
        if let Some(mut child) = self.running.take() {
            let _status = child.wait();
        }
    }
}
