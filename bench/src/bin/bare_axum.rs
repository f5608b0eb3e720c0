//! The control: axum with one route for resources and one for collections, sending one captured
//! response to every request, or with its fields the document that is asked for, from memory.
//!
//! `bare_axum --listen ADDRESS --response FILE --documents N`

use std::{net::SocketAddr, path::PathBuf};

use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
    serve::ListenerExt as _,
};
use bytes::Bytes;
use http_body_util::Full;
use milepost_bench::{arguments::Arguments, replay::Replay};
use tokio::net::TcpListener;

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
    let listener = listener.tap_io(|stream| {
        // Without it the answer merely comes later.
        let _unsupported = stream.set_nodelay(true);
    });
    let router = Router::new()
        .route("/v1/{collection}/{id}", get(resource))
        .route("/v1/{collection}", get(collection))
        .with_state(replay);
    axum::serve(listener, router)
        .await
        .map_err(|error| error.to_string())
}

async fn resource(
    State(replay): State<Replay>,
    Path((_collection, id)): Path<(String, String)>,
) -> Response<Full<Bytes>> {
    replay.response_to(&id)
}

async fn collection(
    State(replay): State<Replay>,
    Path(_collection): Path<String>,
) -> Response<Full<Bytes>> {
    replay.response()
}
