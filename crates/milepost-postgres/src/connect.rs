//! Connections: a pool for readers, and single ones whose messages somebody listens to.
//!
//! Every connection belongs to one idea of where to connect (`primary`). Once that is another one the
//! connection is closed, whatever is under way on it: an answer of a server that is no longer the
//! primary is worse than none.

use std::{future::poll_fn, sync::Arc, time::Duration};

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::ClientWrapper;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::mpsc,
    task::JoinHandle,
    time::timeout,
};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls, config::TargetSessionAttrs};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{
    OpenError,
    address::{Address, CONNECT_MAX},
    primary::Targets,
    trouble::{Attempt, Trouble, Unconnected},
    trust::Trust,
};

/// For every connection: what is asked takes less time than compiling it would, or sharing it out; and a
/// commit that is waited for is on the disk, and on a synchronous standby's, whatever is usual there.
const SETTINGS: &str = "SET jit = off; SET max_parallel_workers_per_gather = 0;
SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') <> 'remote_apply'";

/// For connections that write: what a statement names is found by its key, however few rows a table has at
/// the moment or had when it was last looked at.
pub(crate) const BY_KEY: &str = "SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off";

/// A pool of connections for readers.
pub(crate) type Pool = managed::Pool<Connector>;
/// A connection of a pool.
pub(crate) type Object = managed::Object<Connector>;

/// A connection, and what the server says besides its answers.
pub(crate) struct Line {
    pub(crate) client: ClientWrapper,
    pub(crate) messages: mpsc::UnboundedReceiver<AsyncMessage>,
}

/// Makes connections to one kind of server: those that take writes, or any.
#[derive(Clone)]
pub(crate) struct Connector {
    address: Arc<Address>,
    targets: Targets,
    only: TargetSessionAttrs,
    tls: Option<MakeRustlsConnect>,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Connector({})", self.address)
    }
}

impl Connector {
    /// For connections to where `targets` says that the primary is.
    pub(crate) fn to_primary(
        address: &Arc<Address>,
        trust: &Trust,
        targets: Targets,
    ) -> Result<Self, OpenError> {
        Self::new(address, trust, targets, TargetSessionAttrs::ReadWrite)
    }

    /// For connections to servers that may only read.
    pub(crate) fn to_replica(address: &Arc<Address>, trust: &Trust) -> Result<Self, OpenError> {
        let targets = Targets::fixed(address.places());
        Self::new(address, trust, targets, TargetSessionAttrs::Any)
    }

    fn new(
        address: &Arc<Address>,
        trust: &Trust,
        targets: Targets,
        only: TargetSessionAttrs,
    ) -> Result<Self, OpenError> {
        let tls = address.has_tls().then(|| trust.client()).transpose()?;
        Ok(Self {
            address: Arc::clone(address),
            targets,
            only,
            tls: tls.map(MakeRustlsConnect::new),
        })
    }

    /// Opens one connection.
    pub(crate) async fn line(&self) -> Result<Line, Trouble> {
        let (sender, messages) = mpsc::unbounded_channel();
        let (client, driver) = self.open(Some(sender)).await?;
        let client = ClientWrapper::new(client, driver);
        Ok(Line { client, messages })
    }

    /// A pool of such connections. Opens none yet.
    pub(crate) fn pool(&self, connections_max: usize, wait_max: Duration) -> Pool {
        let built = Pool::builder(self.clone())
            .max_size(connections_max.max(1))
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(wait_max))
            .create_timeout(Some(wait_max))
            .build();
        built.expect("times can be measured where a runtime is named")
    }

    async fn open(
        &self,
        messages: Option<mpsc::UnboundedSender<AsyncMessage>>,
    ) -> Result<(Client, JoinHandle<()>), Trouble> {
        let aim = self.targets.aim();
        if aim.places.is_empty() {
            return Err(Trouble::Nowhere);
        }
        let mut attempts = Vec::new();
        for place in aim.places.iter() {
            let config = self.address.at(place, self.only);
            let moved = self.targets.moved_from(aim.number);
            let opening = self.open_at(&config, messages.clone(), moved);
            let why = match timeout(CONNECT_MAX, opening).await {
                Ok(Ok(opened)) => return Ok(opened),
                Ok(Err(error)) => Unconnected::Refused(error),
                Err(_late) => Unconnected::Late,
            };
            let place = place.clone();
            attempts.push(Attempt { place, why });
        }
        Err(Trouble::Unconnected(attempts))
    }

    async fn open_at(
        &self,
        config: &Config,
        messages: Option<mpsc::UnboundedSender<AsyncMessage>>,
        moved: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(Client, JoinHandle<()>), tokio_postgres::Error> {
        let (client, driver) = match &self.tls {
            Some(tls) => {
                let (client, connection) = config.connect(tls.clone()).await?;
                (client, tokio::spawn(drive(connection, messages, moved)))
            }
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                (client, tokio::spawn(drive(connection, messages, moved)))
            }
        };
        client.batch_execute(SETTINGS).await?;
        Ok((client, driver))
    }
}

/// Moves bytes until the connection ends, and passes on what is no answer.
async fn drive<S, T>(
    mut connection: Connection<S, T>,
    messages: Option<mpsc::UnboundedSender<AsyncMessage>>,
    moved: impl Future<Output = ()>,
) where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    let moving = async {
        while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
            if let Some(messages) = &messages {
                // Nobody may want to know.
                let _ = messages.send(message);
            }
        }
    };
    tokio::select! {
        () = moving => {}
        () = moved => {}
    }
}

impl managed::Manager for Connector {
    type Type = ClientWrapper;
    type Error = Trouble;

    async fn create(&self) -> Result<ClientWrapper, Trouble> {
        let (client, driver) = self.open(None).await?;
        Ok(ClientWrapper::new(client, driver))
    }

    async fn recycle(&self, client: &mut ClientWrapper, _: &Metrics) -> RecycleResult<Trouble> {
        if client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        Ok(())
    }
}

/// What it means that a pool has no connection to give.
impl From<managed::PoolError<Self>> for Trouble {
    fn from(error: managed::PoolError<Self>) -> Self {
        match error {
            managed::PoolError::Backend(trouble) => trouble,
            _ => Self::Busy,
        }
    }
}
