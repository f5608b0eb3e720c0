//! The closed form of what holders add to a grant: checks that compare, and nothing that computes.
//!
//! Looked at as Biscuit's own format has it, before anything of it is verified or evaluated: so a grant costs at most a few
//! signatures, and comparisons over a handful of facts.

use biscuit_auth::format::schema::{
    self, op, op_binary::Kind, public_key::Algorithm, term::Content,
};
use prost::Message as _;

use super::NARROWINGS_MAX;

/// Checks of one block, queries of one check, facts that a query asks for, steps of its expressions.
const PARTS_MAX: usize = 8;
const STEPS_MAX: usize = 16;

/// Whether it is a Biscuit whose every block after the first is of the closed form, with no more of them than may be.
/// `None`: it is no Biscuit.
pub(super) fn is_closed(grant: &[u8]) -> Option<bool> {
    let grant = schema::Biscuit::decode(grant).ok()?;
    let is_few = grant.blocks.len() <= NARROWINGS_MAX;
    Some(is_few && is_own(&grant.authority) && grant.blocks.iter().all(is_narrowing))
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
    let steps = query
        .expressions
        .iter()
        .flat_map(|expression| &expression.ops);
    let is_short = query.body.len() <= PARTS_MAX && steps.clone().count() <= STEPS_MAX;
    // A head is nobody's to read here; one with variables that nothing binds has the library print to stdout.
    let has_plain_head = query.head.terms.is_empty();
    let mut terms = query.body.iter().flat_map(|predicate| &predicate.terms);
    has_plain_head
        && is_short
        && query.scope.is_empty()
        && terms.all(is_single)
        && steps.clone().all(compares)
}

/// One value, or a variable: no set, array or map.
fn is_single(term: &schema::Term) -> bool {
    matches!(
        term.content,
        Some(
            Content::Variable(_)
                | Content::Integer(_)
                | Content::String(_)
                | Content::Date(_)
                | Content::Bytes(_)
                | Content::Bool(_)
        )
    )
}

fn compares(step: &schema::Op) -> bool {
    match &step.content {
        Some(op::Content::Value(term)) => is_single(term),
        Some(op::Content::Binary(binary)) => [
            Kind::LessThan,
            Kind::GreaterThan,
            Kind::LessOrEqual,
            Kind::GreaterOrEqual,
            Kind::Equal,
            Kind::HeterogeneousEqual,
            Kind::Prefix,
            Kind::And,
            Kind::Or,
        ]
        .iter()
        .any(|kind| *kind as i32 == binary.kind),
        _ => false,
    }
}
