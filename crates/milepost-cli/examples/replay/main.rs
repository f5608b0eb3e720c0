//! Replays the history of a real data set, each revision one transaction, and checks that the
//! server remembers it truly.
//!
//! ```text
//! cargo run --release -p milepost-cli --example replay -- FILE [--snapshot N]
//! ```
//!
//! `FILE` is NDJSON, perhaps gzipped, one revision a line:
//! `{"operations": [{"collection", "id", "value"} | {"collection", "id", "deleted": true}]}`.
//! Everything goes over HTTP to a server of its own, in a temporary directory. Checked are: the
//! state at the end, the snapshot at the position of revision N, and for every resource that its
//! versions are its edits.

#![expect(
    clippy::print_stdout,
    reason = "what was found is what this program is for"
)]

mod model;
mod revisions;
mod verify;
mod wire;

use std::{error::Error, path::PathBuf, process::ExitCode, time::Instant};

use model::Model;
use wire::Service;

/// What this program fails with.
type Failed = Box<dyn Error>;

/// Which revision's snapshot is asked for, unless said otherwise.
const SNAPSHOT_DEFAULT: usize = 100;

fn main() -> ExitCode {
    let (path, snapshot) = match arguments() {
        Ok(arguments) => arguments,
        Err(message) => {
            println!("error: {message}\nhint: replay FILE [--snapshot N]");
            return ExitCode::from(2);
        }
    };
    if !path.is_file() {
        println!(
            "error: there is no file {}: nothing was replayed",
            path.display()
        );
        return ExitCode::from(5);
    }
    match replay(&path, snapshot) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Result<(PathBuf, usize), String> {
    let mut path = None;
    let mut snapshot = SNAPSHOT_DEFAULT;
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--snapshot" {
            let number = arguments.next().and_then(|text| text.parse().ok());
            snapshot = number.ok_or("--snapshot takes the number of a revision")?;
        } else {
            path = Some(PathBuf::from(argument));
        }
    }
    path.map(|path| (path, snapshot))
        .ok_or_else(|| "which file?".to_owned())
}

fn replay(path: &std::path::Path, snapshot: usize) -> Result<(), Failed> {
    let service = Service::start()?;
    let mut model = Model::default();
    let mut remembered = None;
    let mut operations = 0;
    let started = now();
    for (index, revision) in revisions::read(path)?.enumerate() {
        let revision = revision?;
        service.define_missing(&mut model, &revision)?;
        operations += revision.len();
        let position = service.write(&mut model, &revision)?;
        if index + 1 == snapshot {
            remembered = Some((position, model.state.clone()));
        }
        model.revisions += 1;
    }
    let seconds = started.elapsed().as_secs_f64();
    println!(
        "replayed {} revisions, {operations} operations in {seconds:.2} s ({:.0} operations/s)",
        model.revisions,
        f64::from(u32::try_from(operations)?) / seconds
    );
    println!("ok: {}", verify::end(&service, &model)?);
    match remembered {
        Some((position, state)) => {
            println!(
                "ok: revision {snapshot}: {}",
                verify::snapshot(&service, &position, &state)?
            );
        }
        None => return Err(format!("there is no revision {snapshot}").into()),
    }
    println!("ok: {}", verify::versions(&service, &model)?);
    Ok(())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one clock of this program, for its report"
)]
fn now() -> Instant {
    Instant::now()
}
