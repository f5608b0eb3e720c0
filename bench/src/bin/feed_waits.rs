//! Has many requests wait at once, writes once, and prints what each cost the server's memory, how long
//! waking all of them took, and how often the store was read for it.
//!
//! `feed_waits --server ADDRESS --pid N --waits N --target TARGET --accept TYPE --write PATH`

use std::net::SocketAddr;

use milepost_bench::{
    arguments::Arguments,
    clock::Stopwatch,
    crowd::{Asking, Client, figure, memory_kib},
};
use tokio::{runtime::Builder, task::LocalSet};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BODY: &str = r#"{"kind":"k0","rank":7,"news":true}"#;
/// What is on every page that tells of the write.
const NEWS: &[u8] = b"\"news\":true";

#[expect(clippy::print_stdout, reason = "the figures are the program's output")]
fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let figures = runtime.block_on(LocalSet::new().run_until(measure(&arguments)))?;
    println!("{figures}");
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<String, String> {
    let server: SocketAddr = arguments.value("server")?;
    let (pid, waits): (u32, u32) = (arguments.value("pid")?, arguments.value("waits")?);
    let (target, accept): (String, String) =
        (arguments.value("target")?, arguments.value("accept")?);
    let mut control = Client::connect(server, 0).await?;
    let open = match accept.as_str() {
        "text/event-stream" => "milepost_streams_open",
        _ => "milepost_waits_open",
    };
    // What is made once and shared by all.
    let first = waiting(server, 1, &target, &accept).await?;
    until(&mut control, open, 1).await?;
    let before = memory_kib(pid, "VmRSS")?;
    let mut clients = vec![first];
    for number in 1..waits {
        clients.push(waiting(server, number, &target, &accept).await?);
    }
    until(&mut control, open, u64::from(waits)).await?;
    let after = memory_kib(pid, "VmRSS")?;
    let reads = figure(&mut control, "milepost_feed_reads_total").await?;
    let answers = clients.into_iter().map(|mut client| {
        tokio::task::spawn_local(async move { client.receive_until(NEWS).await })
    });
    let answers: Vec<_> = answers.collect();
    let watch = Stopwatch::start();
    write(&mut control, &arguments.value::<String>("write")?).await?;
    for answer in answers {
        answer.await.map_err(|error| error.to_string())??;
    }
    let woken_ms = watch.elapsed().as_millis();
    let reads = figure(&mut control, "milepost_feed_reads_total").await? - reads;
    let bytes = after.saturating_sub(before) * 1024 / u64::from(waits.max(2) - 1);
    Ok(format!(
        "{{\"bytesEach\":{bytes},\"wokenMs\":{woken_ms},\"reads\":{reads}}}"
    ))
}

async fn waiting(
    server: SocketAddr,
    number: u32,
    target: &str,
    accept: &str,
) -> Result<Client, String> {
    let mut client = Client::connect(server, number).await?;
    let agent = "bench";
    client
        .ask(Asking {
            target,
            accept,
            agent,
        })
        .await?;
    Ok(client)
}

/// Waits until the service says that so many are open.
async fn until(control: &mut Client, open: &str, wanted: u64) -> Result<(), String> {
    while figure(control, open).await? < wanted {
        tokio::task::yield_now().await;
    }
    Ok(())
}

async fn write(control: &mut Client, path: &str) -> Result<(), String> {
    let request = format!(
        "PUT {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{BODY}",
        BODY.len()
    );
    control.send(request.as_bytes()).await?;
    match control.receive().await?.status {
        200..=204 => Ok(()),
        status => Err(format!("PUT {path}: {status}")),
    }
}
