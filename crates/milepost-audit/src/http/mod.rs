//! HTTP/1.1 as an auditor needs it: every request knows which connection carried it, from which
//! address it came, and what was sent byte for byte.
//!
//! A client of its own, because a pooling one hides exactly what is looked for here. Nothing
//! follows redirects, keeps cookies or retries in this module.

pub(crate) mod connection;
mod dial;
mod failure;
mod fields;
mod message;
mod origin;
mod parse;

pub(crate) use connection::Connection;
pub(crate) use dial::{Dial, check};
pub(crate) use failure::Failure;
pub(crate) use fields::Fields;
pub(crate) use message::{Request, Response};
pub(crate) use origin::Origin;
pub(crate) use origin::{Place, resolve};
