//! The whole of it: three members of etcd, three machines of the database.

use std::{thread, time::Duration};

use super::{
    database::{Database, ROLE, Standing},
    etcd::Etcd,
    network::Host,
    place::Place,
};
use crate::{clock::Stopwatch, say};

/// Members and machines: the smallest number of which one may fail.
const MACHINES: u8 = 3;
/// Making a database, copying it twice and electing takes a while where others use the machine.
const STARTING_MAX: Duration = Duration::from_secs(180);
const PAUSE: Duration = Duration::from_millis(100);
/// The database that the store is made in.
const NAME: &str = "milepost";
/// Hosts are numbered by what stands on them.
const FIRST_DATABASE: u8 = 11;
const FIRST_NODE: u8 = 21;

/// A Patroni cluster on one machine; dropped, it is gone.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) etcd: Vec<Etcd>,
    pub(crate) databases: Vec<Database>,
    pub(crate) place: Place,
}

impl Assembly {
    /// Starts everything, and waits until one machine leads and the others follow.
    ///
    /// # Errors
    /// When something can't be started, or doesn't come up in time.
    pub(crate) fn start() -> Result<Self, String> {
        let place = Place::make()?;
        if let Some(reason) = &place.uncut {
            say::talk(&format!(
                "hosts are loopback addresses and can't be cut off: {reason}"
            ));
        }
        let hosts: Result<Vec<Host>, String> = (FIRST_DATABASE..FIRST_DATABASE + MACHINES)
            .map(|number| place.network().host(number))
            .collect();
        let hosts = hosts?;
        let numbered = hosts.iter().cloned().zip(1..);
        let databases = numbered.map(|(host, number)| Database::new(number, host));
        let mut assembly = Self {
            etcd: Etcd::members(&hosts),
            databases: databases.collect(),
            place,
        };
        for member in &mut assembly.etcd {
            member.start(&assembly.place)?;
        }
        let addresses = assembly.etcd_addresses();
        for machine in &mut assembly.databases {
            machine.start(&assembly.place, &addresses)?;
        }
        assembly.wait_until_whole(STARTING_MAX)?;
        assembly.make_database()?;
        Ok(assembly)
    }

    /// Where etcd's members are, as `host:port`.
    pub(crate) fn etcd_addresses(&self) -> Vec<String> {
        self.etcd.iter().map(Etcd::address).collect()
    }

    /// A host for a node.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn host_for_node(&self, number: u8) -> Result<Host, String> {
        self.place.network().host(FIRST_NODE + number)
    }

    /// What Patroni says that each machine is.
    pub(crate) fn standings(&self) -> Vec<Standing> {
        self.databases.iter().map(Database::standing).collect()
    }

    /// The machine that stands so, if there is exactly one.
    pub(crate) fn only(&self, standing: Standing) -> Option<usize> {
        let standings = self.standings();
        let mut so = standings
            .iter()
            .enumerate()
            .filter(|(_, its)| **its == standing);
        let (number, _) = so.next()?;
        so.next().is_none().then_some(number)
    }

    /// Waits until one machine leads, one stands by for it, and the others follow.
    ///
    /// # Errors
    /// When that takes too long; the logs are named.
    pub(crate) fn wait_until_whole(&self, patience: Duration) -> Result<(), String> {
        let watch = Stopwatch::start();
        loop {
            let standings = self.standings();
            let count = |standing| standings.iter().filter(|its| **its == standing).count();
            let others = usize::from(MACHINES) - 2;
            // Patroni counts a synchronous standby among the replicas; here it is told apart.
            if count(Standing::Primary) == 1
                && count(Standing::SynchronousStandby) == 1
                && count(Standing::Replica) == others
            {
                return Ok(());
            }
            if watch.elapsed() > patience {
                let folder = self.place.path("");
                return Err(format!(
                    "the cluster is not whole ({standings:?}); logs are in {}",
                    folder.display()
                ));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Throws the database away, and makes an empty one in its place.
    ///
    /// # Errors
    /// When PostgreSQL doesn't.
    pub(crate) fn renew_database(&self) -> Result<(), String> {
        self.at_leader("dropdb", &["--force"])?;
        self.make_database()
    }

    fn make_database(&self) -> Result<(), String> {
        self.at_leader("createdb", &[])
    }

    /// Runs one of PostgreSQL's programs about the database.
    fn at_leader(&self, program: &str, options: &[&str]) -> Result<(), String> {
        let leader = self.only(Standing::Primary).ok_or("no machine leads")?;
        let leader = self.databases.get(leader).ok_or("no machine leads")?;
        let program = super::database::programs()?.join(program);
        let program = program.display().to_string();
        let mut words = vec![program.as_str(), "-h", &leader.host.address, "-U", ROLE];
        words.extend(options);
        words.push(NAME);
        self.place.read(&leader.host, &words).map(|_| ())
    }

    /// The store's URL, with every machine in it.
    pub(crate) fn store(&self) -> String {
        let hosts: Vec<String> = self.databases.iter().map(Database::address).collect();
        format!("postgres://{ROLE}@{}/{NAME}", hosts.join(","))
    }

    /// What every node is to be started with.
    pub(crate) fn options(&self) -> Vec<String> {
        let mut words = vec!["--store".to_owned(), self.store()];
        for machine in &self.databases {
            words.extend(["--patroni".to_owned(), machine.patroni()]);
        }
        words
    }
}
