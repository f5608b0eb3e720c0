//! `milepost serve`: a server over a store of its own, or one that it shares with other nodes.

use std::path::PathBuf;

use clap::Args;

use crate::{
    Ended,
    exit::Failure,
    serving::{self, ServingOptions, StoreOptions, Welcome},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost serve                                     http://127.0.0.1:7070/v1, data in ./milepost-data
  milepost serve --data /var/lib/milepost --log errors
  milepost serve --listen 0.0.0.0:443 --open --tls-cert chain.pem --tls-key key.pem
  milepost serve --limit resourceBytesMax=4M --limit connectionsMax=500
  milepost serve --store postgres://milepost@db/milepost --store-password-file secret --keys shared.json
  milepost serve --store postgres://milepost@db1,db2,db3/milepost --store-ca ca.pem --keys shared.json \
      --patroni http://db1:8008 --patroni http://db2:8008 --patroni http://db3:8008
  milepost serve --issuer dev.jwk --admin role=admin     tokens of milepost token --key dev.jwk
  milepost serve --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem \
    --issuer https://login.example=https://login.example/jwks.json --audience https://api.example/v1

Every option but --json can also be given by environment, as MILEPOST_DATA, MILEPOST_LISTEN and so on.
SIGTERM and ctrl-c finish what is in flight. `kill -9` loses nothing that was acknowledged.
";

const TRY: &[&str] = &[
    "curl {base}/",
    "curl -X PUT {base}/-/collections/notes -H 'Content-Type: application/json' -d '{}'",
    "curl -X PUT {base}/notes/first -H 'Content-Type: application/json' -d '{\"text\":\"hello\"}'",
];

/// Serve the resources in a directory, or in a database that several nodes share
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Serve {
    /// The directory of the store and of this node's keys; made when it isn't there
    #[arg(
        long,
        value_name = "DIR",
        env = "MILEPOST_DATA",
        default_value = "milepost-data"
    )]
    data: PathBuf,

    #[command(flatten)]
    store: StoreOptions,

    #[command(flatten)]
    options: ServingOptions,
}

impl Serve {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        runtime()?.block_on(async {
            let site = serving::open(&self.data, &self.store, &self.options).await?;
            let what = site.place.clone();
            let welcome = Welcome {
                what: &what,
                examples: TRY,
            };
            serving::serve(terminal, site, &self.options, &welcome).await
        })
    }
}

/// What server code runs on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::failed(format!("can't start threads: {error}")))
}
