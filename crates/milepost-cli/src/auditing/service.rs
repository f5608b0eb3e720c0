//! How the audited service is spoken to: what an audit and a replay have in common.

use std::{fs, path::PathBuf};

use clap::Args;
use milepost_audit::{Options, Restart};

use super::{restart_by, usage_of_file};
use crate::exit::Failure;

/// How the service is spoken to.
#[derive(Args, Clone, Debug)]
pub(crate) struct Service {
    /// The first user's bearer token
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MILEPOST_AUDIT_BEARER",
        hide_env_values = true
    )]
    bearer: Option<String>,

    /// The second user's bearer token
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MILEPOST_AUDIT_BEARER2",
        hide_env_values = true
    )]
    bearer2: Option<String>,

    /// Base URL of another process of the same service; may be repeated
    #[arg(long = "replica", value_name = "URL")]
    replicas: Vec<String>,

    /// Command that restarts the service, run by `sh -c`
    #[arg(long, value_name = "CMD")]
    restart_cmd: Option<String>,

    /// Certificates (PEM) of the authorities that the service's own is signed by, beside the public ones
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,

    /// Ask a host that is not this machine: only if it is yours to audit
    #[arg(long)]
    i_operate_this_host: bool,
}

impl Service {
    /// The options that say how the service is spoken to.
    ///
    /// # Errors
    /// When the authorities can't be read.
    pub(crate) fn options(&self) -> Result<Options, Failure> {
        let read =
            |path: &PathBuf| fs::read_to_string(path).map_err(|error| usage_of_file(path, &error));
        let authorities = self.cacert.as_ref().map(read).transpose()?;
        let by_command = |command: String| Restart::by(move || restart_by(&command));
        Ok(Options {
            foreign: self.i_operate_this_host,
            bearer: self.bearer.clone(),
            bearer2: self.bearer2.clone(),
            replicas: self.replicas.clone(),
            restart: self.restart_cmd.clone().map(by_command),
            authorities,
            ..Options::default()
        })
    }
}
