//! `milepost demo`: a server with a small library in it, to look around in.

use std::path::PathBuf;

use clap::Args;

use crate::{
    Ended,
    command::serve,
    exit::Failure,
    library,
    serving::{self, Logged, ServingOptions, StoreOptions, Welcome},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost demo                    in a temporary directory, gone afterwards
  milepost demo ./library          in a directory that stays
  milepost demo --listen 127.0.0.1:0
  milepost demo --store postgres://milepost@db/library

Then, in another terminal:
  milepost list books --sort -year
  milepost get books/solaris
  milepost patch books/solaris copies:=1
  milepost list books.reviews --filter stars=5

In a browser: http://127.0.0.1:7070/v1/-/flows/registration, five steps that are stored nowhere before the last
one (but a scan, for a day), and http://127.0.0.1:7070/v1/-/flows/checkout, whose price you can change meanwhile.
";

const TRY: &[&str] = &[
    "curl {base}/books/solaris",
    "curl '{base}/books?language=pl&select=title,year&sort=-year'",
    "curl '{base}/books/-/reviews?stars=5'",
    "xdg-open {base}/-/flows/registration",
];

/// Serve a small library, to look around in
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Demo {
    /// Where to keep it [default: a temporary directory, gone afterwards]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,

    #[command(flatten)]
    store: StoreOptions,

    #[command(flatten)]
    options: ServingOptions,
}

impl Demo {
    /// Runs the command.
    pub(crate) fn run(mut self, terminal: Terminal) -> Ended {
        self.options.log.get_or_insert(Logged::Errors);
        let temporary = tempfile::Builder::new().prefix("milepost-demo-").tempdir();
        let temporary =
            temporary.map_err(|error| Failure::file("the temporary directory", &error))?;
        let directory = self.directory.as_deref().unwrap_or(temporary.path());
        serve::runtime()?.block_on(async {
            let site = serving::open(directory, &self.store, &self.options).await?;
            let what = format!("a small library, in {}", site.place);
            let welcome = Welcome {
                what: &what,
                examples: TRY,
            };
            library::load(&*site.store.store()).await?;
            serving::serve(terminal, site, &self.options, &welcome).await
        })
    }
}
