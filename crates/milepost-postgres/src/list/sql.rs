//! Writing a statement piece by piece, with values beside it and never in it.

use std::fmt::Write as _;

use milepost_store::{IndexFilter, ParentPath, Scope};
use tokio_postgres::types::{ToSql, Type};

/// A statement, and what its `$1`, `$2`, … stand for.
#[derive(Default)]
pub(super) struct Sql {
    pub(super) text: String,
    values: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
}

/// Something that can stand for a `$n`.
pub(super) trait Bound: ToSql + Sync + Send + Sized + 'static {
    const TYPE: Type;
}

impl Bound for i32 {
    const TYPE: Type = Type::INT4;
}
impl Bound for i64 {
    const TYPE: Type = Type::INT8;
}
impl Bound for String {
    const TYPE: Type = Type::TEXT;
}
impl Bound for Vec<u8> {
    const TYPE: Type = Type::BYTEA;
}
impl Bound for Vec<String> {
    const TYPE: Type = Type::TEXT_ARRAY;
}

impl Sql {
    /// Takes a value, and says what stands for it.
    pub(super) fn bind(&mut self, value: impl Bound) -> String {
        let value_type = type_of(&value);
        self.values.push((Box::new(value), value_type));
        format!("${}", self.values.len())
    }

    pub(super) fn add(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(super) fn values(&self) -> Vec<(&(dyn ToSql + Sync), Type)> {
        let values = self.values.iter();
        values
            .map(|(value, value_type)| (&**value as &(dyn ToSql + Sync), value_type.clone()))
            .collect()
    }

    /// That `value`, an index's, passes a filter: within all bounds, or any of the alternatives.
    pub(super) fn passes(&mut self, filter: &IndexFilter, value: &str) {
        let within = |sql: &mut Self, filter: &milepost_semantics::index::Filter| {
            let ranges = filter.key_ranges().into_iter().map(|range| {
                let (start, end) = (sql.bind(range.start), sql.bind(range.end));
                format!("({value} >= {start} AND {value} < {end})")
            });
            let ranges: Vec<String> = ranges.collect();
            format!("({})", ranges.join(" OR "))
        };
        let bounds: Vec<String> = filter.bounds().map(|bound| within(self, bound)).collect();
        let mut any: Vec<String> = filter
            .alternatives()
            .map(|alternative| within(self, alternative))
            .collect();
        if !bounds.is_empty() {
            any.push(format!("({})", bounds.join(" AND ")));
        }
        let any = if any.is_empty() {
            "false".to_owned()
        } else {
            any.join(" OR ")
        };
        // Writing to a string can't fail.
        let _ = write!(self.text, " AND ({any})");
    }

    /// That a parent, in the column `parent`, is in scope.
    pub(super) fn within(&mut self, scope: &Scope, parent: &str) {
        match scope {
            Scope::Of(path) => {
                let path = self.bind(path.as_str().to_owned());
                self.add(&format!(" AND {parent} = {path}"));
            }
            Scope::Below(path) if *path == ParentPath::top() => {}
            Scope::Below(path) => {
                let at = self.bind(path.as_str().to_owned());
                // A slash is what separates ids, and a zero is what follows it.
                let start = self.bind(format!("{}/", path.as_str()));
                let end = self.bind(format!("{}0", path.as_str()));
                self.add(&format!(
                    " AND ({parent} = {at} OR ({parent} >= {start} AND {parent} < {end}))"
                ));
            }
        }
    }
}

fn type_of<T: Bound>(_value: &T) -> Type {
    T::TYPE
}
