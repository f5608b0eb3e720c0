//! What the bench's programs share: captured responses to send again, the writing load, followers by the
//! thousand, crowds of clients, followers of a history of edits, and reading their arguments.
//!
//! Nothing here is part of the product. Which program runs when, and what its figures are held
//! against, is decided by `cargo xtask bench`.

pub mod arguments;
pub mod clock;
pub mod crowd;
pub mod dialect;
pub mod fleet;
pub mod load;
pub mod replay;
pub mod response;
pub mod serving;
pub mod swarm;
