//! A rule as it is evaluated: what the parser understood, with everything resolved that can be.

use regex::Regex;

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// `null`.
    Null,
    /// `true`, `1`, `1u`, `1.5`, `'text'`.
    Bool(bool),
    Int(i64),
    UInt(u64),
    Float(f64),
    Text(Box<str>),
    /// `[a, b]`
    List(Vec<Self>),
    /// Something that every evaluation is given.
    Given(Given),
    /// `subject == null`
    IsNobody,
    /// `subject.id` and the like; an error of nobody.
    Fact(Fact),
    /// `has(subject.claims.name)`, `'name' in subject.claims`
    HasClaim(Box<str>),
    /// A variable of a loop: its place among those that are there.
    Local(usize),
    /// `a.name`
    Member(Box<Self>, Box<str>),
    /// `has(a.name)`
    HasMember(Box<Self>, Box<str>),
    /// `a[b]`
    At(Box<Self>, Box<Self>),
    /// `!a`, `-a`
    Not(Box<Self>),
    Minus(Box<Self>),
    /// `a && b`, `a || b`
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    /// `a ? b : c`
    If(Box<[Self; 3]>),
    /// `a == b`, `a < b`
    Compare(Comparison, Box<Self>, Box<Self>),
    /// `a + b`
    Calculate(Operation, Box<Self>, Box<Self>),
    /// `a in b`
    In(Box<Self>, Box<Self>),
    /// `size(a)`
    Size(Box<Self>),
    /// `a.startsWith(b)` and the like.
    Texts(TextTest, Box<Self>, Box<Self>),
    /// `a.matches('…')`
    Matches(Box<Self>, Regex),
    /// What is true of everything but false.
    NotFalse(Box<Self>),
    /// `a.exists(x, …)` and the like.
    Loop(Box<Loop>),
}

/// What every evaluation is given, besides the subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// `request.method`
    Method,
    /// `id`
    Id,
    /// `parents`
    Parents,
    /// `resource`
    Resource,
    /// `previous`
    Previous,
}

/// What is known of a subject.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Fact {
    /// `subject.id`
    Id,
    /// `subject.issuer`
    Issuer,
    /// `subject.credential`
    Credential,
    /// `subject.admin`
    Admin,
    /// `subject.claims.name`
    Claim(Box<str>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TextTest {
    StartsWith,
    EndsWith,
    Contains,
}

/// One way through a list. Its variables are the two last while it is gone through: what was gathered so far, and
/// the element.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) over: Node,
    pub(super) begin: Node,
    pub(super) go_on: Node,
    pub(super) step: Node,
    pub(super) result: Node,
}
