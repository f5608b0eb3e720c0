//! From a definition's JSON to a [`Definition`], with all that is wrong told at once, and back to
//! its normal form.

mod drafts;

use bytes::Bytes;
use milepost_semantics::{JsonPointer, index::ValueType};
use serde_json::{Map, Value};

use super::{
    Bounds, Caching, Definition, INDEXES_MAX, Index, OnParentDelete, PreconditionRule, Retention,
    Rules, Schema, TEXT_POINTERS_MAX, Visibility, duration,
};
use crate::Violation;

const MEMBERS: &[&str] = &[
    "title",
    "description",
    "schema",
    "indexes",
    "text",
    "preconditions",
    "retention",
    "caching",
    "onParentDelete",
    "drafts",
    "rules",
];
const RULES: &[&str] = &["read", "create", "update", "delete", "write", "default"];
/// What holds where rules are declared, but none for what is done.
const FORBIDDEN: &str = "false";
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// What holds where a definition says nothing: a day of history, a quarter of tombstones.
const RETENTION: Retention = Retention {
    history: Bounds {
        count: Some(100_000),
        age_ms: Some(DAY_MS),
        bytes: Some(1 << 30),
    },
    tombstones: Bounds {
        count: Some(1_000_000),
        age_ms: Some(90 * DAY_MS),
        bytes: None,
    },
};
const CACHING: Caching = Caching {
    visibility: Visibility::Public,
    max_age_s: 1,
    stale_while_revalidate_s: 5,
};

/// The query keys that mean something else than an index.
const RESERVED_INDEX_NAMES: &[&str] = &[
    "sort", "select", "q", "after", "pageSize", "total", "before", "wait", "versions", "tick",
];

impl Definition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Everything that is wrong with it, with a pointer to each part.
    pub fn parse(value: &Value) -> Result<Self, Vec<Violation>> {
        let mut reader = Reader::default();
        let definition = reader.definition(value);
        match definition {
            Some(definition) if reader.violations.is_empty() => Ok(definition),
            _ => Err(reader.violations),
        }
    }
}

impl Default for Definition {
    /// What holds where nothing is said.
    fn default() -> Self {
        Self {
            title: None,
            description: None,
            schema: None,
            indexes: Vec::new(),
            text: Vec::new(),
            preconditions: PreconditionRule::Required,
            retention: RETENTION,
            caching: CACHING,
            on_parent_delete: OnParentDelete::Restrict,
            drafts: None,
            rules: None,
            representation: Bytes::new(),
        }
        .with_representation()
    }
}

