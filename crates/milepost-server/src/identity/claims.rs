//! Whether a token's claims hold: RFC 7519 §4.1, RFC 8725 §3, RFC 9068 §4, RFC 9700.
//!
//! Looked at only once the signature is known to be the issuer's. The time is the server's one clock, give or take a bounded
//! skew.

use serde_json::{Map, Value};

use super::fault::TokenFault;

/// The most that clocks may differ, in seconds.
pub const CLOCK_SKEW_S_MAX: u64 = 300;
/// The last second that a double tells from the next.
const LAST_EXACT_SECOND: f64 = 9_007_199_254_740_992.0;

/// Up to how many claims comparing names costs less than finding one by a hash.
const FEW: usize = 24;

/// One of a few claims, by its name.
pub(super) fn claim<'c>(claims: &'c Map<String, Value>, name: &str) -> Option<&'c Value> {
    if claims.len() > FEW {
        return claims.get(name);
    }
    let mut named = claims.iter().filter(|(told, _)| *told == name);
    named.next().map(|(_, value)| value)
}

/// What claims are held against.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) audiences: &'e [String],
    /// Seconds since 1970.
    pub(super) now_s: u64,
    pub(super) skew_s: u64,
}

/// Checks all claims that are about the token itself.
pub(super) fn check(
    claims: &Map<String, Value>,
    expected: &Expected<'_>,
) -> Result<(), TokenFault> {
    let text = |name: &str| claim(claims, name).and_then(Value::as_str);
    if text("iss") != Some(expected.issuer) {
        return Err(TokenFault::Issuer);
    }
    check_audience(claim(claims, "aud"), expected.audiences)?;
    check_times(claims, expected)?;
    match text("sub") {
        Some(sub) if !sub.is_empty() => Ok(()),
        _ => Err(TokenFault::Claim("sub")),
    }
}

/// RFC 7519 §4.1.3: one name, or a list of them.
fn check_audience(told: Option<&Value>, audiences: &[String]) -> Result<(), TokenFault> {
    let is_meant = |name: &Value| {
        let name = name.as_str();
        name.is_some_and(|name| audiences.iter().any(|own| own == name))
    };
    let is_for_us = match told {
        Some(Value::Array(names)) => names.iter().any(is_meant),
        Some(name) => is_meant(name),
        None => false,
    };
    if is_for_us {
        Ok(())
    } else {
        Err(TokenFault::Audience)
    }
}

fn check_times(claims: &Map<String, Value>, expected: &Expected<'_>) -> Result<(), TokenFault> {
    let Expected { now_s, skew_s, .. } = *expected;
    let expires = seconds(claims, "exp")?.ok_or(TokenFault::Claim("exp"))?;
    if now_s >= expires.saturating_add(skew_s) {
        return Err(TokenFault::Expired);
    }
    for name in ["nbf", "iat"] {
        let begins = seconds(claims, name)?;
        if begins.is_some_and(|begins| begins > now_s.saturating_add(skew_s)) {
            return Err(TokenFault::Early);
        }
    }
    Ok(())
}

/// A NumericDate (RFC 7519 §2): seconds, perhaps with a fraction, which is cut off.
fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<u64>, TokenFault> {
    let Some(value) = claim(claims, name) else {
        return Ok(None);
    };
    let whole = value.as_u64();
    let seconds = whole.or_else(|| value.as_f64().and_then(whole_seconds));
    seconds.map(Some).ok_or(TokenFault::Claim(name))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the range was looked at"
)]
fn whole_seconds(seconds: f64) -> Option<u64> {
    (0.0..LAST_EXACT_SECOND)
        .contains(&seconds)
        .then_some(seconds as u64)
}

/// A demand on one claim: that it is, has or contains a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimTest {
    claim: String,
    value: String,
}

/// A demand on a claim that can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is no demand on a claim: write CLAIM=VALUE, such as role=admin, or /realm_access/roles=admin"
)]
pub struct MalformedClaimTest {
    /// What was given.
    pub text: String,
}

impl std::str::FromStr for ClaimTest {
    type Err = MalformedClaimTest;

