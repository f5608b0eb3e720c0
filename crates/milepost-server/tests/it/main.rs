//! What the server promises, over real sockets (`edge_…`) and through the service alone.
//!
//! Without a socket every test talks to a [`scene::Scene`], which sends each request to another
//! service than the one before: whatever holds here holds without anything kept between two requests.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on fails"
)]

mod bad_input;
mod children;
#[path = "../../../milepost-postgres/tests/it/cluster.rs"]
#[expect(
    dead_code,
    clippy::disallowed_types,
    reason = "it offers more than is needed here, and is shared by all tests"
)]
mod cluster;
mod conditions;
mod definitions;
mod drafts;
mod edge_documents;
mod edge_exchanges;
mod edge_listen;
mod edge_openapi;
mod edge_running;
mod edge_slow;
mod edge_stop;
mod edge_tls;
mod failing;
mod feed;
mod feed_everything;
mod feed_expired;
mod feed_streams;
mod feed_waits;
mod flows;
mod flows_again;
mod flows_bounds;
mod flows_drafts;
mod flows_elsewhere;
mod flows_files;
mod flows_handing;
mod flows_kept;
mod flows_operations;
mod flows_pages;
mod flows_revised;
mod follower;
mod following;
mod identity;
mod lists;
mod meddled;
mod mounted;
mod nodes;
mod patches;
mod queries;
mod resources;
mod rules;
mod scene;
mod snapshots;
mod stateless;
mod transactions;
mod urls;
mod versions;
