//! What is done beside an audit: witnesses are played again, checks are explained.

use std::{fs, path::PathBuf};

use clap::Args;
use milepost_audit::{Options, ReplayError, Replayed, explain, explained, replay};

use super::{Service, usage_of_file};
use crate::{
    Ended,
    exit::{Exit, Failure},
    terminal::{Style, Terminal, harmless},
};

/// `milepost audit replay`.
#[derive(Args, Debug)]
pub(crate) struct Replay {
    /// A JSON report, a HAR of an audit, or one witness
    #[arg(value_name = "WITNESS")]
    witness: PathBuf,

    /// Base URL instead of the recorded one
    #[arg(long, value_name = "URL")]
    url: Option<String>,

    #[command(flatten)]
    service: Service,
}

/// `milepost audit explain`.
#[derive(Args, Debug)]
pub(crate) struct Explain {
    /// The check, like SC-3; all are listed without it
    #[arg(value_name = "CHECK")]
    check: Option<String>,
}

impl Replay {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let text = fs::read_to_string(&self.witness)
            .map_err(|error| usage_of_file(&self.witness, &error))?;
        let options = Options {
            url: self.url.unwrap_or_default(),
            ..self.service.options()?
        };
        let replayed = replay(&text, &options).map_err(|error| match error {
            ReplayError::Malformed(_) => {
                Failure::usage(format!("{}: {error}", self.witness.display()))
            }
            error => Failure::new(Exit::Unreachable, error.to_string()),
        })?;
        for one in &replayed {
            terminal.line(told(terminal, one))?;
        }
        let is_reproduced = replayed.iter().any(|one| one.is_reproduced);
        Ok(if is_reproduced {
            Exit::Failed
        } else {
            Exit::Ok
        })
    }
}

fn told(terminal: Terminal, one: &Replayed) -> String {
    let outcome = if one.is_reproduced {
        terminal.out("again ", Style::Red)
    } else {
        terminal.out("gone  ", Style::Green)
    };
    harmless(&format!("{outcome} {:<5} {}", one.check, one.summary))
}

impl Explain {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let Some(id) = self.check else {
            for page in explained() {
                terminal.line(format!(
                    "{:<5} {:<28} {}",
                    page.id, page.title, page.category
                ))?;
            }
            return Ok(Exit::Ok);
        };
        let page = explain(&id).ok_or_else(|| {
            Failure::usage(format!("there is no check {id}"))
                .hint("`milepost audit explain` lists them")
        })?;
        terminal.data(page.text.as_bytes())?;
        Ok(Exit::Ok)
    }
}
