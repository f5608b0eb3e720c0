//! Walking what matches words, the newest change first.

use rusqlite::{OptionalExtension, params};

use super::{
    Listing,
    collect::{Collected, Collecting, Walk},
};
use crate::{
    Cursor, ReadError,
    embedded::{reader::unavailable, rows},
};

impl Listing<'_, '_> {
    pub(super) fn by_text(&self, words: &str) -> Result<Collected, ReadError> {
        let mut page = Collecting::with_capacity(self.query.limit.items);
        let Some(text) = &self.collection.text else {
            return Ok(page.finish());
        };
        let expression = expression(words)?;
        let sql = format!(
            "SELECT rowid FROM text_{} WHERE words MATCH ?1 AND rowid < ?2 ORDER BY rowid DESC",
            text.index_id
        );
        let mut statement = self.snapshot.db.prepare_cached(&sql).map_err(unavailable)?;
        let mut found = statement
            .query(params![expression, self.text_before()?])
            .map_err(unavailable)?;
        while let Some(row) = found.next().map_err(unavailable)? {
            let row: i64 = row.get(0).map_err(unavailable)?;
            if self.show_match(&mut page, row)? == Walk::Full {
                break;
            }
        }
        Ok(page.finish())
    }

    fn show_match(&self, page: &mut Collecting, row: i64) -> Result<Walk, ReadError> {
        let key = self
            .snapshot
            .db
            .prepare_cached("SELECT parent, id FROM versions WHERE row = ?1")
            .and_then(|mut statement| {
                statement
                    .query_row([row], |found| rows::key(found, 0, &self.query.collection))
                    .optional()
            })
            .map_err(unavailable)?;
        let Some(key) = key else { return Ok(Walk::On) };
        let values = vec![row.to_be_bytes().to_vec()];
        let cursor = || Cursor {
            values: values.clone(),
            parent: key.parent.clone(),
            id: key.id.clone(),
        };
        if !self.in_scope(&key.parent) || !self.passes(row, None)? {
            return Ok(page.pass(cursor));
        }
        match self.version(&key, row)? {
            Some(version) if !version.is_deleted() => {
                Ok(page.take(self, key.clone(), version, values.clone()))
            }
            _ => Ok(page.pass(cursor)),
        }
    }

    /// The row that the previous page ended with.
    fn text_before(&self) -> Result<i64, ReadError> {
        let Some(cursor) = &self.query.after else {
            return Ok(i64::MAX);
        };
        let [value] = cursor.values.as_slice() else {
            return Err(ReadError::MalformedCursor);
        };
        let bytes: Result<[u8; 8], _> = value.as_slice().try_into();
        bytes
            .map(i64::from_be_bytes)
            .or(Err(ReadError::MalformedCursor))
    }
}

/// What the search engine is asked: every word must occur; one that ends in `*` may go on.
fn expression(words: &str) -> Result<String, ReadError> {
    let quoted = words.split_whitespace().filter_map(|word| {
        let (word, star) = word
            .strip_suffix('*')
            .map_or((word, ""), |word| (word, " *"));
        let is_word = word.chars().any(char::is_alphanumeric);
        is_word.then(|| format!("\"{}\"{star}", word.replace('"', "\"\"").replace('\0', " ")))
    });
    let expression = quoted.collect::<Vec<_>>().join(" ");
    if expression.is_empty() {
        return Err(ReadError::MalformedText {
            detail: "it holds no word: letters or digits".to_owned(),
        });
    }
    Ok(expression)
}

#[cfg(test)]
mod tests {
    use super::expression;

    #[test]
    fn words_reach_the_search_engine_as_words_and_never_as_its_syntax() {
        assert_eq!(expression("one two*").expect("words"), "\"one\" \"two\" *");
        assert_eq!(
            expression("a\"b OR (c").expect("words"),
            "\"a\"\"b\" \"OR\" \"(c\""
        );
        assert!(expression(" * \" ").is_err());
    }
}
