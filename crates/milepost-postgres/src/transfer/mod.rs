//! A store in a database, taken out whole or taken in whole: see [`milepost_store::transfer`].
//!
//! It is taken out in one read-only transaction, while no node serves it, so that nothing is written
//! that the copy lacks. What is taken in is one transaction, tables included: it is there wholly or
//! not at all.

mod arriving;
mod leaving;

pub use self::{arriving::Arriving, leaving::Leaving};
