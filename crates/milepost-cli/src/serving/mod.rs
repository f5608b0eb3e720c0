//! Runs a server until it is asked to stop: what `serve` and `demo` share.
//!
//! Opens the store, decides whether the addresses are safe, listens, says where, and stops
//! gracefully. How requests are answered is `milepost-server`'s.

mod limits;
mod memory;
mod options;
mod signals;

use std::{net::SocketAddr, path::Path, sync::Arc};

use milepost_seal::KeyFile;
use milepost_server::{
    Keys, Service,
    listen::{self, Exposure, Listener, RefusedToExpose, TlsReload},
};
use milepost_store::{
    Store,
    embedded::{Embedded, Options},
};
use serde_json::json;

pub(crate) use self::options::{Logged, ServingOptions};
use self::signals::Reload;
use crate::{
    Ended,
    exit::{Exit, Failure},
    keys, storage,
    terminal::{Style, Terminal},
};

/// What to say once the server listens.
pub(crate) struct Welcome<'a> {
    /// What is served, in words: a directory.
    pub(crate) what: &'a str,
    /// Commands worth trying, with `{base}` for the service's URL.
    pub(crate) examples: &'a [&'a str],
}

/// What a server serves from.
pub(crate) struct Site {
    /// Resource state.
    pub(crate) store: Arc<Embedded>,
    keys: Keys,
    key_file: KeyFile,
}

/// Opens the store in a directory, or makes one there, and the keys that go with it.
pub(crate) fn open(directory: &Path, options: &ServingOptions) -> Result<Site, Failure> {
    memory::take_small_pages();
    let store_options = Options {
        cache_bytes: options.cache_bytes(),
        limits: options.store_limits()?,
        ..Options::default()
    };
    let store = Embedded::open(directory, store_options);
    let store = store
        .map(Arc::new)
        .map_err(|error| storage::failure(&error))?;
    let (key_file, ring) = keys::of_server(directory, options.keys.as_deref())?;
    Ok(Site {
        store,
        keys: Keys::new(ring),
        key_file,
    })
}

/// Serves a store until a signal asks to stop, then finishes what is in flight.
pub(crate) async fn serve(
    terminal: Terminal,
    site: Site,
    options: &ServingOptions,
    welcome: &Welcome<'_>,
) -> Ended {
    exposure(&options.listen, options)?;
    let Site {
        store,
        keys,
        key_file,
    } = site;
    let served = Arc::clone(&store) as Arc<dyn Store>;
    let (service, log_flush) = options.service(served, keys.clone())?;
    let (listener, reload) = listener(options, &service).await?;
    if let Some(warning) = options.limits_warning()? {
        terminal.warn(warning);
    }
    let waiting = service.clone();
    let stop = signals::stop(terminal)?;
    let stop = async move {
        stop.await;
        waiting.end_waits();
    };
    let mut reloads = vec![reload_keys(keys, key_file)];
    reloads.extend(reload.map(reload_certificate));
    signals::reload_on_hangup(terminal, reloads)?;
    let addresses = listener.addresses();
    let exposure = exposure(&addresses, options)?;
    greet(terminal, options, &addresses, &exposure, welcome)?;
    let stopped = listen::serve(listener, service, options.listen_options()?, stop).await;
    if stopped.dropped_connections > 0 {
        terminal.warn(format!(
            "{} connections were not done in time",
            stopped.dropped_connections
        ));
    }
    drop(log_flush);
    drop(store);
    terminal.talk("stopped");
    Ok(Exit::Ok)
}

fn reload_keys(keys: Keys, file: KeyFile) -> Reload {
    Box::new(move || {
        let ring = file.read();
        keys.replace(ring.map_err(|error| storage::with_sources(&error))?);
        Ok("keys")
    })
}

fn reload_certificate(reload: TlsReload) -> Reload {
    Box::new(move || {
        let reloaded = reload.reload();
        reloaded.map_err(|error| storage::with_sources(&error))?;
        Ok("certificate and key")
    })
}

/// Who can reach these addresses; a failure where that is more than was allowed.
fn exposure(addresses: &[SocketAddr], options: &ServingOptions) -> Result<Exposure, Failure> {
    listen::guard(addresses, false, options.open)
        .map_err(|refused| Failure::usage(refused.to_string()).hint(RefusedToExpose::HINT))
}

async fn listener(
    options: &ServingOptions,
    service: &Service,
) -> Result<(Listener, Option<TlsReload>), Failure> {
    let listener = Listener::bind(&options.listen).await.map_err(|error| {
        Failure::failed(storage::with_sources(&error))
            .hint("choose another address with --listen; port 0 takes any free one")
    })?;
    let listener = listener.with_metrics(Arc::clone(service.metrics()));
    match options.tls_files()? {
        None => Ok((listener, None)),
        Some(files) => {
            let (listener, reload) = listener
                .with_tls(files)
                .map_err(|error| Failure::failed(storage::with_sources(&error)))?;
            Ok((listener, Some(reload)))
        }
    }
}

fn greet(
    terminal: Terminal,
    options: &ServingOptions,
    addresses: &[SocketAddr],
    exposure: &Exposure,
    welcome: &Welcome<'_>,
) -> Result<(), Failure> {
    let scheme = if options.has_tls() { "https" } else { "http" };
    let urls: Vec<String> = addresses
        .iter()
        .map(|address| format!("{scheme}://{address}{}", options.base))
        .collect();
    if options.json {
        terminal.line(json!({ "urls": urls, "pid": std::process::id() }))?;
    }
    terminal.talk(format!(
        "milepost {} serves {}",
        env!("CARGO_PKG_VERSION"),
        welcome.what
    ));
    for url in &urls {
        terminal.talk(format!("  {}", terminal.err(url, Style::Bold)));
    }
    match exposure {
        Exposure::Open(_) => terminal.warn(exposure),
        Exposure::Guarded | Exposure::LoopbackOnly => terminal.talk(exposure),
    }
    if let Some(base) = urls.first() {
        terminal.talk("try:");
        for example in welcome.examples {
            let command = example.replace("{base}", base);
            terminal.talk(format!("  {}", terminal.err(command, Style::Cyan)));
        }
    }
    Ok(())
}
