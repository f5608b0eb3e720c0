//! What must be true of a script's answers for it to prove something.

use serde::{Deserialize, Serialize};

use crate::engine::{Mask, differences};

use super::{Played, play::Exchange, template::told};

/// One claim. All claims of a witness must hold together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Claim {
    /// Two answers differ outside the mask.
    Differ(usize, usize),
    /// Two answers are the same outside the mask.
    Same(usize, usize),
    /// An answer's status is in a range, ends included.
    Status(usize, u16, u16),
    /// An answer's status is outside a range, ends included.
    NotStatus(usize, u16, u16),
    /// An answer has a field.
    Field(usize, String),
    /// An answer lacks a field.
    NoField(usize, String),
    /// A field's value begins with a text.
    FieldBegins(usize, String, String),
    /// A field differs between two answers.
    FieldDiffers(usize, usize, String),
    /// A field is the same in two answers.
    FieldSame(usize, usize, String),
    /// The bodies of two answers differ outside the mask, whatever their fields say.
    BodyDiffers(usize, usize),
    /// The bodies of two answers are the same outside the mask.
    BodySame(usize, usize),
    /// A value differs between two answers that both have it; named as placeholders name it:
    /// `link:next`, `json:/scroll_id`, `href:2`, `event:0`.
    ValueDiffers(usize, usize, String),
    /// An answer has a value, named in the same way.
    Value(usize, String),
    /// A value is the same in two answers that both have it.
    ValueSame(usize, usize, String),
    /// A field of an answer lists a word.
    Lists(usize, String, String),
    /// More than this many of a group's requests were answered with success.
    MoreSucceed(u32, usize),
}

impl Claim {
    /// Whether it holds.
    pub(crate) fn holds(&self, played: &Played, mask: &Mask) -> bool {
        let at = |step: &usize| played.at(*step);
        let pair = |left: &usize, right: &usize| Some((at(left)?, at(right)?));
        let field = |step: &usize, name: &str| at(step).map(|e| e.response.fields.has(name));
        let held = match self {
            Self::Differ(left, right) => pair(left, right).map(|pair| differ(pair, mask)),
            Self::Same(left, right) => pair(left, right).map(|pair| !differ(pair, mask)),
            Self::Status(step, low, high) => status(at(step), *low, *high),
            Self::NotStatus(step, low, high) => status(at(step), *low, *high).map(|is| !is),
            Self::Field(step, name) => field(step, name),
            Self::NoField(step, name) => field(step, name).map(|has| !has),
            Self::FieldBegins(step, name, text) => at(step)
                .map(|exchange| first(exchange, name).is_some_and(|own| own.starts_with(text))),
            Self::FieldDiffers(left, right, name) => {
                pair(left, right).map(|(left, right)| first(left, name) != first(right, name))
            }
            Self::FieldSame(left, right, name) => {
                pair(left, right).map(|(left, right)| first(left, name) == first(right, name))
            }
            Self::BodyDiffers(left, right) => {
                pair(left, right).map(|pair| bodies_differ(pair, mask))
            }
            Self::BodySame(left, right) => pair(left, right).map(|pair| !bodies_differ(pair, mask)),
            Self::ValueDiffers(left, right, name) => pair(left, right).and_then(|(left, right)| {
                Some(told(&left.response, name)? != told(&right.response, name)?)
            }),
            Self::Value(step, name) => {
                at(step).map(|exchange| told(&exchange.response, name).is_some())
            }
            Self::ValueSame(left, right, name) => pair(left, right).and_then(|(left, right)| {
                Some(told(&left.response, name)? == told(&right.response, name)?)
            }),
            Self::Lists(step, name, word) => {
                at(step).map(|exchange| exchange.response.fields.lists(name, word))
            }
            Self::MoreSucceed(group, count) => Some(played.successes(*group) > *count),
        };
        held.unwrap_or(false)
    }

    /// The two steps it compares, where it says that they differ.
    pub(crate) const fn contrast(&self) -> Option<(usize, usize)> {
        match self {
            Self::Differ(left, right)
            | Self::FieldDiffers(left, right, _)
            | Self::ValueDiffers(left, right, _)
            | Self::BodyDiffers(left, right) => Some((*left, *right)),
            _ => None,
        }
    }
}

fn differ((left, right): (&Exchange, &Exchange), mask: &Mask) -> bool {
    let found = differences(&left.response, &right.response);
    found
        .iter()
        .any(|difference| !mask.covers(&difference.spot))
}

fn bodies_differ((left, right): (&Exchange, &Exchange), mask: &Mask) -> bool {
    let found = differences(&left.response, &right.response);
    let visible = found.iter().filter(|difference| difference.spot.is_body());
    visible
        .into_iter()
        .any(|difference| !mask.covers(&difference.spot))
}

fn status(exchange: Option<&Exchange>, low: u16, high: u16) -> Option<bool> {
    exchange.map(|exchange| (low..=high).contains(&exchange.response.status))
}

fn first<'e>(exchange: &'e Exchange, name: &'e str) -> Option<&'e str> {
    exchange.response.fields.first(name)
}
