//! A definition's normal form: its JSON with everything said that holds by default.

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::{Bounds, Definition, OnParentDelete, PreconditionRule, Rules, Visibility, duration};

impl Definition {
    /// The definition with its representation made.
    pub(super) fn with_representation(mut self) -> Self {
        let mut object = Map::new();
        let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
        if let Some(title) = &self.title {
            put("title", json!(title));
        }
        if let Some(description) = &self.description {
            put("description", json!(description));
        }
        if let Some(schema) = &self.schema {
            put("schema", schema.source().clone());
        }
        let indexes = self
            .indexes
            .iter()
            .map(|index| (index.name.clone(), json!(index.pointer.to_string())));
        put("indexes", Value::Object(indexes.collect()));
        put(
            "text",
            self.text
                .iter()
                .map(|pointer| json!(pointer.to_string()))
                .collect(),
        );
        put(
            "preconditions",
            json!(match self.preconditions {
                PreconditionRule::Required => "required",
                PreconditionRule::Optional => "optional",
            }),
        );
        put(
            "retention",
            json!({
                "history": bounds_json(self.retention.history),
                "tombstones": bounds_json(self.retention.tombstones),
            }),
        );
        put(
            "caching",
            json!({
                "visibility": match self.caching.visibility {
                    Visibility::Public => "public",
                    Visibility::Private => "private",
                },
                "maxAge": self.caching.max_age_s,
                "staleWhileRevalidate": self.caching.stale_while_revalidate_s,
            }),
        );
        put(
            "onParentDelete",
            json!(match self.on_parent_delete {
                OnParentDelete::Restrict => "restrict",
                OnParentDelete::Cascade => "cascade",
            }),
        );
        if let Some(drafts) = &self.drafts {
            let age = duration::display_ms(drafts.age_ms);
            put("drafts", json!({ "index": drafts.index, "age": age }));
        }
        if let Some(rules) = &self.rules {
            put("rules", rules_json(rules));
        }
        self.representation = Bytes::from(Value::Object(object).to_string());
        self
    }
}

fn rules_json(rules: &Rules) -> Value {
    json!({
        "read": rules.read,
        "create": rules.create,
        "update": rules.update,
        "delete": rules.delete,
    })
}

fn bounds_json(bounds: Bounds) -> Value {
    let mut object = Map::new();
    if let Some(count) = bounds.count {
        object.insert("count".to_owned(), json!(count));
    }
    if let Some(age_ms) = bounds.age_ms {
        object.insert("age".to_owned(), json!(duration::display_ms(age_ms)));
    }
    if let Some(bytes) = bounds.bytes {
        object.insert("bytes".to_owned(), json!(bytes));
    }
    Value::Object(object)
}
