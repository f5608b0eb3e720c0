//! One client's cookies (RFC 6265, as far as one origin needs): names, values, and how they look.

use std::collections::BTreeMap;

use crate::http::Fields;

/// Cookies by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Jar(BTreeMap<String, String>);

impl Jar {
    /// Keeps what an answer sets, and drops what it expires.
    pub(crate) fn take(&mut self, fields: &Fields) {
        for cookie in set_by(fields) {
            if cookie.is_expired {
                self.0.remove(&cookie.name);
            } else {
                self.0.insert(cookie.name, cookie.value);
            }
        }
    }

    /// As `Cookie` carries them, but for some; `None` when there are none.
    pub(crate) fn to_field(&self, without: &[String]) -> Option<String> {
        let kept = self.0.iter().filter(|(name, _)| !without.contains(name));
        let pairs: Vec<String> = kept
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// A cookie as an answer sets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) is_expired: bool,
}

/// What an answer sets.
pub(crate) fn set_by(fields: &Fields) -> Vec<Cookie> {
    fields.all("set-cookie").filter_map(parse).collect()
}

fn parse(value: &str) -> Option<Cookie> {
    let mut parts = value.split(';');
    let (name, value) = parts.next()?.split_once('=')?;
    let is_expired = parts.any(|attribute| {
        let attribute = attribute.trim().to_ascii_lowercase();
        attribute == "max-age=0" || attribute.starts_with("expires=thu, 01 jan 1970")
    });
    Some(Cookie {
        name: name.trim().to_owned(),
        value: value.trim().to_owned(),
        is_expired,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jar_keeps_replaces_and_drops() {
        let mut jar = Jar::default();
        jar.take(
            &Fields::default()
                .with("Set-Cookie", "a=1; Path=/")
                .with("set-cookie", "b=2"),
        );
        assert_eq!(jar.to_field(&[]).as_deref(), Some("a=1; b=2"));
        jar.take(&Fields::default().with("set-cookie", "a=; Max-Age=0"));
        assert_eq!(jar.to_field(&[]).as_deref(), Some("b=2"));
        assert_eq!(jar.to_field(&["b".to_owned()]), None);
    }
}
