//! HTTP's meaning as values and pure functions.
//!
//! Entity tags, positions, preconditions, negotiation, links, preferences, problems, strict JSON,
//! patches, index keys and the wire documents. Everything here is a value or a function of its
//! arguments: there is no async, no I/O, no clock and no randomness, so every rule can be tested
//! as a table. What it deliberately does not do: store, route, authenticate, or decide what a
//! *resource* may contain.
//!
//! ```
//! use http::{HeaderMap, HeaderValue, Method, header};
//! use milepost_semantics::{EntityTag, Outcome, Preconditions, Validators};
//!
//! let mut request = HeaderMap::new();
//! request.insert(header::IF_NONE_MATCH, HeaderValue::from_static("\"old\", \"k3f7.7-x7qa\""));
//! let preconditions = Preconditions::from_headers(&request).expect("well-formed");
//!
//! let etag: EntityTag = "\"k3f7.7-x7qa\"".parse()?;
//! let current = Validators { etag, last_modified: None };
//! assert_eq!(preconditions.evaluate(&Method::GET, Some(&current)), Outcome::NotModified);
//! # Ok::<(), milepost_semantics::tag::MalformedTag>(())
//! ```

pub mod caching;
pub mod coding;
pub mod date;
pub mod decimal;
pub mod digest;
mod field;
pub mod ids;
pub mod index;
pub mod json;
pub mod link;
pub mod media_type;
pub mod negotiation;
pub mod patch;
pub mod pointer;
pub mod position;
pub mod precondition;
pub mod prefer;
pub mod problem;
pub mod tag;
pub mod trace;
pub mod wire;

pub use coding::Coding;
pub use date::UnixSeconds;
pub use decimal::Decimal;
pub use field::MalformedField;
pub use ids::{CollectionName, ResourceId};
pub use media_type::MediaType;
pub use pointer::JsonPointer;
pub use position::{Check, History, Position};
pub use precondition::{Outcome, Preconditions, Validators};
pub use problem::{Issue, Problem, ProblemType};
pub use tag::EntityTag;
