//! The mutants under TLS: a certificate of their own, and the session that each connection resumes.

use std::{net::TcpStream, sync::Arc};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring::default_provider,
    pki_types::PrivatePkcs8KeyDer,
};

/// A certificate for loopback: what the server is configured with, and what clients must trust.
pub(crate) fn configured() -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    (Arc::new(config), made.cert.pem())
}

/// Shakes hands; the stream, and the name of the session that was resumed, or of the new one.
pub(crate) fn shaken(
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
    name: String,
) -> Option<(StreamOwned<ServerConnection, TcpStream>, String)> {
    let mut server = ServerConnection::new(config).ok()?;
    server.set_resumption_data(name.as_bytes());
    while server.is_handshaking() {
        server.complete_io(&mut stream).ok()?;
    }
    let resumed = server.received_resumption_data();
    let session = resumed.map_or(name, |data| String::from_utf8_lossy(data).into_owned());
    Some((StreamOwned::new(server, stream), session))
}
