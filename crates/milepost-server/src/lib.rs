//! Requests to the store to responses, as a tower service.
//!
//! [`Service`] answers HTTP requests from a store of resource state. It keeps nothing about a client
//! between two requests: no session, cursor, subscription or lock. It mounts into any application
//! that speaks `tower`, or is served by this crate's own listener.

mod apart;
mod aside;
mod between;
mod body;
mod coding;
mod collection;
mod conditional;
pub mod cors;
mod digest;
mod dispatch;
mod drafts;
mod edge;
mod embedding;
mod expression_bounds;
mod failure;
mod feed;
mod flows;
mod fresh;
mod governed;
mod hosts;
mod href;
pub mod identity;
mod intake;
mod keys;
mod limits;
pub mod listen;
pub mod log;
mod media;
mod method;
pub mod metrics;
mod openapi;
mod pages;
mod preference;
mod refusal;
mod representation;
mod resource;
mod route;
mod rules;
pub mod security;
mod service;
mod transaction;
mod versions;

pub use crate::{
    body::{Body, BodyError, BodyStream},
    drafts::{Sweeper, Swept},
    hosts::Hosts,
    identity::{Identity, Subject},
    keys::Keys,
    limits::Limits,
    openapi::{ApiInfo, Contact},
    refusal::Occurrence,
    rules::{Attempt, RuleBook},
    service::{Builder, MalformedBase, Service},
};
