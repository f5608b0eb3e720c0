//! From sockets to requests: several addresses, HTTP/1.1 and HTTP/2 (also without TLS, by prior
//! knowledge), TLS, and bounds on everything that a peer could make grow.
//!
//! State here belongs to one open connection and ends with it. Nothing is counted, kept or decided
//! per client.

mod answering;
mod coalesced;
mod connection;
mod departure;
mod guard;
mod options;
mod paced;
mod pulse;
mod service;
mod tls;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use rustls::ServerConfig;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use self::connection::{Phase, Protocol, Spoken};
pub(crate) use self::departure::Held;
pub use self::{
    connection::Connection,
    guard::{Exposure, RefusedToExpose, guard},
    options::ListenOptions,
    service::{HttpService, Tower},
    tls::{TlsError, TlsFiles},
};
use crate::metrics::Metrics;

/// Where a listener can't listen.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on {address}")]
pub struct BindError {
    /// The address.
    pub address: SocketAddr,
    /// What the operating system said.
    pub source: io::Error,
}

/// Bound sockets, ready to accept.
#[derive(Debug)]
pub struct Listener {
    sockets: Vec<(SocketAddr, TcpListener)>,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    metrics: Option<Arc<Metrics>>,
}

/// Reads a listener's certificate and key again, for new connections.
#[derive(Clone, Debug)]
pub struct TlsReload {
    files: TlsFiles,
    configuration: watch::Sender<Arc<ServerConfig>>,
}

/// How a listener stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    /// How many connections were dropped because they weren't done in
    /// [`ListenOptions::drain_time_max`].
    pub dropped_connections: usize,
}

impl Listener {
    /// Binds all addresses. Port 0 stands for any free one; [`Listener::addresses`] says which.
    ///
    /// # Errors
    /// [`BindError`] names the first address that can't be bound.
    pub async fn bind(addresses: &[SocketAddr]) -> Result<Self, BindError> {
        let mut sockets = Vec::with_capacity(addresses.len());
        for &address in addresses {
            let failed = |source| BindError { address, source };
            let socket = TcpListener::bind(address).await.map_err(failed)?;
            sockets.push((socket.local_addr().map_err(failed)?, socket));
        }
        Ok(Self {
            sockets,
            tls: None,
            metrics: None,
        })
    }

    /// Speaks TLS on all addresses.
    ///
    /// # Errors
    /// [`TlsError`] where the files can't be used.
    pub fn with_tls(mut self, files: TlsFiles) -> Result<(Self, TlsReload), TlsError> {
        let (configuration, receiver) = watch::channel(files.load()?);
        self.tls = Some(receiver);
        Ok((
            self,
            TlsReload {
                files,
                configuration,
            },
        ))
    }

    /// Counts connections there.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Arc<Metrics>) -> Self {
        self.metrics = Some(metrics);
        self
    }

    /// The addresses that are listened on, in the order given, with their real ports.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().map(|(address, _)| *address).collect()
    }
}

impl TlsReload {
    /// Reads the files again. Connections that are open keep what they have.
    ///
    /// # Errors
    /// [`TlsError`] where the files can't be used; what was used before still is.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.configuration.send_replace(self.files.load()?);
        Ok(())
    }
}

/// Serves until `shutdown` is there, then finishes what is in flight.
///
/// After `shutdown` nothing more is accepted; HTTP/1.1 connections close after the response in
/// flight, HTTP/2 ones are told by GOAWAY. What isn't done in [`ListenOptions::drain_time_max`] is
/// dropped.
pub async fn serve(
    listener: Listener,
    service: impl HttpService,
    options: ListenOptions,
    shutdown: impl Future<Output = ()>,
) -> Stopped {
    let (phase, phases) = watch::channel(Phase::Serving);
    let drain_time_max = options.drain_time_max;
    let slots = Slots::new(options.connections_max);
    let protocol = Arc::new(Protocol::new(options));
    for (_, socket) in listener.sockets {
        let accepting = Accepting {
            protocol: Arc::clone(&protocol),
            slots: slots.clone(),
            tls: listener.tls.clone(),
            metrics: listener.metrics.clone(),
            phase: phases.clone(),
        };
        tokio::spawn(accepting.run(socket, service.clone()));
    }
    drop(service);
    shutdown.await;
    phase.send_replace(Phase::Draining);
    let drained = timeout(drain_time_max, slots.wait_until_free()).await;
    let dropped_connections = if drained.is_ok() { 0 } else { slots.taken() };
    phase.send_replace(Phase::Dropping);
    Stopped {
        dropped_connections,
    }
}

