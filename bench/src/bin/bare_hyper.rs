//! The limit: hyper alone, sending one captured response to every request, or with its fields the
//! document that is asked for, from memory.
//!
//! `bare_hyper --listen ADDRESS --response FILE --documents N`

use std::{convert::Infallible, net::SocketAddr, path::PathBuf};

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use milepost_bench::{arguments::Arguments, replay::Replay};
use tokio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let replay = Replay::read(&arguments.value::<PathBuf>("response")?)?
        .with_documents(arguments.value("documents")?)?;
    let listen: SocketAddr = arguments.value("listen")?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| error.to_string())?;
    loop {
        let (stream, _) = listener.accept().await.map_err(|error| error.to_string())?;
        tokio::spawn(serve(stream, replay.clone()));
    }
}

async fn serve(stream: TcpStream, replay: Replay) {
    let answer = service_fn(|request: Request<Incoming>| {
        let id = request.uri().path().rsplit('/').next().unwrap_or_default();
        let response = replay.response_to(id);
        async move { Ok::<_, Infallible>(response) }
    });
    if stream.set_nodelay(true).is_ok() {
        // A connection that breaks is the load's to notice.
        let _ended = http1::Builder::new()
            .pipeline_flush(true)
            .serve_connection(TokioIo::new(stream), answer)
            .await;
    }
}
