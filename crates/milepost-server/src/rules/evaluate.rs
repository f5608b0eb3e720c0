//! Evaluating a rule: CEL's semantics, borrowed values, and a bound on what it may cost.
//!
//! **The problem.** A rule is asked for every resource that is read, in the storage transaction of every write, and of
//! documents that anybody may have written. The interpreter of the crate that parses rules copies the whole document,
//! costs some ten microseconds and a deep stack, and goes on for as long as a list is long.
//!
//! **The choice.** Rules are boolean expressions over five things, so evaluating them is small. Here nothing is
//! copied, only members that the rule names are read, recursion is as deep as the rule (bounded when it is compiled),
//! and each step costs *fuel*: a rule whose fuel is used up has no value, whatever the document, and what has no value
//! allows nothing. That both evaluate alike is a property test.

use serde_json::Value;

use super::{
    node::{Comparison, Fact, Given, Loop, Node, Operation, TextTest},
    value::{Fault, Fuel, Val},
};
use crate::Subject;

/// What one evaluation may cost: about a millisecond.
const STEPS_MAX: u32 = 50_000;

/// What a rule is asked about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight<'v> {
    pub(super) method: &'static str,
    pub(super) subject: &'v Subject,
    pub(super) id: &'v str,
    /// The ids of the resources that it lies below, joined by slashes.
    pub(super) parents: &'v str,
    pub(super) resource: &'v Value,
    pub(super) previous: &'v Value,
}

/// Whether a rule is true. Whatever isn't is false: another value, an error, a rule that costs too much.
pub(super) fn holds(root: &Node, sight: &Sight<'_>) -> bool {
    matches!(value_of(root, sight), Ok(Val::Bool(true)))
}

/// The value of a rule.
pub(super) fn value_of<'v>(root: &'v Node, sight: &Sight<'v>) -> Result<Val<'v>, Fault> {
    let mut evaluation = Evaluation {
        sight,
        locals: Vec::new(),
        fuel: Fuel::new(STEPS_MAX),
    };
    evaluation.value(root)
}

struct Evaluation<'s, 'v> {
    sight: &'s Sight<'v>,
    locals: Vec<Valued<'v>>,
    fuel: Fuel,
}

type Valued<'v> = Result<Val<'v>, Fault>;

