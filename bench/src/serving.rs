//! How the bare axum servers listen.

use std::net::SocketAddr;

use axum::{Router, serve::ListenerExt as _};
use tokio::net::TcpListener;

/// Serves until the process ends.
///
/// # Errors
/// When the address can't be listened on.
pub async fn serve(router: Router, listen: SocketAddr) -> Result<(), String> {
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| error.to_string())?;
    let listener = listener.tap_io(|stream| {
        // Without it the answer merely comes later.
        let _unsupported = stream.set_nodelay(true);
    });
    axum::serve(listener, router)
        .await
        .map_err(|error| error.to_string())
}
