//! The one place where sockets are opened, and therefore the one where it is decided whether an
//! address may be asked at all.
//!
//! The address that was checked is the address that is connected to: a name is resolved once.

use std::{
    fmt,
    net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _},
    sync::Arc,
    time::Duration,
};

use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    client::Resumption,
    pki_types::{CertificateDer, ServerName, pem::PemObject as _},
};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Socket, Type};

use super::{
    Failure, Multiplexed, Origin,
    connection::{Channel, Stream},
};

/// Sessions that one client keeps.
const SESSIONS_MAX: usize = 8;

/// What is spoken over a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Protocol {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2.
    Http2,
}

impl Protocol {
    /// As ALPN names it (RFC 7301).
    fn alpn(self) -> Vec<u8> {
        match self {
            Self::Http1 => b"http/1.1".to_vec(),
            Self::Http2 => b"h2".to_vec(),
        }
    }
}

/// TLS sessions that one client keeps: who has them can resume them over other connections.
#[derive(Clone)]
pub(crate) struct Sessions(Resumption);

impl Sessions {
    /// None yet.
    pub(crate) fn none() -> Self {
        Self(Resumption::in_memory_sessions(SESSIONS_MAX))
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// How a connection is to be opened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Way {
    /// The address it comes from.
    pub(crate) from: Option<IpAddr>,
    pub(crate) protocol: Protocol,
    /// The TLS sessions that may be resumed, where some may.
    pub(crate) sessions: Option<Sessions>,
}

/// How connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    /// Whether other machines may be asked.
    foreign: bool,
    /// How long opening may take.
    within: Duration,
    tls: ClientConfig,
}

impl Dial {
    /// Trusts the public authorities and those in a PEM text.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub(crate) fn new(
        foreign: bool,
        within: Duration,
        authorities: Option<&str>,
    ) -> Result<Self, String> {
        let mut roots = RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        };
        for found in CertificateDer::pem_slice_iter(authorities.unwrap_or_default().as_bytes()) {
            let wrong =
                |error: &dyn fmt::Display| format!("the authorities' certificates: {error}");
            let certificate = found.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            foreign,
            within,
            tls,
        })
    }

    /// Opens a connection.
    pub(crate) fn open(&self, origin: &Origin, way: &Way) -> Result<Channel, Failure> {
        let address = check(origin, self.foreign)?;
        let stream = self
            .connect(address, way.from)
            .map_err(|error| Failure::Unreachable {
                address: address.to_string(),
                reason: error.to_string(),
            })?;
        let tls = origin.tls.then(|| self.tls(origin, way)).transpose()?;
        match (way.protocol, tls) {
            (Protocol::Http2, tls) => {
                let begun = Multiplexed::begin(stream, tls, self.within)?;
                Ok(Channel::Frames(Box::new(begun)))
            }
            (Protocol::Http1, None) => Ok(Channel::Bytes(Stream::Plain(stream))),
            (Protocol::Http1, Some((config, name))) => {
                stream
                    .set_read_timeout(Some(self.within))
                    .map_err(|error| unreachable(origin, &error))?;
                secure(stream, origin, config, name)
            }
        }
    }

    /// The client's side of TLS, with the sessions that this way has.
    fn tls(
        &self,
        origin: &Origin,
        way: &Way,
    ) -> Result<(Arc<ClientConfig>, ServerName<'static>), Failure> {
        let mut config = self.tls.clone();
        config.alpn_protocols = vec![way.protocol.alpn()];
        config.resumption = way
            .sessions
            .clone()
            .map_or_else(Resumption::disabled, |sessions| sessions.0);
        let name = ServerName::try_from(origin.host.clone())
            .map_err(|error| unreachable(origin, &error))?;
        Ok((Arc::new(config), name))
    }

    fn connect(&self, address: SocketAddr, from: Option<IpAddr>) -> std::io::Result<TcpStream> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        if let Some(from) = from.filter(|from| leads(*from, address.ip())) {
            socket.bind(&SocketAddr::new(from, 0).into())?;
        }
        socket.connect_timeout(&address.into(), self.within)?;
        let stream: TcpStream = socket.into();
        // Where nobody listens, a port of the same number may answer itself.
        if stream.local_addr()? == stream.peer_addr()? {
            return Err(std::io::ErrorKind::ConnectionRefused.into());
        }
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(self.within))?;
        Ok(stream)
    }
}

/// Whether what is sent from an address can come to another one: from loopback there is no way to elsewhere.
const fn leads(from: IpAddr, to: IpAddr) -> bool {
    from.is_ipv4() == to.is_ipv4() && from.is_loopback() == to.is_loopback()
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

fn unreachable(origin: &Origin, reason: &dyn fmt::Display) -> Failure {
    Failure::Unreachable {
        address: origin.to_string(),
        reason: reason.to_string(),
    }
}

/// Shakes hands, so that a certificate that is not trusted is told as that.
fn secure(
    mut stream: TcpStream,
    origin: &Origin,
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
) -> Result<Channel, Failure> {
    let mut client =
        ClientConnection::new(config, name).map_err(|error| unreachable(origin, &error))?;
    while client.is_handshaking() {
        let shaken = client.complete_io(&mut stream);
        shaken.map_err(|error| {
            let reason = format!("{error}; --cacert trusts an authority of your own");
            unreachable(origin, &reason)
        })?;
    }
    let secured = StreamOwned::new(client, stream);
    Ok(Channel::Bytes(Stream::Tls(Box::new(secured))))
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

    #[test]
    fn loopback_asks_only_loopback_and_a_family_only_its_own() {
        let [near, other, far, six]: [IpAddr; 4] =
            ["127.0.0.1", "127.64.1.1", "10.0.0.1", "::1"].map(|text| text.parse().unwrap());
        assert!(leads(other, near) && leads(far, far));
        assert!(!leads(other, far) && !leads(far, near) && !leads(other, six));
    }
}
