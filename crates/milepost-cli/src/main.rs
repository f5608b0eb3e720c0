//! The `milepost` command: serve resources, and a pleasant client for them.
//!
//! One file per command under `command/`; this is the only crate that prints. What a server means
//! by its answers is `milepost-semantics` and `milepost-server`; nothing here decides it.

mod arguments;
mod auditing;
mod client;
mod command;
mod conditional;
mod content;
mod difference;
mod duration;
mod exit;
mod export;
mod import;
mod keys;
mod library;
mod pages;
mod serving;
mod storage;
mod sync;
mod table;
mod tags;
mod terminal;
mod watch;

use std::process::ExitCode;

use crate::{exit::Exit, terminal::Terminal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let command = match arguments::parse() {
        Ok(command) => command,
        Err(error) => return arguments::refuse(&error),
    };
    let terminal = Terminal::detect();
    let exit = match command.run(terminal) {
        Ok(exit) => exit,
        Err(failure) => {
            terminal.failure(&failure);
            failure.exit
        }
    };
    ExitCode::from(exit.code())
}

/// What every command returns.
type Ended = Result<Exit, exit::Failure>;
