//! The hosts that the cluster's processes stand on, and the cables between them.
//!
//! Where root may make network namespaces, every host is one, on a bridge of its own, and can be cut off
//! as if somebody pulled a plug: packets vanish, nobody is told. Elsewhere hosts are addresses of loopback,
//! which nobody can cut off.

use std::path::Path;

use super::account::Account;
use crate::cargo::{program, read};

/// Addresses begin so where hosts are namespaces.
const BRIDGED: &str = "10.213";
/// And so where they are loopback.
const LOOPBACK: &str = "127.213";

/// All hosts.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    /// `None`: hosts are loopback.
    bridge: Option<String>,
    first: String,
}

/// One host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    /// Its address.
    pub(crate) address: String,
    /// The namespace and its cable.
    space: Option<(String, String)>,
    bridge: String,
}

impl Network {
    /// Makes the network, of namespaces where that is possible; `Err` of the pair says why it isn't.
    ///
    /// # Errors
    /// When the network can't be made though namespaces can.
    pub(crate) fn make(account: &Account) -> (Self, Result<(), String>) {
        let id = std::process::id();
        let third = id % 250;
        let loopback = Self {
            bridge: None,
            first: format!("{LOOPBACK}.{third}"),
        };
        if !account.is_root() {
            return (loopback, Err("network namespaces need root".to_owned()));
        }
        let bridge = format!("mp{id}");
        let first = format!("{BRIDGED}.{third}");
        let made = ip(&["link", "add", &bridge, "type", "bridge"])
            .and_then(|()| ip(&["addr", "add", &format!("{first}.1/24"), "dev", &bridge]))
            .and_then(|()| ip(&["link", "set", &bridge, "up"]))
            .and_then(|()| ip(&["netns", "add", &format!("{bridge}-try")]))
            .and_then(|()| ip(&["netns", "del", &format!("{bridge}-try")]));
        match made {
            Ok(()) => (
                Self {
                    bridge: Some(bridge),
                    first,
                },
                Ok(()),
            ),
            Err(reason) => {
                let _not_there = ip(&["link", "del", &bridge]);
                (loopback, Err(reason))
            }
        }
    }

    /// Makes a host.
    ///
    /// # Errors
    /// When its namespace or its cable can't be made.
    pub(crate) fn host(&self, number: u8) -> Result<Host, String> {
        let address = format!("{}.{number}", self.first);
        let Some(bridge) = &self.bridge else {
            return Ok(Host {
                address,
                space: None,
                bridge: String::new(),
            });
        };
        let space = format!("{bridge}-{number}");
        let cable = format!("{bridge}v{number}");
        ip(&["netns", "add", &space])?;
        ip(&[
            "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &space,
        ])?;
        ip(&[
            "-n",
            &space,
            "addr",
            "add",
            &format!("{address}/24"),
            "dev",
            "eth0",
        ])?;
        ip(&["-n", &space, "link", "set", "lo", "up"])?;
        ip(&["-n", &space, "link", "set", "eth0", "up"])?;
        ip(&["link", "set", &cable, "master", bridge, "up"])?;
        Ok(Host {
            address,
            space: Some((space, cable)),
            bridge: bridge.clone(),
        })
    }

    /// What a shell has to say to remove the network again.
    pub(crate) fn removal(&self) -> String {
        let Some(bridge) = &self.bridge else {
            return String::new();
        };
        format!(
            "for space in $(ip netns list | cut -d' ' -f1 | grep '^{bridge}-'); do ip netns del \"$space\"; done\n\
             ip link del {bridge}\n"
        )
    }
}

impl Host {
    /// Where whoever runs this is.
    pub(crate) fn outside() -> Self {
        Self {
            address: "127.0.0.1".to_owned(),
            space: None,
            bridge: String::new(),
        }
    }

    /// The words before a program's name that make it run on this host.
    pub(crate) fn words(&self) -> Vec<String> {
        let Some((space, _)) = &self.space else {
            return Vec::new();
        };
        let file = Path::new("/run/netns").join(space);
        vec!["nsenter".to_owned(), format!("--net={}", file.display())]
    }

    /// Whether it can be cut off.
    pub(crate) fn has_cable(&self) -> bool {
        self.space.is_some()
    }

    /// Pulls its plug: what it sends and what is sent to it vanishes.
    ///
    /// # Errors
    /// When it has no cable of its own.
    pub(crate) fn cut(&self) -> Result<(), String> {
        let (_, cable) = self
            .space
            .as_ref()
            .ok_or("a loopback address can't be cut off")?;
        ip(&["link", "set", cable, "nomaster"])
    }

    /// Plugs it in again.
    ///
    /// # Errors
    /// When it has no cable of its own.
    pub(crate) fn mend(&self) -> Result<(), String> {
        let (_, cable) = self
            .space
            .as_ref()
            .ok_or("a loopback address can't be cut off")?;
        ip(&["link", "set", cable, "master", &self.bridge])
    }
}

fn ip(words: &[&str]) -> Result<(), String> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = program("ip");
    command.args(words).env("PATH", format!("{path}:/usr/sbin"));
    read(&mut command).map(|_| ())
}
