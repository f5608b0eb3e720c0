//! `Cache-Control` (RFC 9111 §5.2, RFC 5861, RFC 8246): how long an answer may be kept, by whom.
//!
//! Only the field. Whether a stored answer is fresh is for caches to decide.

use std::fmt;

use http::header::{CACHE_CONTROL, HeaderMap, HeaderValue};

use crate::field::grammar::Cursor;

/// A year in seconds: what "for ever" is in a `max-age`.
pub const YEAR_SECONDS: u32 = 31_536_000;

/// Whose caches may keep an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Visibility {
    /// Everybody's.
    Public,
    /// The one client's own only.
    Private,
}

/// The directives of an answer. The default says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct CacheControl {
    /// `public` or `private`.
    pub visibility: Option<Visibility>,
    /// `no-store`: kept nowhere.
    pub no_store: bool,
    /// `no-cache`: kept, but asked for again before each use.
    pub no_cache: bool,
    /// `no-transform`: no cache may change the bytes.
    pub no_transform: bool,
    /// `must-revalidate`: never used stale.
    pub must_revalidate: bool,
    /// `max-age`, in seconds.
    pub max_age: Option<u32>,
    /// `s-maxage`, in seconds: for shared caches.
    pub shared_max_age: Option<u32>,
    /// `stale-while-revalidate`, in seconds (RFC 5861 §3).
    pub stale_while_revalidate: Option<u32>,
    /// `stale-if-error`, in seconds (RFC 5861 §4).
    pub stale_if_error: Option<u32>,
    /// `immutable`: never asked for again while fresh (RFC 8246).
    pub immutable: bool,
}

impl CacheControl {
    /// `no-store`.
    #[must_use]
    pub fn no_store() -> Self {
        Self {
            no_store: true,
            ..Self::default()
        }
    }

    /// `no-cache`, kept by whom `visibility` says.
    #[must_use]
    pub fn no_cache(visibility: Visibility) -> Self {
        Self {
            visibility: Some(visibility),
            no_cache: true,
            ..Self::default()
        }
    }

    /// Fresh for this many seconds.
    #[must_use]
    pub fn fresh(visibility: Visibility, max_age: u32) -> Self {
        Self {
            visibility: Some(visibility),
            max_age: Some(max_age),
            ..Self::default()
        }
    }

    /// Never changes: fresh for a year and `immutable`.
    #[must_use]
    pub fn immutable(visibility: Visibility) -> Self {
        Self {
            immutable: true,
            ..Self::fresh(visibility, YEAR_SECONDS)
        }
    }

    /// The field value; `None` when there is nothing to say.
    #[must_use]
    pub fn to_header_value(&self) -> Option<HeaderValue> {
        let text = self.to_string();
        if text.is_empty() {
            None
        } else {
            HeaderValue::try_from(text).ok()
        }
    }
}

impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let visibility = self.visibility.map(|visibility| match visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
        });
        let flag = |is_set: bool, name: &'static str| is_set.then(|| name.to_owned());
        let seconds = |value: Option<u32>, name: &str| value.map(|value| format!("{name}={value}"));
        let directives = [
            visibility.map(str::to_owned),
            flag(self.no_store, "no-store"),
            flag(self.no_cache, "no-cache"),
            flag(self.no_transform, "no-transform"),
            flag(self.must_revalidate, "must-revalidate"),
            seconds(self.max_age, "max-age"),
            seconds(self.shared_max_age, "s-maxage"),
            seconds(self.stale_while_revalidate, "stale-while-revalidate"),
            seconds(self.stale_if_error, "stale-if-error"),
            flag(self.immutable, "immutable"),
        ];
        let directives: Vec<_> = directives.into_iter().flatten().collect();
        f.write_str(&directives.join(", "))
    }
}

/// What a request says about stored answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct RequestCacheControl {
    /// `no-cache`: a stored answer must be checked.
    pub no_cache: bool,
    /// `no-store`: nothing of this exchange is to be stored.
    pub no_store: bool,
    /// `only-if-cached`: a stored answer or none.
    pub only_if_cached: bool,
    /// `max-age`, in seconds; one that cannot be read counts as 0 (RFC 9111 §4.2.1).
    pub max_age: Option<u32>,
}

impl RequestCacheControl {
    /// Reads the field. Directives that are unknown or malformed are passed over (RFC 9111 §5.2.3),
    /// since they can only ask for less than is given anyway.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut control = Self::default();
        for line in headers.get_all(CACHE_CONTROL) {
            control.read(line.to_str().unwrap_or_default());
        }
        control
    }

    fn read(&mut self, line: &str) {
        let mut cursor = Cursor::new(line);
        cursor.skip_commas();
        while !cursor.is_at_end() {
            let name = cursor.token().unwrap_or_default().to_ascii_lowercase();
            let argument = if cursor.take('=') {
                cursor.word()
            } else {
                None
            };
            match name.as_str() {
                "no-cache" => self.no_cache = true,
                "no-store" => self.no_store = true,
                "only-if-cached" => self.only_if_cached = true,
                "max-age" => self.max_age = Some(delta_seconds(&argument.unwrap_or_default())),
                _ => {}
            }
            cursor.skip_element();
            cursor.skip_commas();
        }
    }
}

/// RFC 9111 §1.2.2: too large a number means "for ever"; none at all, 0.
fn delta_seconds(text: &str) -> u32 {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_digits {
        text.parse().unwrap_or(u32::MAX)
    } else {
        0
    }
}
