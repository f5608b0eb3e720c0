//! From a rule's text to what is evaluated: everything that can be refused is refused here, when it is defined.
//!
//! The crate `cel` parses. What it understood is then resolved to [`Node`]s, and refused where it names what isn't
//! there, calls what no rule needs, or looks at a subject's claims without saying which: the view of a reader
//! ([`view`](super::view)) is a digest of exactly the facts that rules look at, and most claims of a token (when it
//! was issued, its id) change with each one.

use cel::{
    IdedExpr, Program,
    common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, SelectExpr, operators},
};
use regex::RegexBuilder;

use super::{
    node::{Comparison, Fact, Given, Loop, Node, Operation, TextTest},
    sees::Sees,
};
use crate::{apart::apart, expression_bounds};

/// How deep a rule's parts may lie within one another: it is evaluated on whatever stack there is.
const DEPTH_MAX: usize = 64;
/// The largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 1 << 16;

/// A rule, ready to be evaluated.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) root: Node,
    pub(super) sees: Sees,
}

/// Reads a rule, or says what is wrong with it.
pub(super) fn compile(text: &str) -> Result<Rule, String> {
    expression_bounds::check(text)?;
    apart(|| compile_here(text)).map_err(|fault| fault.to_string())?
}

fn compile_here(text: &str) -> Result<Rule, String> {
    let program = Program::compile(text).map_err(|error| format!("is no CEL: {error}"))?;
    let mut resolver = Resolver {
        sees: Sees::default(),
        locals: Vec::new(),
        depth: 0,
    };
    let root = resolver.node(program.expression())?;
    Ok(Rule {
        root,
        sees: resolver.sees,
    })
}

type Resolved = Result<Node, String>;

/// Resolves names, and notes what is looked at.
struct Resolver {
    sees: Sees,
    locals: Vec<String>,
    depth: usize,
}

impl Resolver {
    fn boxed(&mut self, of: &IdedExpr) -> Result<Box<Node>, String> {
        self.node(of).map(Box::new)
    }

