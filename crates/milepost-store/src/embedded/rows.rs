//! Between rows and versions: the numbering of rows, and the indexed values kept beside a body.

use bytes::Bytes;
use milepost_semantics::ResourceId;
use rusqlite::{Connection, OptionalExtension, Row, params, types::Type};

use super::Cached;
use crate::{CollectionPath, ParentPath, ResourceKey, Timestamp, Version, positions::Lineage};

/// How many bits of a row's number tell its place in the commit.
const PLACE_BITS: u32 = 20;

/// The number of the version that is `place`-th in the commit `sequence`.
pub(super) fn row_number(sequence: u64, place: usize) -> i64 {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX >> PLACE_BITS);
    (sequence << PLACE_BITS) | i64::try_from(place).unwrap_or(0)
}

/// The commit that wrote a row.
pub(super) fn sequence_of(row: i64) -> u64 {
    u64::try_from(row >> PLACE_BITS).unwrap_or(0)
}

/// The last row number that a commit may use.
pub(super) fn last_row_of(sequence: u64) -> i64 {
    row_number(sequence, (1 << PLACE_BITS) - 1)
}

/// A number that SQLite keeps signed and the store uses unsigned. Never negative on disk.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The reverse of [`unsigned`].
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Reads the columns `row`, `replaced`, `modified` and `body`, which begin at column `at`.
pub(super) fn version(row: &Row<'_>, at: usize, lineage: &Lineage) -> rusqlite::Result<Version> {
    let number: i64 = row.get(at)?;
    let replaced: Option<i64> = row.get(at + 1)?;
    let modified: i64 = row.get(at + 2)?;
    let body = blob(row, at + 3)?;
    Ok(Version {
        position: lineage.position(sequence_of(number)),
        replaced: replaced.map(|replaced| lineage.position(sequence_of(replaced))),
        modified: Timestamp(unsigned(modified)),
        body: body.map(Bytes::copy_from_slice),
    })
}

/// The newest version of a resource, live or not.
pub(super) fn newest(
    db: &Connection,
    lineage: &Lineage,
    collection: i64,
    key: &ResourceKey,
) -> rusqlite::Result<Option<Cached>> {
    db.prepare_cached(
        "SELECT v.row, v.replaced, v.modified, v.body, v.digest, v.fields FROM keys k JOIN versions v ON v.row = k.row
         WHERE k.collection = ?1 AND k.live IN (0, 1) AND k.parent = ?2 AND k.id = ?3",
    )?
    .query_row(
        params![collection, key.parent.as_str(), key.id.as_str()],
        |row| cached(row, lineage),
    )
    .optional()
}

/// Reads what [`version`] does, from the first column on, and `digest` and `fields` behind it.
pub(super) fn cached(row: &Row<'_>, lineage: &Lineage) -> rusqlite::Result<Cached> {
    let digest: Option<[u8; 16]> = row.get(4)?;
    Ok(Cached {
        version: version(row, 0, lineage)?,
        row: row.get(0)?,
        digest: digest.unwrap_or_default(),
        fields: row
            .get_ref(5)?
            .as_blob_or_null()?
            .map(Bytes::copy_from_slice),
    })
}

/// Reads a stored parent and id, which begin at column `at`, as a key of `collection`.
pub(super) fn key(
    row: &Row<'_>,
    at: usize,
    collection: &CollectionPath,
) -> rusqlite::Result<ResourceKey> {
    let parent = text(row, at)?;
    let id = text(row, at + 1)?;
    Ok(ResourceKey {
        collection: collection.clone(),
        parent: ParentPath::from_stored(parent),
        id: ResourceId::from_stored(id),
    })
}

/// Borrows a text column.
pub(super) fn text<'r>(row: &'r Row<'_>, at: usize) -> rusqlite::Result<&'r str> {
    row.get_ref(at)?
        .as_str()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Text, Box::new(error)))
}

/// Borrows a blob column; `None` where it is null.
pub(super) fn blob<'r>(row: &'r Row<'_>, at: usize) -> rusqlite::Result<Option<&'r [u8]>> {
    row.get_ref(at)?
        .as_blob_or_null()
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(at, Type::Blob, Box::new(error)))
}

/// Joins the values of indexes into the one column in which they lie beside the body.
pub(super) fn join_fields<'v>(values: impl Iterator<Item = (i64, &'v [u8])>) -> Vec<u8> {
    let mut joined = Vec::new();
    for (index_id, value) in values {
        joined.extend_from_slice(&index_id.to_le_bytes());
        joined.extend_from_slice(&u32::try_from(value.len()).unwrap_or(u32::MAX).to_le_bytes());
        joined.extend_from_slice(value);
    }
    joined
}

/// The value of one index in what [`join_fields`] made; `None` where the index is younger.
pub(super) fn field(mut joined: &[u8], index_id: i64) -> Option<&[u8]> {
    loop {
        let (id, rest) = joined.split_first_chunk::<8>()?;
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (value, rest) = rest.split_at_checked(length)?;
        if i64::from_le_bytes(*id) == index_id {
            return Some(value);
        }
        joined = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::{field, join_fields, last_row_of, row_number, sequence_of};

    #[test]
    fn rows_are_ordered_by_commit_and_lead_back_to_it() {
        assert!(row_number(7, 0) < row_number(7, 1));
        assert!(last_row_of(7) < row_number(8, 0));
        assert_eq!(sequence_of(row_number(7, 9)), 7);
        assert_eq!(sequence_of(last_row_of(7)), 7);
    }

    #[test]
    fn joined_fields_come_apart_again() {
        let joined = join_fields([(3, b"one".as_slice()), (9, b"".as_slice())].into_iter());
        assert_eq!(field(&joined, 3), Some(b"one".as_slice()));
        assert_eq!(field(&joined, 9), Some(b"".as_slice()));
        assert_eq!(field(&joined, 4), None);
    }
}