/// Reads member by member, collecting what is wrong.
#[derive(Default)]
struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn wrong(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        self.violations.push(Violation {
            pointer: pointer.into(),
            detail: detail.into(),
        });
    }

    fn object<'v>(&mut self, at: &str, value: &'v Value) -> Option<&'v Map<String, Value>> {
        let object = value.as_object();
        if object.is_none() {
            self.wrong(at, "must be an object");
        }
        object
    }

    fn known(&mut self, at: &str, object: &Map<String, Value>, names: &[&str]) {
        for name in object.keys().filter(|name| !names.contains(&name.as_str())) {
            self.wrong(
                format!("{at}/{name}"),
                format!("is not known here; known are: {}", names.join(", ")),
            );
        }
    }

    fn definition(&mut self, value: &Value) -> Option<Definition> {
        let object = self.object("", value)?;
        self.known("", object, MEMBERS);
        let schema = object.get("schema").and_then(|schema| self.schema(schema));
        let rules = object.get("rules").and_then(|rules| self.rules(rules));
        // What not everybody may read is for nobody else's cache, unless the definition says otherwise.
        let visibility = match &rules {
            Some(rules) if !rules.is_read_by_all() => Visibility::Private,
            Some(_) | None => CACHING.visibility,
        };
        let indexes = self.indexes(object.get("indexes"), schema.as_ref().map(Schema::source));
        let definition = Definition {
            title: self.text_member(object, "title"),
            description: self.text_member(object, "description"),
            drafts: self.drafts(object.get("drafts"), &indexes),
            indexes,
            schema,
            text: self.text(object.get("text")),
            preconditions: self
                .choice(
                    "/preconditions",
                    object.get("preconditions"),
                    &[
                        ("required", PreconditionRule::Required),
                        ("optional", PreconditionRule::Optional),
                    ],
                )
                .unwrap_or_default(),
            retention: self.retention(object.get("retention")),
            caching: self.caching(object.get("caching"), visibility),
            on_parent_delete: self
                .choice(
                    "/onParentDelete",
                    object.get("onParentDelete"),
                    &[
                        ("restrict", OnParentDelete::Restrict),
                        ("cascade", OnParentDelete::Cascade),
                    ],
                )
                .unwrap_or_default(),
            rules,
            representation: Bytes::new(),
        };
        Some(definition.with_representation())
    }

    fn schema(&mut self, value: &Value) -> Option<Schema> {
        if !value.is_object() && !value.is_boolean() {
            self.wrong(
                "/schema",
                "must be a JSON Schema: an object, or true or false",
            );
            return None;
        }
        Schema::compile(value)
            .map_err(|violation| self.violations.push(violation))
            .ok()
    }

    fn text_member(&mut self, object: &Map<String, Value>, name: &str) -> Option<String> {
        let value = object.get(name)?;
        let text = value.as_str().map(str::to_owned);
        if text.is_none() {
            self.wrong(format!("/{name}"), "must be a string");
        }
        text
    }

    fn choice<T: Copy>(&mut self, at: &str, value: Option<&Value>, of: &[(&str, T)]) -> Option<T> {
        let value = value?;
        let chosen = of
            .iter()
            .find(|(name, _)| value.as_str() == Some(name))
            .map(|(_, chosen)| *chosen);
        if chosen.is_none() {
            let names: Vec<String> = of.iter().map(|(name, _)| format!("{name:?}")).collect();
            self.wrong(at, format!("must be one of {}", names.join(", ")));
        }
        chosen
    }

    fn pointer(&mut self, at: &str, value: &Value) -> Option<JsonPointer> {
        let pointer = value.as_str().and_then(|text| text.parse().ok());
        if pointer.is_none() {
            self.wrong(
                at,
                "must be a JSON pointer (RFC 6901), such as \"/address/city\"",
            );
        }
        pointer
    }

    fn indexes(&mut self, value: Option<&Value>, schema: Option<&Value>) -> Vec<Index> {
        let Some(object) = value.and_then(|value| self.object("/indexes", value)) else {
            return Vec::new();
        };
        if object.len() > INDEXES_MAX {
            self.wrong(
                "/indexes",
                format!("declares more than {INDEXES_MAX} indexes"),
            );
        }
        object
            .iter()
            .filter_map(|(name, pointer)| self.index(name, pointer, schema))
            .collect()
    }

    fn index(&mut self, name: &str, pointer: &Value, schema: Option<&Value>) -> Option<Index> {
        let at = format!("/indexes/{name}");
        if !is_camel_case(name) {
            self.wrong(
                &at,
                "an index's name must be camelCase: [a-z][a-zA-Z0-9]*, at most 64 characters",
            );
        }
        if RESERVED_INDEX_NAMES.contains(&name) {
            self.wrong(
                &at,
                "this name means something else in a query; choose another",
            );
        }
        let pointer = self.pointer(&at, pointer)?;
        let value_type = schema.map_or(ValueType::Any, |schema| value_type(schema, &pointer));
        Some(Index {
            name: name.to_owned(),
            pointer,
            value_type,
        })
    }

    fn text(&mut self, value: Option<&Value>) -> Vec<JsonPointer> {
        let Some(value) = value else {
            return Vec::new();
        };
        let Some(pointers) = value.as_array() else {
            self.wrong("/text", "must be an array of JSON pointers");
            return Vec::new();
        };
        if pointers.len() > TEXT_POINTERS_MAX {
            self.wrong(
                "/text",
                format!("declares more than {TEXT_POINTERS_MAX} pointers"),
            );
        }
        pointers
            .iter()
            .enumerate()
            .filter_map(|(index, pointer)| self.pointer(&format!("/text/{index}"), pointer))
            .collect()
    }

    fn retention(&mut self, value: Option<&Value>) -> Retention {
        let Some(object) = value.and_then(|value| self.object("/retention", value)) else {
            return RETENTION;
        };
        self.known("/retention", object, &["history", "tombstones"]);
        Retention {
            history: self.bounds(
                "/retention/history",
                object.get("history"),
                RETENTION.history,
            ),
            tombstones: self.bounds(
                "/retention/tombstones",
                object.get("tombstones"),
                RETENTION.tombstones,
            ),
        }
    }

    fn bounds(&mut self, at: &str, value: Option<&Value>, default: Bounds) -> Bounds {
        let Some(object) = value.and_then(|value| self.object(at, value)) else {
            return default;
        };
        self.known(at, object, &["count", "age", "bytes"]);
        Bounds {
            count: self
                .whole(&format!("{at}/count"), object.get("count"))
                .filter(|count| *count > 0),
            age_ms: self
                .age(&format!("{at}/age"), object.get("age"))
                .filter(|age| *age > 0),
            bytes: self
                .whole(&format!("{at}/bytes"), object.get("bytes"))
                .filter(|bytes| *bytes > 0),
        }
    }

    fn whole(&mut self, at: &str, value: Option<&Value>) -> Option<u64> {
        let value = value?;
        let number = value
            .as_u64()
            .filter(|number| *number <= i64::MAX.unsigned_abs());
        if number.is_none() {
            self.wrong(at, "must be a whole number, not negative");
        }
        number
    }

    fn age(&mut self, at: &str, value: Option<&Value>) -> Option<u64> {
        let value = value?;
        let age = match value {
            Value::Number(number) if number.as_u64() == Some(0) => Some(0),
            value => value.as_str().and_then(duration::parse_ms),
        };
        if age.is_none() {
            self.wrong(at, "must be a duration of ISO 8601 in weeks, days, hours, minutes or seconds, such as \"P1D\" or \"PT12H\"");
        }
        age
    }

    fn caching(&mut self, value: Option<&Value>, visibility: Visibility) -> Caching {
        let Some(object) = value.and_then(|value| self.object("/caching", value)) else {
            return Caching {
                visibility,
                ..CACHING
            };
        };
        self.known(
            "/caching",
            object,
            &["visibility", "maxAge", "staleWhileRevalidate"],
        );
        Caching {
            visibility: self
                .choice(
                    "/caching/visibility",
                    object.get("visibility"),
                    &[
                        ("public", Visibility::Public),
                        ("private", Visibility::Private),
                    ],
                )
                .unwrap_or(visibility),
            max_age_s: self
                .seconds("/caching/maxAge", object.get("maxAge"))
                .unwrap_or(CACHING.max_age_s),
            stale_while_revalidate_s: self
                .seconds(
                    "/caching/staleWhileRevalidate",
                    object.get("staleWhileRevalidate"),
                )
                .unwrap_or(CACHING.stale_while_revalidate_s),
        }
    }

    /// A rule for each thing that is done: its own, else that of all writes, else the default.
    fn rules(&mut self, value: &Value) -> Option<Rules> {
        let object = self.object("/rules", value)?;
        self.known("/rules", object, RULES);
        let mut texts = Map::new();
        for name in RULES {
            let text = object.get(*name).map(|text| (text, text.as_str()));
            match text {
                Some((text, Some(_))) => {
                    texts.insert((*name).to_owned(), text.clone());
                }
                Some((_, None)) => self.wrong(
                    format!("/rules/{name}"),
                    "must be a string: an expression in CEL",
                ),
                None => {}
            }
        }
        let text = |names: &[&str]| {
            let found = names.iter().find_map(|name| texts.get(*name)?.as_str());
            found.unwrap_or(FORBIDDEN).to_owned()
        };
        Some(Rules::new([
            text(&["read", "default"]),
            text(&["create", "write", "default"]),
            text(&["update", "write", "default"]),
            text(&["delete", "write", "default"]),
        ]))
    }

    fn seconds(&mut self, at: &str, value: Option<&Value>) -> Option<u32> {
        let value = value?;
        let seconds = value
            .as_u64()
            .and_then(|seconds| u32::try_from(seconds).ok())
            .filter(|s| *s <= 31_536_000);
        if seconds.is_none() {
            self.wrong(
                at,
                "must be a whole number of seconds, at most 31536000 (a year)",
            );
        }
        seconds
    }
}

fn is_camel_case(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|char| char.is_ascii_alphanumeric())
}

/// The type that a schema gives to the member at `pointer`, as far as plain `properties` tell.
fn value_type(schema: &Value, pointer: &JsonPointer) -> ValueType {
    let mut at = schema;
    for token in pointer.tokens() {
        let Some(next) = at
            .get("properties")
            .and_then(|properties| properties.get(token))
        else {
            return ValueType::Any;
        };
        at = next;
    }
    match at.get("type").and_then(Value::as_str) {
        Some("number" | "integer") => ValueType::Number,
        Some("string") => ValueType::String,
        Some("boolean") => ValueType::Boolean,
        _ => ValueType::Any,
    }
}
