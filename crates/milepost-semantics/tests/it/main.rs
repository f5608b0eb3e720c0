//! The promises of `milepost-semantics`, by module.

mod json;