impl<'v> Evaluation<'_, 'v> {
    fn value(&mut self, node: &'v Node) -> Valued<'v> {
        self.fuel.spend(1)?;
        match node {
            Node::Null => Ok(Val::Null),
            Node::Bool(truth) => Ok(Val::Bool(*truth)),
            Node::Int(number) => Ok(Val::Int(*number)),
            Node::UInt(number) => Ok(Val::UInt(*number)),
            Node::Float(number) => Ok(Val::Float(*number)),
            Node::Text(text) => Ok(Val::text(text)),
            Node::List(elements) => {
                let values = elements.iter().map(|element| self.value(element));
                let values: Result<Vec<_>, _> = values.collect();
                Ok(Val::Made(values?.into()))
            }
            Node::Given(given) => Ok(self.given(*given)),
            Node::IsNobody => Ok(Val::Bool(self.sight.subject.is_anonymous())),
            Node::Fact(fact) => fact_of(self.sight.subject, fact).ok_or(Fault::Error),
            Node::HasClaim(name) => {
                let subject = self.sight.subject;
                subject.claims().ok_or(Fault::Error)?;
                Ok(Val::Bool(subject.claim(name).is_some()))
            }
            Node::Local(place) => self
                .locals
                .get(*place)
                .cloned()
                .unwrap_or(Err(Fault::Error)),
            Node::Member(of, name) => self.value(of)?.member(name)?.ok_or(Fault::Error),
            Node::HasMember(of, name) => {
                let member = self.value(of)?.member(name)?;
                Ok(Val::Bool(member.is_some()))
            }
            Node::At(of, at) => {
                let (of, at) = (self.value(of)?, self.value(at)?);
                element(&of, &at)
            }
            Node::Loop(parts) => self.looped(parts),
            _ => self.combined(node),
        }
    }

    /// What is made of other values.
    fn combined(&mut self, node: &'v Node) -> Valued<'v> {
        match node {
            Node::Not(one) => Ok(Val::Bool(!self.truth(one)?)),
            Node::Minus(one) => match self.value(one)? {
                Val::Int(number) => number.checked_neg().map(Val::Int).ok_or(Fault::Error),
                Val::Float(number) => Ok(Val::Float(-number)),
                _ => Err(Fault::Error),
            },
            Node::And(left, right) => self.either(left, right, false),
            Node::Or(left, right) => self.either(left, right, true),
            Node::If(parts) => {
                let [when, then, other] = &**parts;
                let chosen = if self.truth(when)? { then } else { other };
                self.value(chosen)
            }
            Node::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.compared(*comparison, &left, &right).map(Val::Bool)
            }
            Node::Calculate(operation, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                self.calculated(*operation, left, right)
            }
            Node::In(one, of) => {
                let (one, of) = (self.value(one)?, self.value(of)?);
                self.is_in(&one, &of).map(Val::Bool)
            }
            Node::Size(of) => {
                let size = self.value(of)?.size(&mut self.fuel)?;
                i64::try_from(size)
                    .map(Val::Int)
                    .map_err(|_never| Fault::Error)
            }
            Node::Texts(test, of, by) => {
                let (Val::Text(of), Val::Text(by)) = (self.value(of)?, self.value(by)?) else {
                    return Err(Fault::Error);
                };
                self.fuel.spend_bytes(of.len())?;
                Ok(Val::Bool(match test {
                    TextTest::StartsWith => of.starts_with(&*by),
                    TextTest::EndsWith => of.ends_with(&*by),
                    TextTest::Contains => of.contains(&*by),
                }))
            }
            Node::Matches(of, pattern) => {
                let Val::Text(of) = self.value(of)? else {
                    return Err(Fault::Error);
                };
                // Linear in the text, at some nanoseconds a byte.
                self.fuel.spend(of.len())?;
                Ok(Val::Bool(pattern.is_match(&of)))
            }
            Node::NotFalse(one) => match self.value(one) {
                Ok(Val::Bool(false)) => Ok(Val::Bool(false)),
                Err(Fault::TooDear) => Err(Fault::TooDear),
                Ok(_) | Err(Fault::Error) => Ok(Val::Bool(true)),
            },
            _ => Err(Fault::Error),
        }
    }

    fn given(&self, given: Given) -> Val<'v> {
        let sight = self.sight;
        match given {
            Given::Method => Val::text(sight.method),
            Given::Id => Val::text(sight.id),
            Given::Parents => {
                let parents = sight.parents.split('/').filter(|id| !id.is_empty());
                Val::Made(parents.map(Val::text).collect::<Vec<_>>().into())
            }
            Given::Resource => sight.resource.into(),
            Given::Previous => sight.previous.into(),
        }
    }

    fn truth(&mut self, node: &'v Node) -> Result<bool, Fault> {
        match self.value(node)? {
            Val::Bool(truth) => Ok(truth),
            _ => Err(Fault::Error),
        }
    }

    /// `&&` and `||`: one side may decide, whatever is wrong with the other.
    fn either(&mut self, left: &'v Node, right: &'v Node, decides: bool) -> Valued<'v> {
        let left = self.truth(left);
        if left == Ok(decides) || left == Err(Fault::TooDear) {
            return left.map(Val::Bool);
        }
        let right = self.truth(right);
        if right == Ok(decides) || right == Err(Fault::TooDear) {
            return right.map(Val::Bool);
        }
        left.and(right).map(Val::Bool)
    }

    fn compared(
        &mut self,
        comparison: Comparison,
        left: &Val<'v>,
        right: &Val<'v>,
    ) -> Result<bool, Fault> {
        if comparison == Comparison::Equal {
            return left.equals(right, &mut self.fuel);
        }
        if comparison == Comparison::Unequal {
            return left.equals(right, &mut self.fuel).map(|equal| !equal);
        }
        let order = left.order(right, &mut self.fuel)?;
        Ok(order.is_some_and(|order| match comparison {
            Comparison::Equal => order.is_eq(),
            Comparison::Unequal => order.is_ne(),
            Comparison::Less => order.is_lt(),
            Comparison::LessOrEqual => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::GreaterOrEqual => order.is_ge(),
        }))
    }

    fn is_in(&mut self, one: &Val<'v>, of: &Val<'v>) -> Result<bool, Fault> {
        if let Val::Object(members) = of {
            let Val::Text(name) = one else {
                return Ok(false);
            };
            return Ok(members.contains_key(&**name));
        }
        if matches!(of, Val::Text(_)) {
            return Err(Fault::Error);
        }
        for at in 0..of.size(&mut self.fuel)? {
            let element = of.element(at).ok_or(Fault::Error)?;
            if one.equals(&element, &mut self.fuel)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Both sides are of one kind; what has no value (an overflow, a division by zero) is an error.
    fn calculated(&mut self, operation: Operation, left: Val<'v>, right: Val<'v>) -> Valued<'v> {
        match (left, right) {
            (Val::Int(left), Val::Int(right)) => match operation {
                Operation::Add => left.checked_add(right),
                Operation::Subtract => left.checked_sub(right),
                Operation::Multiply => left.checked_mul(right),
                Operation::Divide => left.checked_div(right),
                Operation::Remainder => left.checked_rem(right),
            }
            .map(Val::Int)
            .ok_or(Fault::Error),
            (Val::UInt(left), Val::UInt(right)) => match operation {
                Operation::Add => left.checked_add(right),
                Operation::Subtract => left.checked_sub(right),
                Operation::Multiply => left.checked_mul(right),
                Operation::Divide => left.checked_div(right),
                Operation::Remainder => left.checked_rem(right),
            }
            .map(Val::UInt)
            .ok_or(Fault::Error),
            (Val::Float(left), Val::Float(right)) => match operation {
                Operation::Add => Ok(Val::Float(left + right)),
                Operation::Subtract => Ok(Val::Float(left - right)),
                Operation::Multiply => Ok(Val::Float(left * right)),
                Operation::Divide => Ok(Val::Float(left / right)),
                Operation::Remainder => Err(Fault::Error),
            },
            (left, right) if operation == Operation::Add => self.joined(left, right),
            _ => Err(Fault::Error),
        }
    }

    /// Two texts, or two lists, as one.
    fn joined(&mut self, left: Val<'v>, right: Val<'v>) -> Valued<'v> {
        if let (Val::Text(left), Val::Text(right)) = (&left, &right) {
            self.fuel.spend_bytes(left.len() + right.len())?;
            return Ok(Val::Text(format!("{left}{right}").into()));
        }
        let is_list = |value: &Val<'v>| matches!(value, Val::Array(_) | Val::Made(_));
        if !is_list(&left) || !is_list(&right) {
            return Err(Fault::Error);
        }
        let mut values = Vec::new();
        for list in [left, right] {
            let count = list.size(&mut self.fuel)?;
            self.fuel.spend(count)?;
            values.extend((0..count).filter_map(|at| list.element(at)));
        }
        Ok(Val::Made(values.into()))
    }

    fn looped(&mut self, parts: &'v Loop) -> Valued<'v> {
        let over = self.value(&parts.over)?;
        if matches!(over, Val::Text(_)) {
            return Err(Fault::Error);
        }
        let is_object = matches!(over, Val::Object(_));
        let place = self.locals.len();
        // What was gathered may be an error that a later element makes good, as in `exists`.
        let mut gathered = self.value(&parts.begin);
        for at in 0..over.size(&mut self.fuel)? {
            // An object's keys are found one after the other.
            self.fuel.spend(if is_object { at } else { 0 })?;
            self.locals.push(gathered);
            self.locals.push(over.element(at).ok_or(Fault::Error));
            let goes_on = self.truth(&parts.go_on)?;
            let step = goes_on.then(|| self.value(&parts.step));
            let before = self.locals.drain(place..).next();
            gathered = step.or(before).unwrap_or(Err(Fault::Error));
            if gathered
                .as_ref()
                .is_err_and(|fault| *fault == Fault::TooDear)
                || !goes_on
            {
                break;
            }
        }
        self.locals.push(gathered);
        let result = self.value(&parts.result);
        self.locals.truncate(place);
        result
    }
}

/// A fact of a subject; `None` of nobody, and where there is no such claim.
pub(super) fn fact_of<'v>(subject: &'v Subject, fact: &Fact) -> Option<Val<'v>> {
    let text = |text: Option<&'v str>| text.map_or(Val::Null, Val::text);
    match fact {
        Fact::Id => subject.id().map(Val::text),
        Fact::Issuer => subject.id().map(|_| text(subject.issuer())),
        Fact::Credential => subject.credential().map(|it| Val::text(it.as_str())),
        Fact::Admin => subject.id().map(|_| Val::Bool(subject.is_admin())),
        Fact::Claim(name) => subject.claim(name).map(Val::from),
    }
}

fn element<'v>(of: &Val<'v>, at: &Val<'v>) -> Valued<'v> {
    if let (Val::Object(_), Val::Text(name)) = (of, at) {
        return of.member(name)?.ok_or(Fault::Error);
    }
    let at = match at {
        Val::Int(at) => usize::try_from(*at).ok(),
        Val::UInt(at) => usize::try_from(*at).ok(),
        _ => None,
    };
    match of {
        Val::Array(_) | Val::Made(_) => at.and_then(|at| of.element(at)).ok_or(Fault::Error),
        _ => Err(Fault::Error),
    }
}
