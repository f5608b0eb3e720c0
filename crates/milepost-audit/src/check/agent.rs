//! UA-1: the same request with another `User-Agent`.

use super::source::Trait;
use crate::{
    engine::{Carrier, Scene, Stop},
    script::{Exchange, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let told = |exchange: &Exchange| {
        let field = exchange.request.fields.first("user-agent");
        field.map(str::to_owned)
    };
    let trait_of = Trait {
        carrier: Carrier::Agent,
        voice: |number| Voice::default().agent(number),
        told,
    };
    trait_of.differing(scene)
}
