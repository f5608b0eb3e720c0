//! Requests to the store to responses, as a tower service.
//!
//! [`Service`] answers HTTP requests from a store of resource state. It keeps nothing about a client
//! between two requests: no session, cursor, subscription or lock. It mounts into any application
//! that speaks `tower`, or is served by this crate's own listener.

#![allow(clippy::allow_attributes, reason = "until there are routes")]

mod body;
#[allow(dead_code, reason = "used once there are routes")]
mod edge;
#[allow(dead_code, reason = "used once there are routes")]
mod limits;
#[allow(dead_code, reason = "used once there are routes")]
mod pages;
#[allow(dead_code, reason = "used once there are routes")]
mod refusal;
mod service;

pub use crate::{
    body::{Body, BodyError, BodyStream},
    limits::Limits,
    refusal::Occurrence,
    service::{Builder, MalformedBase, Service},
};
