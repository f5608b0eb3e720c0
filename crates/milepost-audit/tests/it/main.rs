//! The auditor against services that are known: a mutant for each violation, a noise for each false
//! alarm, and services that misbehave. Everything on loopback, ports chosen by the system.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that finds something else than it expects has failed"
)]

mod hostile;
mod looked;
mod matrix;
mod mutant;
mod reach;
mod reports;
