//! One machine of the database: PostgreSQL, and the Patroni that decides whether it leads.

use std::{fs, path::PathBuf, process::Child};

use super::{
    network::Host,
    place::{Place, Start},
    processes::{self, Signal},
};
use crate::{cargo, http};

/// Where Patroni answers.
const PATRONI_PORT: u16 = 8008;
/// Where PostgreSQL listens.
const POSTGRES_PORT: u16 = 5432;
/// The role of everything here; the network lets nobody else in.
pub(crate) const ROLE: &str = "milepost";

/// One machine; its host and data stay when it is killed.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) host: Host,
    running: Option<Child>,
}

/// What Patroni says that a machine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes writes.
    Primary,
    /// Commits wait until it has them.
    SynchronousStandby,
    /// It follows.
    Replica,
    /// It doesn't answer, or isn't ready.
    Away,
}

impl Database {
    /// A machine that is not started yet.
    pub(crate) fn new(number: usize, host: Host) -> Self {
        Self {
            name: format!("postgres-{number}"),
            host,
            running: None,
        }
    }

    /// Where PostgreSQL listens, as `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("{}:{POSTGRES_PORT}", self.host.address)
    }

    /// Where Patroni answers.
    pub(crate) fn patroni(&self) -> String {
        format!("http://{}:{PATRONI_PORT}", self.host.address)
    }

    /// Starts Patroni, which starts PostgreSQL.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(&mut self, place: &Place, etcd: &[String]) -> Result<(), String> {
        place.folder(&self.name)?;
        let settings = self.settings(place, etcd)?;
        let file = place.file(&format!("{}/patroni.yml", self.name), &settings)?;
        let started = place.start(&Start {
            folder: &self.name,
            host: &self.host,
            as_caller: false,
            program: "patroni",
            words: vec![file.display().to_string()],
        });
        self.running = Some(started?);
        Ok(())
    }

    /// Kills everything of the machine at once, as a power cut does.
    pub(crate) fn kill(&mut self, place: &Place) {
        processes::kill_within(&place.path(&self.name));
        self.reap();
    }

    /// Sends everything of the machine a signal.
    pub(crate) fn send(&self, place: &Place, signal: Signal) {
        processes::send(signal, &processes::within(&place.path(&self.name)));
    }

    /// Kills Patroni alone: PostgreSQL goes on, and nobody tells it that it no longer leads.
    pub(crate) fn kill_patroni(&mut self) {
        if let Some(child) = &self.running {
            processes::send(Signal::Kill, &[child.id()]);
        }
        self.reap();
    }

    fn reap(&mut self) {
        if let Some(mut child) = self.running.take() {
            let _status = child.wait();
        }
    }

    /// What Patroni says that it is.
    pub(crate) fn standing(&self) -> Standing {
        let address = format!("{}:{PATRONI_PORT}", self.host.address);
        let Ok(address) = address.parse() else {
            return Standing::Away;
        };
        let says = |path: &str| {
            let answer = http::send_soon(address, "GET", path, &[], b"");
            answer.is_ok_and(|answer| answer.status == 200)
        };
        if says("/primary") {
            Standing::Primary
        } else if says("/synchronous") {
            Standing::SynchronousStandby
        } else if says("/replica") {
            Standing::Replica
        } else {
            Standing::Away
        }
    }

    fn settings(&self, place: &Place, etcd: &[String]) -> Result<String, String> {
        let socket = place.path(&self.name);
        Ok(SETTINGS
            .replace("{name}", &self.name)
            .replace("{host}", &self.host.address)
            .replace("{etcd}", &etcd.join(","))
            .replace("{programs}", &programs()?.display().to_string())
            .replace("{folder}", &socket.display().to_string())
            .replace("{role}", ROLE))
    }
}

/// PostgreSQL's own programs, of the newest version that is installed.
///
/// # Errors
/// When none is.
pub(crate) fn programs() -> Result<PathBuf, String> {
    let versions = fs::read_dir("/usr/lib/postgresql").map_err(|error| error.to_string())?;
    let folders = versions.filter_map(|version| Some(version.ok()?.path().join("bin")));
    let newest = folders
        .filter(|folder| folder.join("initdb").exists())
        .max();
    newest.ok_or_else(|| "PostgreSQL is not installed".to_owned())
}

/// Whether a primary that was frozen for longer than its lock lasts leaves that to who took it meanwhile: Patroni
/// does from 3.0.3 on (github.com/patroni/patroni/pull/2689). Before, two lead for a second, and the loser can't
/// follow until somebody reinitialises it.
pub(crate) fn keeps_lost_locks_lost() -> bool {
    let said = cargo::read(cargo::program("patroni").arg("--version")).unwrap_or_default();
    version(&said).is_some_and(|version| version >= [3, 0, 3])
}

/// The three numbers at the end of what a program says of itself.
fn version(said: &str) -> Option<[u32; 3]> {
    let mut numbers = said.split_whitespace().last()?.split('.').map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some([next()?, next()?, next()?])
}

/// As quick as Patroni 3.0 lets it be: what is tried is that nothing goes wrong, often.
///
/// `synchronous_mode_strict`: a commit is on two machines before it is acknowledged, or it waits.
const SETTINGS: &str = "\
scope: milepost
name: {name}
log: { level: INFO }
restapi: { listen: '{host}:8008', connect_address: '{host}:8008' }
etcd3: { hosts: '{etcd}' }
bootstrap:
  dcs:
    ttl: 5
    loop_wait: 1
    retry_timeout: 2
    maximum_lag_on_failover: 1048576
    synchronous_mode: true
    synchronous_mode_strict: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 200
        max_wal_size: 256MB
        wal_keep_size: 256MB
        wal_log_hints: 'on'
        shared_buffers: 64MB
        wal_sender_timeout: 3s
        wal_receiver_timeout: 3s
        tcp_keepalives_idle: 2
        tcp_keepalives_interval: 1
        tcp_keepalives_count: 3
        tcp_user_timeout: 5000
        log_checkpoints: 'off'
        log_min_duration_statement: 2000
  initdb: [ { encoding: UTF8 }, { locale: C.UTF-8 }, { auth: trust }, { username: {role} }, data-checksums ]
postgresql:
  listen: '{host}:5432'
  connect_address: '{host}:5432'
  data_dir: '{folder}/data'
  bin_dir: '{programs}'
  pgpass: '{folder}/pgpass'
  authentication:
    superuser: { username: {role} }
    replication: { username: {role} }
    rewind: { username: {role} }
  parameters: { unix_socket_directories: '{folder}' }
  pg_hba:
    - local all all trust
    - host all all 0.0.0.0/0 trust
    - host replication all 0.0.0.0/0 trust
tags: { nofailover: false, nosync: false }
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("patroni 3.0.2\n"), Some([3, 0, 2]));
        assert!(version("patroni 3.0.10") >= Some([3, 0, 3]));
        assert_eq!(version("no such thing"), None);
    }
}
