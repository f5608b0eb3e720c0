//! HAProxy with the configuration in `deploy/`, in front of the nodes.

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    process::Child,
    thread,
    time::Duration,
};

use super::{
    network::Host,
    place::{Place, Start},
};
use crate::{bench::free_address, cargo::root, clock::Stopwatch, http};

const FILE: &str = "deploy/haproxy.cfg";
/// What is adapted in it.
const BIND: &str = "bind :8080";
const SERVER: &str = "    server node";
/// Added to it: which nodes it sends requests to.
const STATISTICS: &str = "\nfrontend statistics from milepost\n    stats enable\n    stats uri /\n";
const STARTING_MAX: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(20);

/// Which of the statistics' columns tells how a node is.
const STATUS: usize = 17;

/// A running balancer; it ends with its place.
#[derive(Debug)]
pub(crate) struct Balancer {
    /// Where clients find it.
    pub(crate) address: SocketAddr,
    statistics: SocketAddr,
    _running: Child,
}

impl Balancer {
    /// Starts one in front of nodes.
    ///
    /// # Errors
    /// When it does not come up; its log is named.
    pub(crate) fn before(nodes: &[SocketAddr], place: &Place) -> Result<Self, String> {
        let address = free_address()?;
        let deployed = root().join(FILE);
        let text = fs::read_to_string(&deployed).map_err(|error| format!("{FILE}: {error}"))?;
        let statistics = free_address()?;
        let text =
            adapted(&text, address, nodes)? + &format!("{STATISTICS}    bind {statistics}\n");
        place.folder("haproxy")?;
        let file = place.file("haproxy/haproxy.cfg", &text)?;
        let host = Host::outside();
        let words = ["-db", "-f", &file.display().to_string()].map(str::to_owned);
        let running = place.start(&Start {
            folder: "haproxy",
            host: &host,
            as_caller: true,
            program: "/usr/sbin/haproxy",
            words: words.to_vec(),
        })?;
        let watch = Stopwatch::start();
        while TcpStream::connect(address).is_err() {
            if watch.elapsed() > STARTING_MAX {
                let log = place.path("haproxy/log");
                let said = fs::read_to_string(log).unwrap_or_default();
                return Err(format!("haproxy did not come up: {said}"));
            }
            thread::sleep(PAUSE);
        }
        Ok(Self {
            address,
            statistics,
            _running: running,
        })
    }

    /// Whether it sends requests to a node, by its place among them.
    pub(crate) fn sends_to(&self, node: usize) -> bool {
        let told = http::send_soon(self.statistics, "GET", "/;csv", &[], b"");
        let text = told
            .map(|told| String::from_utf8_lossy(&told.body).into_owned())
            .unwrap_or_default();
        let name = format!("milepost_nodes,node{},", node + 1);
        let line = text.lines().find(|line| line.starts_with(&name));
        line.and_then(|line| line.split(',').nth(STATUS))
            .is_some_and(|status| status == "UP")
    }
}

/// The configuration with these addresses in place of its own.
fn adapted(text: &str, address: SocketAddr, nodes: &[SocketAddr]) -> Result<String, String> {
    if !text.contains(BIND) || !text.contains(SERVER) {
        return Err(format!("{FILE} has no line \"{BIND}\" or \"{SERVER}\""));
    }
    let kept = text.lines().filter(|line| !line.starts_with(SERVER));
    let mut lines: Vec<String> = kept
        .map(|line| line.replace(BIND, &format!("bind {address}")))
        .collect();
    for (number, node) in nodes.iter().enumerate() {
        lines.push(format!("{SERVER}{} {node}", number + 1));
    }
    lines.push(String::new());
    Ok(lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deployed_configuration_is_adapted_to_any_number_of_nodes() {
        let text = fs::read_to_string(root().join(FILE)).unwrap();
        let node = SocketAddr::from(([10, 0, 0, 1], 7070));
        let text = adapted(&text, SocketAddr::from(([127, 0, 0, 1], 8000)), &[node]).unwrap();
        assert!(text.contains("bind 127.0.0.1:8000\n"));
        assert!(text.contains("server node1 10.0.0.1:7070\n"));
        assert_eq!(text.matches(SERVER).count(), 1);
    }
}
