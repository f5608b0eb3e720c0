//! Grants: capability links, which let whoever has one do one thing for a while.
//!
//! A grant is a [Biscuit](https://www.biscuitsec.org): signed by a key that is derived from the service's ring, and narrowed
//! further by whoever holds it, without asking anybody. It is for one method on one URL, path and query to the letter, or
//! on a path and all below it; and it speaks for a subject, or for a bearer without a name. Rules are asked as ever, so it never
//! gives more than they give that subject at the time of use; and never the right to write definitions, whatever its claims.
//!
//! A Biscuit carries Datalog. Here it is a closed form: facts that this folder writes, and, in what holders add, checks that
//! compare `path` and `query` with texts, and `time` with an end. Anything else (facts, rules, closures, regular expressions, blocks of third
//! parties) is refused before a signature is looked at, so that no grant costs more than a few signatures.

mod admission;
mod closed;
mod fault;
mod key;
mod making;
mod narrowing;
mod target;
mod terms;

pub(super) use self::{
    admission::{Carried, GrantFault, admitted},
    target::URL_NAME,
};
use super::token::TOKEN_BYTES_MAX;

pub use self::{
    fault::GrantError,
    key::GrantKey,
    making::{Grant, GrantSubject},
    narrowing::{Narrowing, narrowed},
};

/// What a bearer without a name is called: whom a grant without a subject speaks for, and what rules see as its `id` and `issuer`.
/// No issuer is called so, so no token is of this name.
pub const NAMELESS: &str = "urn:milepost:grant";

/// The longest grant as text, in bytes: it has a few hundred, and as many for each time it was narrowed. Longer ones are 401.
const GRANT_BYTES_MAX: usize = TOKEN_BYTES_MAX;
/// How often a grant may be narrowed: each time costs a signature to check. More are 401.
pub(super) const NARROWINGS_MAX: usize = 8;
/// How long a grant in a URL is good at most, in seconds from its use: URLs are kept by browsers and proxies. More are 400.
pub const GRANT_IN_URL_S_MAX: u64 = 3600;
/// How much longer it may be all the same, in seconds: whoever made it for an hour has another clock.
const IN_URL_SLACK_S: u64 = 60;

#[cfg(test)]
mod tests;
