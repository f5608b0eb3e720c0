//! Polls a feed as one client many times, or as many clients once each, and prints what the server's
//! memory was before and after.
//!
//! `feed_polls --server ADDRESS --pid N --polls N --clients one|many --targets FILE`
//!
//! Both ask for the same targets in the same order. Many clients differ in address, port, connection and
//! `User-Agent`; the one has a single connection.

use std::{fs, net::SocketAddr, path::PathBuf};

use milepost_bench::{
    arguments::Arguments,
    crowd::{Asking, Client, memory_kib},
};
use tokio::runtime::Builder;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Polls before anything is measured: what any first requests cost is nobody's in particular.
const FIRST: u32 = 4_000;

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let (pid, polls): (u32, u32) = (arguments.value("pid")?, arguments.value("polls")?);
    let file: PathBuf = arguments.value("targets")?;
    let targets = fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    let crowd = Crowd {
        server: arguments.value("server")?,
        is_one: arguments.value::<String>("clients")? == "one",
        targets: targets.lines().collect(),
    };
    runtime.block_on(crowd.poll(0..FIRST))?;
    let before = memory_kib(pid, "VmRSS")?;
    runtime.block_on(crowd.poll(FIRST..FIRST + polls))?;
    let after = memory_kib(pid, "VmRSS")?;
    println!("{{\"before\":{before},\"after\":{after}}}");
    Ok(())
}

struct Crowd<'t> {
    server: SocketAddr,
    is_one: bool,
    targets: Vec<&'t str>,
}

impl Crowd<'_> {
    async fn poll(&self, numbers: std::ops::Range<u32>) -> Result<(), String> {
        let mut client = Client::connect(self.server, numbers.start).await?;
        for number in numbers {
            if !self.is_one {
                client = Client::connect(self.server, number).await?;
            }
            let agent = match self.is_one {
                true => "bench/1".to_owned(),
                false => format!("client-{number}/{}.0", number % 97),
            };
            let at = usize::try_from(number).unwrap_or_default() % self.targets.len().max(1);
            let target = self.targets.get(at).ok_or("no targets")?;
            let accept = "application/json";
            client
                .ask(Asking {
                    target,
                    accept,
                    agent: &agent,
                })
                .await?;
            let received = client.receive().await?;
            if received.status != 200 {
                return Err(format!("{target}: {}", received.status));
            }
        }
        Ok(())
    }
}
