//! Follows a feed from a position to its head over one connection, page after page, and prints one JSON
//! object with what came. With a folder to save to, each page is kept there as it stood on the wire.
//!
//! `feed_catch_up --server ADDRESS --from TARGET --save FOLDER|- --kind milepost|durable-streams`
//!
//! Of Milepost it follows `next`, of Durable Streams `Stream-Next-Offset`.

use std::{fs, net::SocketAddr, path::PathBuf};

use milepost_bench::{
    arguments::Arguments,
    clock::Stopwatch,
    crowd::{Asking, Client},
};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let came = runtime.block_on(follow(&arguments))?;
    println!(
        "{{\"pages\":{},\"bytes\":{},\"seconds\":{:.4}}}",
        came.pages, came.bytes, came.seconds
    );
    Ok(())
}

/// What came.
#[derive(Default)]
struct Came {
    pages: usize,
    bytes: usize,
    seconds: f64,
}

async fn follow(arguments: &Arguments) -> Result<Came, String> {
    let server: SocketAddr = arguments.value("server")?;
    let (kind, save): (String, String) = (arguments.value("kind")?, arguments.value("save")?);
    let next = match kind.as_str() {
        "milepost" => next_of_milepost,
        _ => next_of_durable_streams,
    };
    let mut saving = (save != "-").then(|| Saving::new(save.into()));
    let mut client = Client::connect(server, 0).await?;
    let mut target: Option<String> = Some(arguments.value("from")?);
    let mut came = Came::default();
    let watch = Stopwatch::start();
    while let Some(asked) = target {
        let asking = Asking {
            target: &asked,
            accept: "application/json",
            agent: "bench",
        };
        client.ask(asking).await?;
        let received = client.receive().await?;
        if received.status != 200 {
            return Err(format!("{asked}: {}", received.status));
        }
        came.pages += 1;
        came.bytes += received.raw.len();
        if let Some(saving) = &mut saving {
            saving.page(&asked, received.raw)?;
        }
        target = next(&asked, received.raw);
    }
    came.seconds = watch.elapsed().as_secs_f64();
    if let Some(saving) = saving {
        saving.finish()?;
    }
    Ok(came)
}

/// The link behind the items: in the last bytes of a page.
fn next_of_milepost(_: &str, raw: &[u8]) -> Option<String> {
    let tail = raw.get(raw.len().saturating_sub(1024)..)?;
    let tail = String::from_utf8_lossy(tail);
    let (_, next) = tail.rsplit_once("],\"next\":\"")?;
    Some(next.split('"').next()?.to_owned())
}

/// The offset in the head, unless that says that this is all.
fn next_of_durable_streams(asked: &str, raw: &[u8]) -> Option<String> {
    let end = raw.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(raw.get(..end)?).to_ascii_lowercase();
    let field = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(name));
        Some(line?.strip_prefix(':')?.trim().to_owned())
    };
    if field("stream-up-to-date").is_some() {
        return None;
    }
    let path = asked.split('?').next()?;
    Some(format!("{path}?offset={}", field("stream-next-offset")?))
}

/// Pages on their way into a folder.
struct Saving {
    folder: PathBuf,
    index: Vec<String>,
}

impl Saving {
    const fn new(folder: PathBuf) -> Self {
        let index = Vec::new();
        Self { folder, index }
    }

    fn page(&mut self, target: &str, raw: &[u8]) -> Result<(), String> {
        let file = self.folder.join(self.index.len().to_string());
        self.index.push(target.to_owned());
        fs::write(&file, raw).map_err(|error| format!("{}: {error}", file.display()))
    }

    fn finish(self) -> Result<(), String> {
        let file = self.folder.join("index");
        let text = self.index.join("\n");
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
    }
}
