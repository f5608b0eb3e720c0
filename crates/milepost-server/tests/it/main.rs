//! What the server promises, over real sockets and through the service.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

mod edge_listen;
mod edge_tls;
