//! The one place where sockets are opened, and therefore the one where it is decided whether an
//! address may be asked at all.
//!
//! The address that was checked is the address that is connected to: a name is resolved once.

use std::{
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use socket2::{Domain, Socket, Type};

use super::{Failure, Origin, connection::Stream};

/// How connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// Whether other machines may be asked.
    pub(crate) foreign: bool,
    /// How long opening may take.
    pub(crate) within: Duration,
}

impl Dial {
    /// Opens a connection, from a source address where one is given.
    pub(crate) fn open(&self, origin: &Origin, from: Option<IpAddr>) -> Result<Stream, Failure> {
        let address = check(origin, self.foreign)?;
        let stream = self
            .connect(address, from)
            .map_err(|error| Failure::Unreachable {
                address: address.to_string(),
                reason: error.to_string(),
            })?;
        if origin.tls {
            return secure(stream, origin);
        }
        Ok(Stream::Plain(stream))
    }

    fn connect(&self, address: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        let same_family = from.filter(|from| from.is_ipv4() == address.is_ipv4());
        if let Some(from) = same_family {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect_timeout(&address.into(), self.within)?;
        let stream: TcpStream = socket.into();
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(self.within))?;
        Ok(stream)
    }
}

/// Whether an address may be asked.
pub(crate) const fn may_reach(address: IpAddr, foreign: bool) -> bool {
    foreign || address.is_loopback()
}

/// The address of an origin, if it may be asked. Every address of the name must be allowed.
pub(crate) fn check(origin: &Origin, foreign: bool) -> Result<SocketAddr, Failure> {
    let host = origin.host.clone();
    let resolved = (host.as_str(), origin.port).to_socket_addrs();
    let addresses: Vec<SocketAddr> = resolved
        .map_err(|error| Failure::Unresolved {
            host: host.clone(),
            reason: error.to_string(),
        })?
        .collect();
    if addresses
        .iter()
        .any(|address| !may_reach(address.ip(), foreign))
    {
        return Err(Failure::Foreign { host });
    }
    let preferred = addresses.iter().find(|address| address.is_ipv4());
    let first = preferred.or(addresses.first()).copied();
    first.ok_or(Failure::Unresolved {
        host,
        reason: "no address".to_owned(),
    })
}

fn secure(stream: TcpStream, origin: &Origin) -> Result<Stream, Failure> {
    let unreachable = |reason: String| Failure::Unreachable {
        address: origin.to_string(),
        reason,
    };
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| unreachable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(origin.host.clone())
        .map_err(|error| unreachable(error.to_string()))?;
    let client = ClientConnection::new(Arc::new(config), name)
        .map_err(|error| unreachable(error.to_string()))?;
    Ok(Stream::Tls(Box::new(StreamOwned::new(client, stream))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Place;

    #[test]
    fn only_loopback_may_be_asked_unless_somebody_says_otherwise() {
        for (url, allowed) in [
            ("http://127.0.0.1:80/", true),
            ("http://127.9.9.9:80/", true),
            ("http://[::1]:80/", true),
            ("http://192.0.2.1/", false),
            ("http://10.0.0.1/", false),
            ("http://0.0.0.0/", false),
            ("http://[2001:db8::1]/", false),
            ("http://169.254.169.254/", false),
        ] {
            let origin = Place::parse(url).unwrap().origin;
            assert_eq!(check(&origin, false).is_ok(), allowed, "{url}");
            assert!(check(&origin, true).is_ok(), "{url}");
        }
    }
}
