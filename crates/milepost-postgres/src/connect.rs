//! Connections: a pool for readers, and single ones whose messages somebody listens to.

use std::{future::poll_fn, sync::Arc};

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Pool, RecyclingMethod};
use milepost_store::MaintenanceError;
use rustls::{ClientConfig, RootCertStore};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
};
use tokio_postgres::{AsyncMessage, Config, Connection, NoTls, config::SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{options::Options, trouble::Trouble};

/// A connection, and what the server says besides its answers.
pub(crate) struct Line {
    pub(crate) client: ClientWrapper,
    pub(crate) messages: mpsc::UnboundedReceiver<AsyncMessage>,
}

/// A pool for readers. Opens no connection yet.
pub(crate) fn pool(options: &Options) -> Result<Pool, MaintenanceError> {
    let recycling_method = RecyclingMethod::Fast;
    let config = ManagerConfig { recycling_method };
    let database = options.database.clone();
    let manager = match tls(&options.database) {
        Some(tls) => Manager::from_config(database, tls, config),
        None => Manager::from_config(database, NoTls, config),
    };
    Pool::builder(manager)
        .max_size(options.readers_max.max(1))
        .runtime(deadpool_postgres::Runtime::Tokio1)
        .wait_timeout(Some(options.read_deadline))
        .create_timeout(Some(options.read_deadline))
        .build()
        .map_err(|error| MaintenanceError::Storage(Arc::new(error)))
}

/// Opens one connection.
pub(crate) async fn line(database: &Config) -> Result<Line, Trouble> {
    let (sender, messages) = mpsc::unbounded_channel();
    let client = match tls(database) {
        Some(tls) => {
            let (client, connection) = database.connect(tls).await?;
            ClientWrapper::new(client, tokio::spawn(drive(connection, sender)))
        }
        None => {
            let (client, connection) = database.connect(NoTls).await?;
            ClientWrapper::new(client, tokio::spawn(drive(connection, sender)))
        }
    };
    Ok(Line { client, messages })
}

/// Moves bytes until the connection ends, and passes on what is no answer.
async fn drive<S, T>(
    mut connection: Connection<S, T>,
    messages: mpsc::UnboundedSender<AsyncMessage>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        // Nobody may want to know.
        let _ = messages.send(message);
    }
}

/// TLS where the address requires it (`sslmode=require`), trusting the roots that browsers do. Never
/// without looking at the certificate, so that `prefer` is no TLS at all.
fn tls(database: &Config) -> Option<MakeRustlsConnect> {
    if database.get_ssl_mode() != SslMode::Require {
        return None;
    }
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Some(MakeRustlsConnect::new(config))
}
