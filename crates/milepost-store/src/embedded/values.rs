//! The indexed values of a stored version: kept beside its body, or read from it where the index is
//! younger than the version.

use rusqlite::Connection;

use super::{
    catalog::{Collection, StoredIndex},
    rows::field,
};
use crate::{
    decision::{index_value_or_other, parse_stored},
    definition::Index,
};

/// The values that a version has for a collection's indexes, in their order. Empty where the row
/// is gone or a tombstone.
pub(super) fn values_of(
    db: &Connection,
    collection: &Collection,
    row: i64,
) -> rusqlite::Result<Vec<Vec<u8>>> {
    let mut statement =
        db.prepare_cached("SELECT fields, body FROM versions WHERE row = ?1 AND body IS NOT NULL")?;
    let mut rows = statement.query([row])?;
    let Some(found) = rows.next()? else {
        return Ok(Vec::new());
    };
    let fields = found.get_ref(0)?.as_blob_or_null()?;
    Ok(values_in(collection, fields, found.get_ref(1)?.as_blob()?))
}

/// The same, from the columns of a row that is no tombstone.
pub(super) fn values_in(
    collection: &Collection,
    fields: Option<&[u8]>,
    body: &[u8],
) -> Vec<Vec<u8>> {
    let joined = fields.unwrap_or_default();
    let mut parsed = None;
    let mut values = Vec::with_capacity(collection.indexes.len());
    for index in &collection.indexes {
        if let Some(value) = field(joined, index.index_id) {
            values.push(value.to_vec());
            continue;
        }
        let value = parsed.get_or_insert_with(|| parse_stored(body));
        values.push(
            declared(collection, index)
                .map_or_else(Vec::new, |declared| index_value_or_other(declared, value)),
        );
    }
    values
}

/// The declared index that a stored one serves.
pub(super) fn declared<'c>(collection: &'c Collection, index: &StoredIndex) -> Option<&'c Index> {
    collection
        .definition
        .as_ref()
        .and_then(|definition| definition.index(&index.name))
}
