//! TLS: certificate and key from files, both protocols, new certificates without a restart.

use std::{fs, sync::Arc};

use milepost_server::listen::{ListenOptions, Listener, TlsError, TlsFiles};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::edge_running::{Running, path};

/// A new certificate for `localhost` and its key, in files.
struct Files {
    directory: TempDir,
}

impl Files {
    fn new() -> Self {
        let files = Self {
            directory: tempfile::tempdir().unwrap(),
        };
        files.renew();
        files
    }

    fn renew(&self) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(self.files().certificates, made.cert.pem()).unwrap();
        fs::write(self.files().key, made.signing_key.serialize_pem()).unwrap();
    }

    fn files(&self) -> TlsFiles {
        let path = |name| self.directory.path().join(name);
        TlsFiles {
            certificates: path("certificate.pem"),
            key: path("key.pem"),
        }
    }

    /// A client that trusts what is in the files now, and nothing else.
    fn client(&self, protocol: &str) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(self.files().certificates).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        TlsConnector::from(Arc::new(config))
    }
}

async fn connect(
    running: &Running,
    client: &TlsConnector,
) -> std::io::Result<TlsStream<TcpStream>> {
    let stream = TcpStream::connect(running.addresses[0]).await?;
    client
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
}

async fn bound() -> Listener {
    Listener::bind(&["127.0.0.1:0".parse().unwrap()])
        .await
        .unwrap()
}

#[tokio::test]
async fn both_protocols_are_offered_over_tls() {
    let files = Files::new();
    let (listener, _) = bound().await.with_tls(files.files()).unwrap();
    let running = Running::start(listener, ListenOptions::default(), path);
    let stream = connect(&running, &files.client("h2")).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let mut stream = connect(&running, &files.client("http/1.1")).await.unwrap();
    stream
        .write_all(b"GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("/a"), "{answer}");
}

#[tokio::test]
async fn a_new_certificate_is_used_without_a_restart() {
    let files = Files::new();
    let (listener, reload) = bound().await.with_tls(files.files()).unwrap();
    let running = Running::start(listener, ListenOptions::default(), path);
    let old = files.client("http/1.1");
    files.renew();
    assert!(connect(&running, &old).await.is_ok());
    reload.reload().unwrap();
    assert!(connect(&running, &old).await.is_err());
    assert!(connect(&running, &files.client("http/1.1")).await.is_ok());
    fs::write(files.files().key, "no key").unwrap();
    assert!(matches!(reload.reload(), Err(TlsError::Unreadable { .. })));
    assert!(connect(&running, &files.client("http/1.1")).await.is_ok());
}

#[tokio::test]
async fn who_speaks_no_tls_gets_no_answer_and_keeps_nobody_waiting() {
    let files = Files::new();
    let (listener, _) = bound().await.with_tls(files.files()).unwrap();
    let running = Running::start(listener, ListenOptions::default(), path);
    let mut plain = TcpStream::connect(running.addresses[0]).await.unwrap();
    plain
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP/"));
    running.stop().await;
}

#[tokio::test]
async fn files_that_cannot_be_used_are_named() {
    let files = Files::new();
    let missing = TlsFiles {
        key: "/nowhere/key.pem".into(),
        ..files.files()
    };
    let error = bound().await.with_tls(missing).unwrap_err();
    assert!(error.to_string().contains("/nowhere/key.pem"), "{error}");
    let swapped = TlsFiles {
        certificates: files.files().key,
        ..files.files()
    };
    let error = bound().await.with_tls(swapped).unwrap_err();
    assert!(matches!(error, TlsError::NoCertificate { .. }), "{error}");
}