    fn node(&mut self, of: &IdedExpr) -> Resolved {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(format!("has parts more than {DEPTH_MAX} deep"));
        }
        let node = match &of.expr {
            Expr::Literal(literal) => literal_node(literal),
            Expr::Ident(name) => self.name(name),
            Expr::Select(select) => self.select(select),
            Expr::List(list) if list.optional_indices.is_empty() => {
                let elements = list.elements.iter().map(|element| self.node(element));
                elements.collect::<Result<_, _>>().map(Node::List)
            }
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(comprehension) => self.looped(comprehension),
            Expr::List(_) | Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                Err("makes a map, a message or an optional value, which no rule needs".to_owned())
            }
        };
        self.depth -= 1;
        node
    }

    fn name(&mut self, name: &str) -> Resolved {
        if let Some(place) = self.locals.iter().rposition(|local| local == name) {
            return Ok(Node::Local(place));
        }
        let given = match name {
            "resource" => Given::Resource,
            "previous" => Given::Previous,
            "id" => Given::Id,
            "parents" => Given::Parents,
            "request" => {
                return Err("looks at \"request\" as a whole: it has \"method\"".to_owned());
            }
            "subject" => return Err(SUBJECT_WHOLE.to_owned()),
            _ => {
                let known = "request.method, subject, resource, previous, id, parents";
                return Err(format!(
                    "names {name:?}, which isn't there; there are: {known}"
                ));
            }
        };
        self.sees.whole(given);
        Ok(Node::Given(given))
    }

    /// Whether this is a variable that is given, and not hidden by one of a loop.
    fn is_given(&self, of: &IdedExpr, name: &str) -> bool {
        matches!(&of.expr, Expr::Ident(ident) if ident == name)
            && !self.locals.iter().any(|local| local == name)
    }

    /// Whether this is `subject.claims`.
    fn is_claims(&self, of: &IdedExpr) -> bool {
        match &of.expr {
            Expr::Select(select) => {
                !select.test
                    && select.field == "claims"
                    && self.is_given(&select.operand, "subject")
            }
            _ => false,
        }
    }

    fn select(
        &mut self,
        SelectExpr {
            operand,
            field,
            test,
        }: &SelectExpr,
    ) -> Resolved {
        if self.is_claims(operand) {
            return Ok(self.claim(field, *test));
        }
        if self.is_given(operand, "subject") {
            return self.fact(field, *test);
        }
        if self.is_given(operand, "request") && field == "method" && !test {
            self.sees.method = true;
            return Ok(Node::Given(Given::Method));
        }
        let given = [("resource", Given::Resource), ("previous", Given::Previous)];
        let given = given.iter().find(|(name, _)| self.is_given(operand, name));
        let inner = match given {
            Some((_, given)) => {
                self.sees.member(*given, field);
                Box::new(Node::Given(*given))
            }
            None => self.boxed(operand)?,
        };
        let name = field.as_str().into();
        Ok(if *test {
            Node::HasMember(inner, name)
        } else {
            Node::Member(inner, name)
        })
    }

    fn fact(&mut self, field: &str, test: bool) -> Resolved {
        let fact = match field {
            "id" => Fact::Id,
            "issuer" => Fact::Issuer,
            "credential" => Fact::Credential,
            "admin" => Fact::Admin,
            "claims" => return Err(CLAIMS_WHOLE.to_owned()),
            _ => {
                let known = "id, issuer, claims, credential, admin";
                return Err(format!("names subject.{field}; a subject has: {known}"));
            }
        };
        if test {
            return Err(format!("asks has(subject.{field}): say subject != null"));
        }
        self.sees.facts.insert(fact.clone());
        Ok(Node::Fact(fact))
    }

    fn claim(&mut self, name: &str, test: bool) -> Node {
        self.sees.facts.insert(Fact::Claim(name.into()));
        if test {
            Node::HasClaim(name.into())
        } else {
            Node::Fact(Fact::Claim(name.into()))
        }
    }

    fn call(
        &mut self,
        CallExpr {
            func_name,
            target,
            args,
        }: &CallExpr,
    ) -> Resolved {
        match (func_name.as_str(), target, args.as_slice()) {
            (operators::EQUALS, None, [left, right]) => {
                self.compared(Comparison::Equal, left, right)
            }
            (operators::NOT_EQUALS, None, [left, right]) => {
                self.compared(Comparison::Unequal, left, right)
            }
            (operators::LESS, None, [left, right]) => self.compared(Comparison::Less, left, right),
            (operators::LESS_EQUALS, None, [left, right]) => {
                self.compared(Comparison::LessOrEqual, left, right)
            }
            (operators::GREATER, None, [left, right]) => {
                self.compared(Comparison::Greater, left, right)
            }
            (operators::GREATER_EQUALS, None, [left, right]) => {
                self.compared(Comparison::GreaterOrEqual, left, right)
            }
            (operators::LOGICAL_AND, None, [left, right]) => {
                Ok(Node::And(self.boxed(left)?, self.boxed(right)?))
            }
            (operators::LOGICAL_OR, None, [left, right]) => {
                Ok(Node::Or(self.boxed(left)?, self.boxed(right)?))
            }
            (operators::LOGICAL_NOT, None, [one]) => Ok(Node::Not(self.boxed(one)?)),
            (operators::NEGATE, None, [one]) => Ok(Node::Minus(self.boxed(one)?)),
            (operators::NOT_STRICTLY_FALSE, None, [one]) => Ok(Node::NotFalse(self.boxed(one)?)),
            (operators::CONDITIONAL, None, [when, then, other]) => {
                let parts = [self.node(when)?, self.node(then)?, self.node(other)?];
                Ok(Node::If(Box::new(parts)))
            }
            (operators::INDEX, None, [of, at]) => self.at(of, at),
            (operators::IN, None, [one, of]) => self.within(one, of),
            ("size", None, [of]) => Ok(Node::Size(self.boxed(of)?)),
            ("size", Some(of), []) => Ok(Node::Size(self.boxed(of)?)),
            (name, target, args) => self.function(name, target.as_deref(), args),
        }
    }

    fn function(&mut self, name: &str, target: Option<&IdedExpr>, args: &[IdedExpr]) -> Resolved {
        let calculation = match name {
            operators::ADD => Some(Operation::Add),
            operators::SUBSTRACT => Some(Operation::Subtract),
            operators::MULTIPLY => Some(Operation::Multiply),
            operators::DIVIDE => Some(Operation::Divide),
            operators::MODULO => Some(Operation::Remainder),
            _ => None,
        };
        if let (Some(operation), None, [left, right]) = (calculation, target, args) {
            return Ok(Node::Calculate(
                operation,
                self.boxed(left)?,
                self.boxed(right)?,
            ));
        }
        match (name, target, args) {
            ("startsWith", Some(of), [by]) => self.texts(TextTest::StartsWith, of, by),
            ("endsWith", Some(of), [by]) => self.texts(TextTest::EndsWith, of, by),
            ("contains", Some(of), [by]) => self.texts(TextTest::Contains, of, by),
            ("matches", Some(of), [by]) | ("matches", None, [of, by]) => {
                let Expr::Literal(LiteralValue::String(pattern)) = &by.expr else {
                    return Err("matches a pattern that isn't written out in the rule".to_owned());
                };
                let pattern = RegexBuilder::new(pattern.inner())
                    .size_limit(PATTERN_BYTES_MAX)
                    .build()
                    .map_err(|error| format!("has a pattern that can't be used: {error}"))?;
                Ok(Node::Matches(self.boxed(of)?, pattern))
            }
            _ => Err(format!(
                "calls {name}, which isn't there, or not like that; there are: size, startsWith, endsWith, contains, matches, has, in, exists, exists_one, all, filter, map"
            )),
        }
    }

    fn texts(&mut self, test: TextTest, of: &IdedExpr, by: &IdedExpr) -> Resolved {
        Ok(Node::Texts(test, self.boxed(of)?, self.boxed(by)?))
    }

    /// `subject` as a whole is only ever nobody, or somebody.
    fn compared(&mut self, comparison: Comparison, left: &IdedExpr, right: &IdedExpr) -> Resolved {
        let is_null = |of: &IdedExpr| matches!(of.expr, Expr::Literal(LiteralValue::Null));
        let is_nobody = (self.is_given(left, "subject") && is_null(right))
            || (self.is_given(right, "subject") && is_null(left));
        match comparison {
            Comparison::Equal if is_nobody => {
                self.sees.nobody = true;
                Ok(Node::IsNobody)
            }
            Comparison::Unequal if is_nobody => {
                self.sees.nobody = true;
                Ok(Node::Not(Box::new(Node::IsNobody)))
            }
            _ => Ok(Node::Compare(
                comparison,
                self.boxed(left)?,
                self.boxed(right)?,
            )),
        }
    }

    fn at(&mut self, of: &IdedExpr, at: &IdedExpr) -> Resolved {
        let name = match &at.expr {
            Expr::Literal(LiteralValue::String(name)) => Some(name.inner().to_owned()),
            _ => None,
        };
        match name {
            Some(name) if self.is_claims(of) => Ok(self.claim(&name, false)),
            Some(name) => {
                let select = SelectExpr {
                    operand: Box::new(of.clone()),
                    field: name,
                    test: false,
                };
                self.select(&select)
            }
            None => Ok(Node::At(self.boxed(of)?, self.boxed(at)?)),
        }
    }

    fn within(&mut self, one: &IdedExpr, of: &IdedExpr) -> Resolved {
        if self.is_claims(of) {
            let Expr::Literal(LiteralValue::String(name)) = &one.expr else {
                return Err(CLAIMS_WHOLE.to_owned());
            };
            return Ok(self.claim(name.inner(), true));
        }
        Ok(Node::In(self.boxed(one)?, self.boxed(of)?))
    }

    fn looped(&mut self, of: &ComprehensionExpr) -> Resolved {
        if of.iter_var2.is_some() {
            return Err("goes through a list by two variables".to_owned());
        }
        let (over, begin) = (self.node(&of.iter_range)?, self.node(&of.accu_init)?);
        self.locals.push(of.accu_var.clone());
        self.locals.push(of.iter_var.clone());
        let (go_on, step) = (self.node(&of.loop_cond)?, self.node(&of.loop_step)?);
        self.locals.pop();
        let result = self.node(&of.result)?;
        self.locals.pop();
        Ok(Node::Loop(Box::new(Loop {
            over,
            begin,
            go_on,
            step,
            result,
        })))
    }
}

const SUBJECT_WHOLE: &str = "looks at \"subject\" as a whole: it has \"id\", \"issuer\", \"claims\", \"credential\" and \"admin\", and can be compared with null";
const CLAIMS_WHOLE: &str = "looks at \"subject.claims\" as a whole: say which, such as subject.claims.role or subject.claims['role']";

fn literal_node(literal: &LiteralValue) -> Resolved {
    Ok(match literal {
        LiteralValue::Null => Node::Null,
        LiteralValue::Boolean(truth) => Node::Bool(*truth.inner()),
        LiteralValue::Int(number) => Node::Int(*number.inner()),
        LiteralValue::UInt(number) => Node::UInt(*number.inner()),
        LiteralValue::Double(number) => Node::Float(*number.inner()),
        LiteralValue::String(text) => Node::Text(text.inner().into()),
        LiteralValue::Bytes(_) => return Err("has bytes, which JSON has not".to_owned()),
    })
}
