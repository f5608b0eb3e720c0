//! The closed form of what holders add to a grant: checks that compare the request with what they name, and nothing that computes.
//!
//! Looked at as Biscuit's own format has it, before anything of it is verified or evaluated: so a grant costs at most a few
//! signatures, and comparisons over a handful of facts. The time has ends only, never beginnings: a grant that is no good in an
//! hour's time is no good after that.

use biscuit_auth::format::schema::{
    self, Op, op, op_binary::Kind, public_key::Algorithm, term::Content,
};
use prost::Message as _;

use super::NARROWINGS_MAX;
use crate::identity::fault::TokenFault;

/// Checks of one block, queries of one check, facts that a query asks for, and expressions of it.
const PARTS_MAX: usize = 8;

/// Whether it is a Biscuit whose every block after the first is of the closed form, with no more of them than may be.
pub(super) fn check(grant: &[u8]) -> Result<(), TokenFault> {
    let grant = schema::Biscuit::decode(grant).map_err(|_other| TokenFault::NoGrant)?;
    if grant.blocks.len() > NARROWINGS_MAX {
        return Err(TokenFault::NarrowedTooOften);
    }
    if is_own(&grant.authority) && grant.blocks.iter().all(is_narrowing) {
        Ok(())
    } else {
        Err(TokenFault::NotClosed)
    }
}

fn is_narrowing(signed: &schema::SignedBlock) -> bool {
    let block = schema::Block::decode(&*signed.block);
    is_own(signed) && block.is_ok_and(|block| is_plain(&block))
}

/// By whoever holds the grant, not by a third party, and with the one kind of keys that is made here.
fn is_own(signed: &schema::SignedBlock) -> bool {
    let is_ed25519 = signed.next_key.algorithm == Algorithm::Ed25519 as i32;
    signed.external_signature.is_none() && is_ed25519
}

fn is_plain(block: &schema::Block) -> bool {
    let has_no_data = block.facts.is_empty() && block.rules.is_empty();
    let has_own_scope = block.scope.is_empty() && block.public_keys.is_empty();
    has_no_data
        && has_own_scope
        && block.checks.len() <= PARTS_MAX
        && block.checks.iter().all(is_plain_check)
}

fn is_plain_check(check: &schema::Check) -> bool {
    let is_one = matches!(check.kind, None | Some(0));
    is_one && check.queries.len() <= PARTS_MAX && check.queries.iter().all(is_plain_query)
}

fn is_plain_query(query: &schema::Rule) -> bool {
    // A head is nobody's to read here; one with variables that nothing binds has the library print to stdout.
    let has_plain_head = query.head.terms.is_empty();
    let mut terms = query.body.iter().flat_map(|predicate| &predicate.terms);
    has_plain_head
        && query.scope.is_empty()
        && query.body.len() <= PARTS_MAX
        && query.expressions.len() <= PARTS_MAX
        && terms.all(names_or_is_text)
        && query
            .expressions
            .iter()
            .all(|expression| compares(&expression.ops))
}

fn names_or_is_text(term: &schema::Term) -> bool {
    matches!(
        term.content,
        Some(Content::Variable(_) | Content::String(_))
    )
}

/// `$time < …`, `$path == "…"`, `$path.starts_with("…")`, and nothing else.
fn compares(steps: &[Op]) -> bool {
    let [left, right, how] = steps else {
        return false;
    };
    let (Some(Content::Variable(_)), Some(right), Some(op::Content::Binary(how))) =
        (value(left), value(right), &how.content)
    else {
        return false;
    };
    let known: &[Kind] = match right {
        Content::Date(_) => &[Kind::LessThan, Kind::LessOrEqual],
        Content::String(_) => &[Kind::Equal, Kind::HeterogeneousEqual, Kind::Prefix],
        _ => &[],
    };
    known.iter().any(|kind| *kind as i32 == how.kind)
}

fn value(step: &Op) -> Option<&Content> {
    match &step.content {
        Some(op::Content::Value(term)) => term.content.as_ref(),
        _ => None,
    }
}
