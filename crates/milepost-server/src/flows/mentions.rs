//! What an expression of a flow's definition speaks of: which answers, which of the things shown, and what isn't there.
//!
//! Only names are looked at. Whether values are of the types that an expression wants shows when it is evaluated.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};

/// What every expression sees.
const KNOWN: [&str; 5] = ["answers", "flow", "subject", "base", "shown"];
/// Names of types, which may stand where values do.
const TYPES: [&str; 9] = [
    "bool",
    "bytes",
    "double",
    "int",
    "list",
    "map",
    "null_type",
    "string",
    "uint",
];
/// What can be called by a name.
const FUNCTIONS: [&str; 13] = [
    "bool",
    "bytes",
    "contains",
    "double",
    "dyn",
    "endsWith",
    "int",
    "matches",
    "size",
    "startsWith",
    "string",
    "type",
    "uint",
];

/// What an expression speaks of.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mentions {
    /// Answers: the step, and what of it where that is said.
    pub(super) answers: BTreeSet<(String, Option<String>)>,
    /// Names of things shown.
    pub(super) shown: BTreeSet<String>,
    /// What no expression sees or can call.
    pub(super) unknown: BTreeSet<String>,
    locals: Vec<String>,
}

impl Mentions {
    /// What a parsed expression speaks of.
    pub(super) fn of(expression: &Expr) -> Self {
        let mut mentions = Self::default();
        mentions.see(expression);
        mentions
    }

    fn see(&mut self, expression: &Expr) {
        if let Some((root, path)) = path(expression)
            && !self.locals.iter().any(|local| local == root)
        {
            match (root, path.as_slice()) {
                ("answers", [step, rest @ ..]) => {
                    let answer = rest.first().map(|name| (*name).to_owned());
                    self.answers.insert(((*step).to_owned(), answer));
                    return;
                }
                ("shown", [name, ..]) => {
                    self.shown.insert((*name).to_owned());
                    return;
                }
                _ => {}
            }
        }
        self.parts(expression);
    }

    fn parts(&mut self, expression: &Expr) {
        match expression {
            Expr::Ident(name) => self.named(name),
            Expr::Select(select) => self.see(&select.operand.expr),
            Expr::Call(call) => self.called(call),
            Expr::List(list) => list.elements.iter().for_each(|one| self.see(&one.expr)),
            Expr::Map(map) => self.entries(map.entries.iter().map(|entry| &entry.expr)),
            Expr::Struct(of) => {
                self.unknown.insert(of.type_name.clone());
                self.entries(of.entries.iter().map(|entry| &entry.expr));
            }
            Expr::Comprehension(of) => self.each(of),
            Expr::Literal(_) | Expr::Unspecified => {}
        }
    }

    fn named(&mut self, name: &str) {
        let is_local = self.locals.iter().any(|local| local == name);
        if !is_local && !KNOWN.contains(&name) && !TYPES.contains(&name) {
            self.unknown.insert(name.to_owned());
        }
    }

    fn called(&mut self, call: &CallExpr) {
        let is_operator = !call
            .func_name
            .starts_with(|first: char| first.is_ascii_alphabetic());
        if !is_operator && !FUNCTIONS.contains(&call.func_name.as_str()) {
            self.unknown.insert(format!("{}()", call.func_name));
        }
        let target = call.target.iter().map(|target| &target.expr);
        target
            .chain(call.args.iter().map(|argument| &argument.expr))
            .for_each(|part| self.see(part));
    }

    fn entries<'e>(&mut self, entries: impl Iterator<Item = &'e EntryExpr>) {
        for entry in entries {
            match entry {
                EntryExpr::StructField(field) => self.see(&field.value.expr),
                EntryExpr::MapEntry(entry) => {
                    self.see(&entry.key.expr);
                    self.see(&entry.value.expr);
                }
            }
        }
    }

    /// What goes through a list has names of its own.
    fn each(&mut self, of: &ComprehensionExpr) {
        self.see(&of.iter_range.expr);
        self.see(&of.accu_init.expr);
        let outer = self.locals.len();
        self.locals.push(of.iter_var.clone());
        self.locals.extend(of.iter_var2.clone());
        self.locals.push(of.accu_var.clone());
        for part in [&of.loop_cond, &of.loop_step, &of.result] {
            self.see(&part.expr);
        }
        self.locals.truncate(outer);
    }
}

/// A name and the names below it, as in `a.b["c"]`; `None` where anything else is among them.
fn path(expression: &Expr) -> Option<(&str, Vec<&str>)> {
    match expression {
        Expr::Ident(name) => Some((name, Vec::new())),
        Expr::Select(select) => {
            let (root, mut path) = path(&select.operand.expr)?;
            path.push(&select.field);
            Some((root, path))
        }
        Expr::Call(call) if call.func_name == operators::INDEX => {
            let [of, index] = call.args.as_slice() else {
                return None;
            };
            let Expr::Literal(LiteralValue::String(name)) = &index.expr else {
                return None;
            };
            let (root, mut path) = path(&of.expr)?;
            path.push(name.inner());
            Some((root, path))
        }
        _ => None,
    }
}