    /// `CLAIM=VALUE`: the claim by its name, or by a JSON pointer where it lies deeper.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedClaimTest {
            text: text.to_owned(),
        };
        let (claim, value) = text.split_once('=').ok_or_else(malformed)?;
        if claim.is_empty() || value.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            claim: claim.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl ClaimTest {
    /// Whether the claim is the value, is a list that has it, or is a `scope` in which it stands (RFC 8693 §4.2).
    #[must_use]
    pub fn holds(&self, claims: &Map<String, Value>) -> bool {
        let is_value = |told: &Value| match told {
            Value::String(text) => *text == self.value,
            Value::Bool(truth) => self.value == if *truth { "true" } else { "false" },
            Value::Number(number) => number.as_str() == self.value,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        };
        match self.told(claims) {
            Some(Value::Array(list)) => list.iter().any(is_value),
            Some(Value::String(scope)) if self.claim == "scope" => {
                scope.split(' ').any(|one| one == self.value)
            }
            Some(told) => is_value(told),
            None => false,
        }
    }

    fn told<'c>(&self, claims: &'c Map<String, Value>) -> Option<&'c Value> {
        let Some(pointer) = self.claim.strip_prefix('/') else {
            return claims.get(&self.claim);
        };
        let (first, rest) = match pointer.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (pointer, None),
        };
        // RFC 6901 §4, in this order.
        let top = claims.get(&first.replace("~1", "/").replace("~0", "~"))?;
        rest.map_or(Some(top), |rest| top.pointer(&format!("/{rest}")))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const SKEW_S: u64 = 30;
    const NOW_S: u64 = 1_000_000;

    fn checked(change: &[(&str, Value)]) -> Result<(), TokenFault> {
        let mut claims = json!({ "iss": "i", "aud": "a", "sub": "s", "exp": NOW_S + 1 });
        let claims = claims.as_object_mut().unwrap();
        for (name, value) in change {
            claims.insert((*name).to_owned(), value.clone());
        }
        claims.retain(|_, value| !value.is_null());
        let expected = Expected {
            issuer: "i",
            audiences: &["a".to_owned(), "b".to_owned()],
            now_s: NOW_S,
            skew_s: SKEW_S,
        };
        check(claims, &expected)
    }

    #[test]
    fn an_audience_is_one_name_or_a_list_that_has_ours() {
        for good in [json!("a"), json!("b"), json!(["x", "b"])] {
            assert_eq!(checked(&[("aud", good.clone())]), Ok(()), "{good}");
        }
        for bad in [
            json!("A"),
            json!("ab"),
            json!([]),
            json!(["x"]),
            json!(1),
            Value::Null,
        ] {
            let told = checked(&[("aud", bad.clone())]);
            assert_eq!(told, Err(TokenFault::Audience), "{bad}");
        }
    }

    #[test]
    fn times_hold_within_the_skew_and_not_a_second_beyond_it_on_both_sides() {
        let expired = Err(TokenFault::Expired);
        let early = Err(TokenFault::Early);
        assert_eq!(checked(&[("exp", json!(NOW_S - SKEW_S + 1))]), Ok(()));
        assert_eq!(checked(&[("exp", json!(NOW_S - SKEW_S))]), expired);
        assert_eq!(checked(&[("exp", json!(0))]), expired);
        for name in ["nbf", "iat"] {
            assert_eq!(checked(&[(name, json!(NOW_S + SKEW_S))]), Ok(()));
            assert_eq!(checked(&[(name, json!(NOW_S + SKEW_S + 1))]), early);
        }
    }

    #[test]
    fn a_token_without_an_end_or_a_subject_is_no_token() {
        assert_eq!(
            checked(&[("exp", Value::Null)]),
            Err(TokenFault::Claim("exp"))
        );
        for bad in [json!("1"), json!(-1), json!(1e300), json!([])] {
            assert_eq!(checked(&[("exp", bad)]), Err(TokenFault::Claim("exp")));
        }
        assert_eq!(checked(&[("exp", json!(1_000_000.5))]), Ok(()));
        for bad in [Value::Null, json!(""), json!(7)] {
            assert_eq!(checked(&[("sub", bad)]), Err(TokenFault::Claim("sub")));
        }
        assert_eq!(checked(&[("iss", json!("I"))]), Err(TokenFault::Issuer));
    }

    #[test]
    fn a_demand_holds_for_a_text_a_list_a_scope_and_what_lies_deeper() {
        let claims = json!({ "role": "admin", "roles": ["a", "admin"], "scope": "read admin",
            "realm": { "roles": ["admin"] }, "ok": true, "other": "not admin",
            "https://example.org/~1": { "roles": ["admin"], "a/b": "admin" } });
        let holds = |text: &str| {
            text.parse::<ClaimTest>()
                .unwrap()
                .holds(claims.as_object().unwrap())
        };
        for good in [
            "role=admin",
            "roles=admin",
            "scope=admin",
            "/realm/roles=admin",
            "ok=true",
            "/https:~1~1example.org~1~01/roles=admin",
            "/https:~1~1example.org~1~01/a~1b=admin",
        ] {
            assert!(holds(good), "{good}");
        }
        for bad in [
            "role=adm",
            "other=admin",
            "none=admin",
            "/realm=admin",
            "realm=admin",
        ] {
            assert!(!holds(bad), "{bad}");
        }
        assert!("admin".parse::<ClaimTest>().is_err());
        assert!("=admin".parse::<ClaimTest>().is_err());
    }
}
