//! HTTP/1.1, and as much of HTTP/2 as an auditor needs: every request knows which connection carried
//! it, from which address it came, and what was sent byte for byte.
//!
//! A client of its own, because a pooling one hides exactly what is looked for here. Nothing
//! follows redirects, keeps cookies or retries in this module.

mod coding;
pub(crate) mod connection;
mod dial;
mod failure;
mod fields;
mod message;
mod multiplexed;
mod origin;
mod parse;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dial, Protocol, Sessions, Way, check};
pub(crate) use failure::Failure;
pub(crate) use fields::Fields;
pub(crate) use message::{Request, Response};
pub(crate) use multiplexed::{EXTENDED_CONNECT, Multiplexed};
pub(crate) use origin::{Origin, Place, resolve};
