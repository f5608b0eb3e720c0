//! UA-1: the same request with another `User-Agent`.

use crate::{
    engine::{Carrier, Scene, Stop},
    script::Voice,
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    super::source::differing(scene, &Carrier::Agent, |number| {
        Voice::default().agent(number)
    })
}
