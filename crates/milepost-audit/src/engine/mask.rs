//! The noise mask: places that differ between identical requests of clients without history.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::difference::{Spot, differences, leaves};
use crate::http::Response;

/// Above this share of a body's leaves nothing can be said about it.
const SHARE_MAX: f64 = 0.3;

/// Places that are not compared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Mask(BTreeSet<Spot>);

impl Mask {
    /// Learns from two answers that should have been the same.
    pub(crate) fn learn(&mut self, left: &Response, right: &Response) {
        self.0
            .extend(differences(left, right).into_iter().map(|found| found.spot));
    }

    /// Whether a place, or one around it, is noise.
    pub(crate) fn covers(&self, spot: &Spot) -> bool {
        let around = |own: &Spot| match (own, spot) {
            (Spot::Json(outer), Spot::Json(inner)) => {
                inner == outer
                    || inner
                        .strip_prefix(outer.as_str())
                        .is_some_and(|rest| rest.starts_with('/'))
            }
            (Spot::Body, spot) => spot.is_body(),
            (own, spot) => own == spot,
        };
        self.0.iter().any(around)
    }

    /// The places, in order.
    pub(crate) fn spots(&self) -> impl Iterator<Item = &Spot> {
        self.0.iter()
    }

    /// Whether so much is noise that nothing can be said: the status, the body as a whole, or more
    /// than 30 % of its leaves.
    pub(crate) fn blinds(&self, response: &Response) -> bool {
        let whole = |spot: &Spot| {
            matches!(spot, Spot::Status | Spot::Body) || *spot == Spot::Json(String::new())
        };
        let masked = self.0.iter().filter(|spot| spot.is_body()).count();
        let share = small(masked) / small(leaves(response));
        self.0.iter().any(whole) || share > SHARE_MAX
    }
}

fn small(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Fields;

    fn json(body: &str) -> Response {
        Response {
            status: 200,
            fields: Fields::default(),
            body: body.as_bytes().to_vec(),
            is_whole: true,
            unread: None,
        }
    }

    #[test]
    fn what_differs_without_history_is_noise_and_nothing_else_is() {
        let mut mask = Mask::default();
        mask.learn(
            &json(r#"{"a":1,"b":{"c":1},"d":0,"e":0}"#),
            &json(r#"{"a":1,"b":{"c":2},"d":0,"e":0}"#),
        );
        assert!(mask.covers(&Spot::Json("/b/c".to_owned())));
        assert!(mask.covers(&Spot::Json("/b/c/x".to_owned())));
        assert!(
            !mask.covers(&Spot::Json("/a".to_owned()))
                && !mask.covers(&Spot::Json("/b/cc".to_owned()))
        );
        assert!(!mask.blinds(&json(r#"{"a":1,"b":{"c":2},"d":0,"e":0}"#)));
    }

    #[test]
    fn more_than_a_third_of_noise_blinds() {
        let mut mask = Mask::default();
        mask.learn(
            &json(r#"{"a":1,"b":2,"c":3}"#),
            &json(r#"{"a":2,"b":3,"c":3}"#),
        );
        assert!(mask.blinds(&json(r#"{"a":1,"b":2,"c":3}"#)));
    }
}
