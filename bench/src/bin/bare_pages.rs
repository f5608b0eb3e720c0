//! The control of the feed: axum, sending captured pages from memory, each by its URL.
//!
//! `bare_pages --listen ADDRESS --pages FOLDER`; the folder is one that `feed_catch_up` saved.

use std::{
    collections::HashMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Request, State},
    response::Response,
    routing::get,
};
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use milepost_bench::{arguments::Arguments, replay::Replay, serving::serve};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Pages = Arc<HashMap<String, Replay>>;

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let pages = read(&arguments.value::<PathBuf>("pages")?)?;
    let listen: SocketAddr = arguments.value("listen")?;
    let router = Router::new()
        .route("/v1/{collection}/changes/{position}", get(page))
        .with_state(pages);
    serve(router, listen).await
}

fn read(folder: &Path) -> Result<Pages, String> {
    let index = folder.join("index");
    let text = fs::read_to_string(&index).map_err(|e| format!("{}: {e}", index.display()))?;
    let mut pages = HashMap::new();
    for (number, target) in text.lines().enumerate() {
        let replay = Replay::read(&folder.join(number.to_string()))?;
        pages.insert(target.to_owned(), replay);
    }
    Ok(Arc::new(pages))
}

async fn page(State(pages): State<Pages>, request: Request) -> Response<Full<Bytes>> {
    let target = request.uri().path_and_query().map_or("", |it| it.as_str());
    pages.get(target).map_or_else(not_found, Replay::response)
}

fn not_found() -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NOT_FOUND;
    response
}
