//! Narrows grants, without any key: a block of checks, added by whoever holds one.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use biscuit_auth::{
    AuthorizerBuilder, BlockBuilder, UnverifiedBiscuit,
    builder::{Binary, Check, CheckKind, Expression, Op, Predicate, Rule, Term, pred, string, var},
    error::Token,
};

use super::{
    GRANT_BYTES_MAX, GrantError, NARROWINGS_MAX, making::known_method, target::Target, terms::Terms,
};

/// How a holder narrows a grant; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// The method that is meant: a grant has one, so it is this one or none at all.
    pub method: Option<String>,
    /// Only this URL: path and query to the letter.
    pub url: Option<String>,
    /// Whether everything below that URL is left too.
    pub below: bool,
    /// Until then at the latest: seconds since 1970, exclusive.
    pub expires_s: Option<u64>,
}

/// The same grant, good for less: made without any key, by whoever holds it. It is not checked whether the grant itself is good.
///
/// # Errors
/// [`GrantError::Malformed`] where the text is no grant, [`GrantError::Wider`] where it would be good for nothing,
/// [`GrantError::Nothing`] where neither URL nor end is given, [`GrantError::TooNarrow`] and [`GrantError::TooLong`] where no service would take it;
/// [`GrantError::Method`] and [`GrantError::Url`] as for a new one.
pub fn narrowed(text: &str, narrowing: &Narrowing) -> Result<String, GrantError> {
    let bytes = URL_SAFE_NO_PAD.decode(text);
    let bytes = bytes.map_err(GrantError::malformed)?;
    let grant = UnverifiedBiscuit::from(&bytes).map_err(GrantError::malformed)?;
    if grant.block_count() > NARROWINGS_MAX {
        return Err(GrantError::TooNarrow);
    }
    let method = narrowing.method.as_deref().map(known_method).transpose()?;
    let url = narrowing.url.as_deref();
    let target = url.map(|url| Target::parse(url, narrowing.below));
    let target = target.transpose()?;
    refuse_wider(&grant, method.as_deref(), target.as_ref())?;
    let checks = checks(target.as_ref(), narrowing.expires_s);
    if checks.is_empty() || narrowing.below && target.is_none() {
        return Err(GrantError::Nothing);
    }
    let narrowed = appended(&grant, checks).map_err(GrantError::malformed)?;
    let text = URL_SAFE_NO_PAD.encode(narrowed);
    if text.len() > GRANT_BYTES_MAX {
        return Err(GrantError::TooLong { bytes: text.len() });
    }
    Ok(text)
}

fn appended(grant: &UnverifiedBiscuit, checks: Vec<Check>) -> Result<Vec<u8>, Token> {
    let mut block = BlockBuilder::new();
    for check in checks {
        block = block.check(check)?;
    }
    grant.append(block)?.to_vec()
}

/// To spare who narrows a grant that is good for nothing. Earlier narrowings aren't looked at.
fn refuse_wider(
    grant: &UnverifiedBiscuit,
    method: Option<&str>,
    target: Option<&Target>,
) -> Result<(), GrantError> {
    let terms = terms_of(grant);
    let terms = terms.ok_or_else(|| GrantError::malformed("it says not what it is for"))?;
    let has_method = method.is_none_or(|method| method == terms.method);
    if has_method && target.is_none_or(|target| terms.target.holds(target)) {
        return Ok(());
    }
    let granted = terms.to_string();
    Err(GrantError::Wider { granted })
}

/// What it says that it is for, believed for the holder's own sake.
fn terms_of(grant: &UnverifiedBiscuit) -> Option<Terms> {
    let source = grant.print_block_source(0).ok()?;
    let line = source.lines().find(|line| line.starts_with("grant("))?;
    let facts = AuthorizerBuilder::new().code(line).ok()?;
    Terms::of(&mut facts.build_unauthenticated().ok()?)
}

fn checks(target: Option<&Target>, expires_s: Option<u64>) -> Vec<Check> {
    let path = target.map(of_target);
    let time = expires_s.map(|expires_s| any_of(vec![before(expires_s)]));
    path.into_iter().chain(time).collect()
}

/// `check if path("/v1/a"), query("")`, or `check if path("/v1/a") or path($path), $path.starts_with("/v1/a/")`
fn of_target(target: &Target) -> Check {
    let path = is("path", &target.path);
    if !target.below {
        return any_of(vec![query(vec![path, is("query", &target.query)])]);
    }
    let starts = Expression {
        ops: vec![
            Op::Value(var("path")),
            Op::Value(string(&format!("{}/", target.path))),
            Op::Binary(Binary::Prefix),
        ],
    };
    let some_path = pred("path", &[var("path")]);
    let below = Rule::new(head(), vec![some_path], vec![starts], vec![]);
    any_of(vec![query(vec![path]), below])
}

/// `time($time), $time < …`
fn before(expires_s: u64) -> Rule {
    let is_before = Expression {
        ops: vec![
            Op::Value(var("time")),
            Op::Value(Term::Date(expires_s)),
            Op::Binary(Binary::LessThan),
        ],
    };
    let time = pred("time", &[var("time")]);
    Rule::new(head(), vec![time], vec![is_before], vec![])
}

fn is(name: &str, value: &str) -> Predicate {
    pred(name, &[string(value)])
}

fn query(body: Vec<Predicate>) -> Rule {
    Rule::new(head(), body, vec![], vec![])
}

fn head() -> Predicate {
    pred::<Term>("query", &[])
}

fn any_of(queries: Vec<Rule>) -> Check {
    Check {
        queries,
        kind: CheckKind::One,
    }
}
