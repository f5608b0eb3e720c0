//! The bank's server as a program: opens the store, founds the bank, listens until it is told to stop.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use milepost_server::listen::{self, BindError, ListenOptions, Listener, RefusedToExpose, Tower};
use milepost_store::{
    MaintenanceError,
    embedded::{Embedded, Options},
};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    application::{application, service},
    founding::{self, FoundingError},
    say,
};

/// Where the bank is, and what it is reached by.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The store's directory; made where there is none.
    pub data: PathBuf,
    /// A loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
}

/// Why the bank doesn't open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could reach the address.
    #[error(transparent)]
    Exposed(#[from] RefusedToExpose),
    /// The store can't be opened.
    #[error("can't open the bank's store")]
    Store(#[from] MaintenanceError),
    /// The bank can't be founded.
    #[error("can't found the bank")]
    Founding(#[from] FoundingError),
    /// The address is taken.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// No runtime, or no signals.
    #[error("the operating system refuses")]
    System(#[from] std::io::Error),
}

/// What the server says before its URL, once it listens.
pub const GREETING: &str = "the bank is open at ";

/// Serves until SIGTERM or ctrl-c, then finishes what is in flight. Says where on stdout.
///
/// # Errors
/// [`ServeError`] says why the bank doesn't open.
pub fn serve(serving: &Serving) -> Result<(), ServeError> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(serving_until_told(&serving.data, serving.listen))
}

async fn serving_until_told(data: &Path, address: SocketAddr) -> Result<(), ServeError> {
    listen::guard(&[address], false, false)?;
    let store = Arc::new(Embedded::open(data, Options::default())?);
    founding::found(&*store).await?;
    let listener = Listener::bind(&[address]).await?;
    let addresses = listener.addresses();
    let service = service(store, &addresses);
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    for address in &addresses {
        say::line(format!("{GREETING}http://{address}{}", service.base()));
    }
    let waiting = service.clone();
    let told = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        waiting.end_waits();
    };
    let application = Tower(application(&service));
    listen::serve(listener, application, ListenOptions::default(), told).await;
    Ok(())
}
