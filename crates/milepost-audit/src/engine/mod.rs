//! The engine: what is sent, what of two answers is noise, and what proves something.

mod baseline;
mod carrier;
mod dependence;
mod difference;
mod mask;
mod proof;
mod scene;
mod shrink;
mod wire;

pub(crate) use baseline::Baseline;
pub(crate) use carrier::Carrier;
pub(crate) use dependence::Dependence;
pub(crate) use difference::{Difference, Spot, differences};
pub(crate) use mask::Mask;
pub(crate) use proof::Proof;
pub(crate) use scene::{Draft, Scene, cut, shown};
pub(crate) use shrink::shrink;
pub(crate) use wire::{Stop, Wire};
