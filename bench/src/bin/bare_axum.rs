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
};
use bytes::Bytes;
use http_body_util::Full;
use milepost_bench::{arguments::Arguments, replay::Replay, serving::serve};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let replay = Replay::read(&arguments.value::<PathBuf>("response")?)?
        .with_documents(arguments.value("documents")?)?;
    let listen: SocketAddr = arguments.value("listen")?;
    let router = Router::new()
        .route("/v1/{collection}/{id}", get(resource))
        .route("/v1/{collection}", get(collection))
        .with_state(replay);
    serve(router, listen).await
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
