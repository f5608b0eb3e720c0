//! Which addresses a service without credentials may listen on.
//!
//! A pure function: it neither resolves names nor binds anything. What the answer says is for
//! whoever starts the service to print.

use std::{fmt, net::SocketAddr};

/// Who can reach the service, and what whoever starts it should be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Callers have to show credentials: any address will do.
    Guarded,
    /// Nobody has to show anything, but only this machine can connect.
    LoopbackOnly,
    /// Everybody who can reach these addresses can read and write everything, on purpose.
    Open(Vec<SocketAddr>),
}

/// Addresses that others can reach, while nobody has to show credentials.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refusing to listen on {}: no credentials are configured, so everybody who can connect could read and change everything", Joined(.addresses))]
pub struct RefusedToExpose {
    /// The addresses that aren't loopback, in the order given.
    pub addresses: Vec<SocketAddr>,
}

impl RefusedToExpose {
    /// What to do about it, in one line.
    pub const HINT: &'static str =
        "listen on 127.0.0.1 or [::1] instead, or say --open if everybody may";
}

/// Decides whether the service may listen on these addresses.
///
/// `has_credentials` says whether callers have to show who they are; `open` that whoever starts the
/// service wants it to be reachable without.
///
/// # Errors
/// [`RefusedToExpose`] where an address isn't loopback, nobody has to show credentials and `open`
/// was not said.
pub fn guard(
    addresses: &[SocketAddr],
    has_credentials: bool,
    open: bool,
) -> Result<Exposure, RefusedToExpose> {
    let reachable: Vec<_> = addresses
        .iter()
        .filter(|address| !is_loopback(address))
        .copied()
        .collect();
    if has_credentials {
        Ok(Exposure::Guarded)
    } else if reachable.is_empty() {
        Ok(Exposure::LoopbackOnly)
    } else if open {
        Ok(Exposure::Open(reachable))
    } else {
        Err(RefusedToExpose {
            addresses: reachable,
        })
    }
}

/// Loopback, also where IPv4's is written as IPv6 (`::ffff:127.0.0.1`).
fn is_loopback(address: &SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl fmt::Display for Exposure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guarded => f.write_str("callers need credentials"),
            Self::LoopbackOnly => f.write_str(
                "no credentials are configured: only this machine can connect, and may do everything",
            ),
            Self::Open(addresses) => write!(
                f,
                "no credentials are configured: everybody who can reach {} may do everything",
                Joined(addresses)
            ),
        }
    }
}

struct Joined<'a>(&'a [SocketAddr]);

impl fmt::Display for Joined<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, address) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{address}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn without_credentials_only_loopback_is_listened_on() {
        let loopback = addresses(&[
            "127.0.0.1:1",
            "[::1]:2",
            "127.8.9.1:3",
            "[::ffff:127.0.0.1]:4",
        ]);
        assert_eq!(guard(&loopback, false, false), Ok(Exposure::LoopbackOnly));
        for other in [
            "0.0.0.0:1",
            "[::]:1",
            "192.168.0.7:1",
            "[fe80::1]:1",
            "[::ffff:10.0.0.1]:1",
        ] {
            let refused = guard(&addresses(&["127.0.0.1:1", other]), false, false).unwrap_err();
            assert_eq!(refused.addresses, addresses(&[other]));
        }
    }

    #[test]
    fn another_address_is_listened_on_where_it_was_asked_for_and_said_so() {
        let any = addresses(&["0.0.0.0:80"]);
        let exposure = guard(&any, false, true).unwrap();
        assert_eq!(exposure, Exposure::Open(any));
        assert!(
            exposure
                .to_string()
                .contains("everybody who can reach 0.0.0.0:80")
        );
    }

    #[test]
    fn with_credentials_any_address_will_do() {
        assert_eq!(
            guard(&addresses(&["0.0.0.0:80"]), true, false),
            Ok(Exposure::Guarded)
        );
    }
}
