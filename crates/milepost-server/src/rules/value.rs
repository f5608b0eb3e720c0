//! Values while a rule is evaluated: borrowed from documents and claims, and compared as CEL compares.

use std::{borrow::Cow, cmp::Ordering, rc::Rc};

use serde_json::{Map, Number, Value};

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Val<'v> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(Cow<'v, str>),
    /// An array of a document.
    Array(&'v [Value]),
    /// An object of a document.
    Object(&'v Map<String, Value>),
    /// A list that the rule made.
    Made(Rc<Vec<Self>>),
}

/// Why a rule has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Something isn't there, or isn't what it is used as.
    Error,
    /// It costs more than rules may.
    TooDear,
}

/// What an evaluation may still cost, in steps: a part of the rule, or so many bytes of text.
#[derive(Debug)]
pub(super) struct Fuel(u32);

/// Bytes that are looked at in the time of a step.
const STEP_BYTES: usize = 32;

impl Fuel {
    pub(super) const fn new(steps: u32) -> Self {
        Self(steps)
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), Fault> {
        let left = u32::try_from(steps)
            .ok()
            .and_then(|steps| self.0.checked_sub(steps));
        match left {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => {
                self.0 = 0;
                Err(Fault::TooDear)
            }
        }
    }

    pub(super) fn spend_bytes(&mut self, bytes: usize) -> Result<(), Fault> {
        self.spend(bytes / STEP_BYTES)
    }
}

impl<'v> From<&'v Value> for Val<'v> {
    fn from(value: &'v Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(truth) => Self::Bool(*truth),
            Value::Number(number) => Self::of_number(number),
            Value::String(text) => Self::Text(text.as_str().into()),
            Value::Array(values) => Self::Array(values),
            Value::Object(members) => Self::Object(members),
        }
    }
}

impl<'v> Val<'v> {
    fn of_number(number: &Number) -> Self {
        let whole = number.as_i64().map(Self::Int);
        let whole = whole.or_else(|| number.as_u64().map(Self::UInt));
        whole.unwrap_or_else(|| Self::Float(number.as_f64().unwrap_or(f64::NAN)))
    }

    pub(super) fn text(text: &'v str) -> Self {
        Self::Text(text.into())
    }

    /// How many elements, members or characters there are.
    pub(super) fn size(&self, fuel: &mut Fuel) -> Result<usize, Fault> {
        match self {
            Self::Text(text) => {
                fuel.spend_bytes(text.len())?;
                Ok(text.chars().count())
            }
            Self::Array(values) => Ok(values.len()),
            Self::Object(members) => Ok(members.len()),
            Self::Made(values) => Ok(values.len()),
            _ => Err(Fault::Error),
        }
    }

    /// The elements of a list; the keys of an object.
    pub(super) fn element(&self, at: usize) -> Option<Self> {
        match self {
            Self::Array(values) => values.get(at).map(Val::from),
            Self::Made(values) => values.get(at).cloned(),
            Self::Object(members) => members.keys().nth(at).map(|name| Self::text(name)),
            _ => None,
        }
    }

    /// The member of an object.
    pub(super) fn member(&self, name: &str) -> Result<Option<Self>, Fault> {
        match self {
            Self::Object(members) => Ok(members.get(name).map(Val::from)),
            _ => Err(Fault::Error),
        }
    }

    /// Whether both are the same: numbers by what they are worth, what is of different kinds never.
    pub(super) fn equals(&self, other: &Self, fuel: &mut Fuel) -> Result<bool, Fault> {
        fuel.spend(1)?;
        match (self, other) {
            (Self::Null, Self::Null) => Ok(true),
            (Self::Bool(one), Self::Bool(other)) => Ok(one == other),
            (Self::Text(one), Self::Text(other)) => {
                fuel.spend_bytes(one.len().min(other.len()))?;
                Ok(one == other)
            }
            (Self::Object(one), Self::Object(other)) => same_members(one, other, fuel),
            (Self::Array(_) | Self::Made(_), Self::Array(_) | Self::Made(_)) => {
                self.same_elements(other, fuel)
            }
            _ => Ok(self.number_order(other) == Some(Ordering::Equal)),
        }
    }

    fn same_elements(&self, other: &Self, fuel: &mut Fuel) -> Result<bool, Fault> {
        let count = self.size(fuel)?;
        if count != other.size(fuel)? {
            return Ok(false);
        }
        for at in 0..count {
            let (Some(one), Some(other)) = (self.element(at), other.element(at)) else {
                return Ok(false);
            };
            if !one.equals(&other, fuel)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which comes first; an error of what has no order together, `None` where a number is none.
    pub(super) fn order(&self, other: &Self, fuel: &mut Fuel) -> Result<Option<Ordering>, Fault> {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => {
                fuel.spend_bytes(one.len().min(other.len()))?;
                Ok(Some(one.cmp(other)))
            }
            (Self::Bool(one), Self::Bool(other)) => Ok(Some(one.cmp(other))),
            _ if self.is_number() && other.is_number() => Ok(self.number_order(other)),
            _ => Err(Fault::Error),
        }
    }

    const fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Float(_))
    }

    /// `None` where one isn't a number, in either sense.
    fn number_order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Float(one), other) => one.partial_cmp(&other.as_float()?),
            (one, Self::Float(other)) => one.as_float()?.partial_cmp(other),
            (one, other) => Some(one.as_whole()?.cmp(&other.as_whole()?)),
        }
    }

    const fn as_whole(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number as i128),
            Self::UInt(number) => Some(*number as i128),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "CEL compares whole numbers with others as doubles"
    )]
    const fn as_float(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::UInt(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }
}

fn same_members(
    one: &Map<String, Value>,
    other: &Map<String, Value>,
    fuel: &mut Fuel,
) -> Result<bool, Fault> {
    if one.len() != other.len() {
        return Ok(false);
    }
    for (name, value) in one {
        fuel.spend_bytes(name.len())?;
        let Some(other) = other.get(name) else {
            return Ok(false);
        };
        if !Val::from(value).equals(&Val::from(other), fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}
