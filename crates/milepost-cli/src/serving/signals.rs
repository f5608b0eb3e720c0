//! Signals: the first asks to stop, the second doesn't ask; SIGHUP reads certificates and keys again.

use std::future::Future;

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::{
    exit::{Exit, Failure},
    terminal::Terminal,
};

/// Resolves when SIGTERM or ctrl-c comes. A second one then ends the process at once, as by default.
pub(super) fn stop(terminal: Terminal) -> Result<impl Future<Output = ()>, Failure> {
    let mut terminate = listen(SignalKind::terminate())?;
    let mut interrupt = listen(SignalKind::interrupt())?;
    Ok(async move {
        either(&mut terminate, &mut interrupt).await;
        terminal.talk("stopping: finishing what is in flight; once more stops at once");
        tokio::spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            leave();
        });
    })
}

/// Ends the process at once. Nothing acknowledged is lost: this is no worse than a power cut.
#[expect(
    clippy::exit,
    reason = "asked for twice, and the ordinary way takes too long"
)]
fn leave() -> ! {
    std::process::exit(i32::from(Exit::Failed.code()))
}

/// Something that is read again: what was, or why it can't be and is as before.
pub(super) type Reload = Box<dyn Fn() -> Result<&'static str, String> + Send>;

/// Reads everything again each time SIGHUP comes.
pub(super) fn reload_on_hangup(terminal: Terminal, reloads: Vec<Reload>) -> Result<(), Failure> {
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            for reload in &reloads {
                match reload() {
                    Ok(what) => terminal.talk(format!("{what} were read again")),
                    Err(error) => terminal.warn(error),
                }
            }
        }
    });
    Ok(())
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

fn listen(kind: SignalKind) -> Result<Signal, Failure> {
    signal(kind).map_err(|error| Failure::failed(format!("can't listen for signals: {error}")))
}
