//! Which names a request may call the service by.
//!
//! Where nobody has to show credentials, being on this machine is all that lets anybody in, and a page
//! in a browser here is on this machine: it can be made to ask for a name that first leads to its
//! own server and then to this one (DNS rebinding), and the browser takes both for the same origin.
//! The browser tells the name, so a name that nobody gave this service is refused. Resolves nothing.

use std::net::{IpAddr, SocketAddr};

/// Which names a request may call the service by, in `Host` or `:authority`. Ports don't count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hosts {
    /// Any.
    #[default]
    Any,
    /// `localhost`, every loopback address, and these; others are 421 (RFC 9110 §15.5.20).
    Local(Vec<String>),
}

impl Hosts {
    /// This machine's own names, the addresses that are listened on, and further names.
    #[must_use]
    pub fn local(addresses: &[SocketAddr], names: &[String]) -> Self {
        let addresses = addresses.iter().map(|address| address.ip().to_string());
        let names = names.iter().map(|name| bare(name).to_owned());
        Self::Local(addresses.chain(names).collect())
    }

    /// Whether a request may call the service so. `None`: the request names no host.
    pub(crate) fn admits(&self, host: Option<&str>) -> bool {
        let Self::Local(also) = self else {
            return true;
        };
        // Only HTTP/1.0 names none, and no browser speaks that.
        let Some(host) = host.map(bare) else {
            return true;
        };
        host.eq_ignore_ascii_case("localhost")
            || is_loopback(host)
            || also.iter().any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// A host without port, brackets and the root's dot.
fn bare(host: &str) -> &str {
    let without_port = match host.strip_prefix('[') {
        Some(rest) => {
            return match rest.split_once(']') {
                Some((address, port)) if port.is_empty() || port.starts_with(':') => address,
                _ => host,
            };
        }
        None => match host.rsplit_once(':') {
            // More than one colon: an address of IPv6 that lacks its brackets.
            Some((name, _port)) if !name.contains(':') => name,
            _ => host,
        },
    };
    without_port.strip_suffix('.').unwrap_or(without_port)
}

fn is_loopback(host: &str) -> bool {
    host.parse::<IpAddr>()
        .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_s_own_names_are_admitted_and_no_others() {
        let hosts = Hosts::local(
            &["192.168.0.7:80".parse().unwrap()],
            &["Milepost.Example".to_owned(), "api.example:443".to_owned()],
        );
        for host in [
            "localhost",
            "LOCALHOST:7070",
            "localhost.",
            "127.0.0.1:1",
            "127.9.8.7",
            "[::1]:7070",
            "[::ffff:127.0.0.1]",
            "192.168.0.7:7070",
            "milepost.example:80",
            "api.example",
        ] {
            assert!(hosts.admits(Some(host)), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.168.0.8",
            "[::2]",
            "[::1].evil.example",
            "[::1",
            "0.0.0.0",
            "notlocalhost",
        ] {
            assert!(!hosts.admits(Some(host)), "{host}");
        }
        assert!(hosts.admits(None));
        assert!(Hosts::Any.admits(Some("evil.example")));
    }
}
