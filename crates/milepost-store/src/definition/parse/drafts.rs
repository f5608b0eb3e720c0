//! Which resources are drafts, read from a definition: by an index, so that they are found without looking at the
//! others.

use milepost_semantics::index::ValueType;
use serde_json::{Map, Value};

use super::Reader;
use crate::definition::{Drafts, Index};

impl Reader {
    pub(super) fn drafts(&mut self, value: Option<&Value>, indexes: &[Index]) -> Option<Drafts> {
        let object = self.object("/drafts", value?)?;
        self.known("/drafts", object, &["index", "age"]);
        let index = self.drafts_index(object, indexes);
        let age = object.get("age").unwrap_or(&Value::Null);
        let age_ms = self.age("/drafts/age", Some(age))?;
        if age_ms == 0 {
            self.wrong("/drafts/age", "must be a second or longer");
        }
        index.map(|index| Drafts { index, age_ms })
    }

    fn drafts_index(&mut self, object: &Map<String, Value>, indexes: &[Index]) -> Option<String> {
        let name = object.get("index").and_then(Value::as_str);
        let index = indexes
            .iter()
            .find(|index| Some(index.name.as_str()) == name);
        if index.is_none() {
            let detail = "must be the name of one of the `indexes`: its value is true for a draft";
            self.wrong("/drafts/index", detail);
        }
        let is_other =
            |index: &&Index| matches!(index.value_type, ValueType::Number | ValueType::String);
        if index.filter(is_other).is_some() {
            let detail = "must stand for a boolean: by the schema it never is true";
            self.wrong("/drafts/index", detail);
        }
        index.map(|index| index.name.clone())
    }
}
