//! Three nodes over a Patroni cluster of three, behind HAProxy.

use std::{fs, net::SocketAddr, path::Path, thread, time::Duration};

use crate::{
    cargo::{program, read, target},
    clock::Stopwatch,
    cluster::{assembly::Assembly, balancer::Balancer, node::Node},
};

const NODES: u8 = 3;
/// What died comes back within this time, or the fault has done lasting harm.
const WHOLE_MAX: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(100);

/// Dropped, all of it is gone.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) nodes: Vec<Node>,
    pub(crate) balancer: Balancer,
    pub(crate) assembly: Assembly,
    words: Vec<String>,
}

impl Site {
    /// Starts everything, and waits until it takes requests.
    ///
    /// # Errors
    /// When something can't be started.
    pub(crate) fn start(milepost: &Path, limits: &str) -> Result<Self, String> {
        let assembly = Assembly::start()?;
        let place = &assembly.place;
        let keys = place.path("keys.json");
        let create = ["keys", "create", "--keys", &keys.display().to_string()].map(str::to_owned);
        read(program(milepost).args(create))?;
        let mut words = assembly.options();
        words.extend(["--keys".to_owned(), keys.display().to_string()]);
        let mut limited = words.clone();
        limited.extend(["--limit".to_owned(), limits.to_owned()]);
        let mut nodes = Vec::new();
        for number in 1..=NODES {
            let host = assembly.host_for_node(number)?;
            let mut node = Node::new(number, host, limited.clone()).of(milepost);
            node.start(place)?;
            nodes.push(node);
        }
        for node in &mut nodes {
            node.wait_until_ready(place)?;
        }
        let addresses: Result<Vec<SocketAddr>, String> = nodes.iter().map(Node::address).collect();
        let balancer = Balancer::before(&addresses?, place)?;
        Ok(Self {
            nodes,
            balancer,
            assembly,
            words,
        })
    }

    /// Gives all nodes other limits, from their next start on.
    pub(crate) fn limit(&mut self, limits: &str) {
        self.tell(&["--limit", limits]);
    }

    /// Gives all nodes these options beside the store's, from their next start on.
    pub(crate) fn tell(&mut self, options: &[&str]) {
        let mut words = self.words.clone();
        words.extend(options.iter().map(|word| (*word).to_owned()));
        for node in &mut self.nodes {
            node.set_words(&words);
        }
    }

    /// Kills all nodes and whatever was started in their place, and starts them again.
    ///
    /// # Errors
    /// When one doesn't come back.
    pub(crate) fn restart(&mut self) -> Result<(), String> {
        self.kill_nodes();
        let place = &self.assembly.place;
        for node in &mut self.nodes {
            node.start(place)?;
        }
        let mut nodes = self.nodes.iter_mut();
        nodes.try_for_each(|node| node.wait_until_ready(place))?;
        (0..self.nodes.len()).try_for_each(|number| self.wait_until_balanced(number))
    }

    /// The same over an empty database.
    ///
    /// # Errors
    /// As [`Site::restart`], or when the database can't be made.
    pub(crate) fn begin_anew(&mut self) -> Result<(), String> {
        self.kill_nodes();
        self.assembly.renew_database()?;
        self.restart()
    }

    fn kill_nodes(&mut self) {
        for node in &mut self.nodes {
            node.kill_all(&self.assembly.place);
        }
    }

    /// Where the nodes listen.
    ///
    /// # Errors
    /// When one has no address.
    pub(crate) fn addresses(&self) -> Result<Vec<SocketAddr>, String> {
        self.nodes.iter().map(Node::address).collect()
    }

    /// Where those nodes listen that take requests.
    pub(crate) fn ready(&self) -> Vec<SocketAddr> {
        let ready = self.nodes.iter().filter(|node| node.is_ready());
        ready.filter_map(|node| node.address().ok()).collect()
    }

    /// Waits until every machine and every node is there again.
    ///
    /// # Errors
    /// When that takes too long; the logs are kept and named.
    pub(crate) fn wait_until_whole(&mut self) -> Result<(), String> {
        self.assembly
            .wait_until_whole(WHOLE_MAX)
            .map_err(|reason| self.keep_logs(&reason))?;
        let watch = Stopwatch::start();
        while !self.nodes.iter().all(Node::is_ready) {
            if watch.elapsed() > WHOLE_MAX {
                let away: Vec<&str> = self
                    .nodes
                    .iter()
                    .filter(|node| !node.is_ready())
                    .map(|node| node.name.as_str())
                    .collect();
                return Err(self.keep_logs(&format!("{} not ready", away.join(", "))));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Waits until the balancer, too, has found out that a node is there again.
    ///
    /// # Errors
    /// When that takes too long.
    pub(crate) fn wait_until_balanced(&mut self, number: usize) -> Result<(), String> {
        let watch = Stopwatch::start();
        while !self.balancer.sends_to(number) {
            if watch.elapsed() > WHOLE_MAX {
                return Err(self.keep_logs(&format!(
                    "the balancer sends nothing to node {}",
                    number + 1
                )));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// Copies all logs to the target folder, since the place goes with what it is about.
    pub(crate) fn keep_logs(&self, reason: &str) -> String {
        let kept = target().join("cluster-logs");
        let _old = fs::remove_dir_all(&kept);
        let _made = fs::create_dir_all(&kept);
        let machines = self.assembly.databases.iter().map(|machine| &machine.name);
        let members = self.assembly.etcd.iter().map(|member| &member.name);
        let balancer = "haproxy".to_owned();
        let names = machines
            .chain(members)
            .chain(self.nodes.iter().map(|node| &node.name))
            .chain([&balancer]);
        for name in names {
            let log = self.assembly.place.path(name).join("log");
            let _copied = fs::copy(log, kept.join(format!("{name}.log")));
        }
        format!("{reason}; logs are in {}", kept.display())
    }
}
