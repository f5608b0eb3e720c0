//! The command as its users meet it: the built binary, over real sockets and real files.
//!
//! Everything runs on loopback with port 0 and in temporary directories; nothing of the user's own
//! state is read or written.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects has failed"
)]

mod applying;
mod auditing;
mod caches;
mod client;
#[path = "../../../milepost-postgres/tests/it/cluster.rs"]
#[expect(dead_code, reason = "it offers more than is needed here")]
mod cluster;
mod completing;
mod copying;
mod disk;
mod drafting;
mod exporting;
mod fleet;
mod flowing;
mod following;
mod granting;
mod importing;
mod keeping;
mod killing;
mod maintaining;
mod racing;
mod rolling;
mod ruling;
mod serving;
mod stage;
mod syncing;
mod tokens;
mod watching;