/// As many slots as there may be connections.
#[derive(Clone, Debug)]
struct Slots {
    count: u32,
    free: Arc<Semaphore>,
}

impl Slots {
    fn new(connections_max: usize) -> Self {
        let count =
            u32::try_from(connections_max.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self {
            count,
            free: Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(1))),
        }
    }

    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    async fn wait_until_free(&self) {
        let _all = self.free.acquire_many(self.count).await;
    }

    fn taken(&self) -> usize {
        usize::try_from(self.count)
            .unwrap_or(usize::MAX)
            .saturating_sub(self.free.available_permits())
    }
}

/// What accepts the connections of one socket.
struct Accepting {
    protocol: Arc<Protocol>,
    slots: Slots,
    tls: Option<watch::Receiver<Arc<ServerConfig>>>,
    metrics: Option<Arc<Metrics>>,
    phase: watch::Receiver<Phase>,
}

impl Accepting {
    async fn run(mut self, socket: TcpListener, service: impl HttpService) {
        loop {
            let slots = self.slots.clone();
            let next = async {
                let slot = slots.take().await?;
                Some((slot, accept(&socket).await))
            };
            let (slot, (stream, peer)) = tokio::select! {
                _stopping = self.phase.changed() => return,
                accepted = next => match accepted {
                    Some(accepted) => accepted,
                    None => return,
                },
            };
            let connection = Connection::new(peer, self.tls.is_some());
            let tls = self.tls.as_ref().map(|tls| Arc::clone(&tls.borrow()));
            let open = Open {
                protocol: Arc::clone(&self.protocol),
                connection,
                phase: self.phase.clone(),
                _counted: self.metrics.as_ref().map(Metrics::count_connection),
                _slot: slot,
            };
            tokio::spawn(open.run(stream, tls, service.clone()));
        }
    }
}

/// Accepts the next connection, however often that fails for want of file descriptors or memory.
async fn accept(socket: &TcpListener) -> (TcpStream, SocketAddr) {
    const PAUSE: Duration = Duration::from_millis(50);
    loop {
        match socket.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_about_one_connection(&error) => {}
            Err(_exhausted) => sleep(PAUSE).await,
        }
    }
}

fn is_about_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

/// An accepted connection, with all that it holds while it is open.
struct Open {
    protocol: Arc<Protocol>,
    connection: Connection,
    phase: watch::Receiver<Phase>,
    _counted: Option<crate::metrics::CountedConnection>,
    _slot: OwnedSemaphorePermit,
}

impl Open {
    async fn run(
        mut self,
        stream: TcpStream,
        tls: Option<Arc<ServerConfig>>,
        service: impl HttpService,
    ) {
        // Only the peer's going away makes this fail, which the first read will tell.
        let _ = stream.set_nodelay(true);
        match tls {
            // Apart, so that a connection without TLS doesn't hold the room for one with it.
            Some(tls) => Box::pin(self.run_encrypted(stream, tls, service)).await,
            None => {
                if let Some(spoken) = self.spoken(&stream).await {
                    let (protocol, phase) = (&self.protocol, self.phase.clone());
                    protocol
                        .serve(stream, spoken, self.connection, service, phase)
                        .await;
                }
            }
        }
    }

    /// What the peer speaks; `None` where it says nothing in time, or the listener stops first.
    async fn spoken(&mut self, stream: &TcpStream) -> Option<Spoken> {
        let time_max = self.protocol.options().head_time_max;
        tokio::select! {
            _stopping = self.phase.changed() => None,
            spoken = timeout(time_max, Spoken::of(stream)) => spoken.ok().flatten(),
        }
    }

    async fn run_encrypted(
        self,
        stream: TcpStream,
        tls: Arc<ServerConfig>,
        service: impl HttpService,
    ) {
        let handshake = TlsAcceptor::from(tls).accept(stream);
        let handshake = timeout(self.protocol.options().handshake_time_max, handshake);
        if let Ok(Ok(stream)) = handshake.await {
            let spoken = Spoken::agreed(stream.get_ref().1.alpn_protocol());
            let (protocol, phase) = (&self.protocol, self.phase.clone());
            protocol
                .serve(stream, spoken, self.connection, service, phase)
                .await;
        }
    }
}
