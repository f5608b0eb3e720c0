//! The options that every client command shares: which server, whose credentials, how patient.

use std::time::Duration;

use clap::Args;

use super::{Address, Client, address::DEFAULT_ADDRESS};
use crate::exit::Failure;

/// Which server is meant.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Connection")]
pub(crate) struct Connection {
    /// The server; without a path, its /v1 is meant
    #[arg(long, value_name = "URL", env = "MILEPOST_URL", default_value = DEFAULT_ADDRESS)]
    pub(crate) server: String,

    /// Sent as `Authorization: Bearer`, to that server only
    #[arg(
        long,
        value_name = "TOKEN",
        env = "MILEPOST_TOKEN",
        hide_env_values = true
    )]
    pub(crate) token: Option<String>,

    /// How long one request may take, in seconds
    #[arg(
        long,
        value_name = "SECONDS",
        env = "MILEPOST_TIMEOUT",
        default_value_t = 60
    )]
    pub(crate) timeout: u64,
}

impl Connection {
    /// A client with these options.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        let address = Address::parse(&self.server)?;
        Ok(Client::new(
            address,
            self.token.clone(),
            Duration::from_secs(self.timeout.max(1)),
        ))
    }
}
