//! Runs a server until it is asked to stop: what `serve` and `demo` share.
//!
//! Opens the store, decides whether the addresses are safe, listens, says where, and stops
//! gracefully. How requests are answered is `milepost-server`'s.

mod identity;
mod limits;
mod memory;
mod options;
mod signals;
mod store;

use std::{net::SocketAddr, path::Path, sync::Arc};

use milepost_seal::KeyFile;
use milepost_server::{
    Keys, Service, Sweeper,
    identity::KeySource,
    listen::{self, Exposure, Listener, RefusedToExpose, TlsReload},
};
use milepost_store::embedded::Options;
use serde_json::json;

use self::signals::Reload;
pub(crate) use self::{
    identity::{KeyFile as TokenKeyFile, LOCAL_AUDIENCE, LOCAL_ISSUER},
    options::{Logged, ServingOptions},
    store::{Opened, StoreOptions},
};
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
    pub(crate) store: Opened,
    /// Where it is, in words.
    pub(crate) place: String,
    keys: Keys,
    key_file: KeyFile,
}

/// Opens the store in a database, or else in a directory, made where there is none, and the keys that
/// go with it.
pub(crate) async fn open(
    directory: &Path,
    database: &StoreOptions,
    options: &ServingOptions,
) -> Result<Site, Failure> {
    memory::take_small_pages();
    let limits = options.store_limits()?;
    let keys = options.keys.as_deref();
    if let Some(database) = database.database()? {
        let place = database.database.to_string();
        let (key_file, ring) = keys::of_server(directory, keys)?;
        let store = store::in_database(database, limits, &ring).await;
        let store = store.map_err(|failure| match keys {
            Some(_) => failure,
            None => failure.without_shared_keys(key_file.path()),
        })?;
        return Ok(Site {
            store,
            place,
            keys: Keys::new(ring),
            key_file,
        });
    }
    let store_options = Options {
        cache_bytes: options.cache_bytes(),
        limits,
        ..Options::default()
    };
    let store = Opened::in_directory(directory, store_options)?;
    let (key_file, ring) = keys::of_server(directory, keys)?;
    Ok(Site {
        store,
        place: directory.display().to_string(),
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
        ..
    } = site;
    let believed = options.identity.believed(&keys)?;
    let identity = believed.as_ref().map(|believed| believed.identity.clone());
    let (service, log_flush) = options.service(store.store(), keys.clone(), identity)?;
    let (listener, reload) = listener(options, &service).await?;
    if let Some(warning) = options.limits_warning()? {
        terminal.warn(warning);
    }
    let waiting = service.clone();
    let (stop, leave_time) = (signals::stop(terminal)?, options.leave_time()?);
    let stop = async move {
        stop.await;
        waiting.leave();
        // Whoever balances load finds out meanwhile, and sends new requests elsewhere.
        tokio::time::sleep(leave_time).await;
        waiting.end_waits();
    };
    let mut reloads = vec![reload_keys(keys, key_file, store.clone())];
    reloads.extend(reload.map(reload_certificate));
    if let Some(believed) = believed {
        reloads.extend(believed.files.into_iter().map(reload_token_keys));
        believed
            .sources
            .into_iter()
            .for_each(|source| tell_of_failure(terminal, source));
    }
    signals::reload_on_hangup(terminal, reloads)?;
    let addresses = listener.addresses();
    let exposure = exposure(&addresses, options)?;
    greet(terminal, options, &addresses, &exposure, welcome)?;
    let sweeping = tokio::spawn(Sweeper::of(&service).run());
    let stopped = listen::serve(listener, service, options.listen_options()?, stop).await;
    sweeping.abort();
    // It holds the store.
    let _aborted = sweeping.await;
    if stopped.dropped_connections > 0 {
        terminal.warn(format!(
            "{} connections were not done in time",
            stopped.dropped_connections
        ));
    }
    drop(log_flush);
    store.close().await;
    terminal.talk("stopped");
    Ok(Exit::Ok)
}

fn reload_keys(keys: Keys, file: KeyFile, store: Opened) -> Reload {
    Box::new(move || {
        let ring = file.read();
        let ring = ring.map_err(|error| storage::with_sources(&error))?;
        store.use_keys(&ring);
        keys.replace(ring);
        Ok("keys")
    })
}

fn reload_token_keys((file, source): (TokenKeyFile, KeySource)) -> Reload {
    Box::new(move || {
        let keys = file.read().map_err(|failure| failure.message)?;
        source.replace(keys);
        Ok("an issuer's keys")
    })
}

/// Says once where an issuer's keys can't be had at the start: its tokens wait for them.
fn tell_of_failure(terminal: Terminal, (issuer, source): (String, KeySource)) {
    tokio::spawn(async move {
        source.tried().await;
        if let Some(failure) = source.failure() {
            terminal.warn(format!(
                "no keys of issuer {issuer} yet, they are asked for again: {failure}"
            ));
        }
    });
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
    listen::guard(addresses, options.identity.is_some(), options.open)
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
