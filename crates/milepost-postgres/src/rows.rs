//! Between the columns of a row and the store's vocabulary: how rows are numbered, what a version
//! looks like, and where the database says that a row lies.

use std::error::Error;

use bytes::{Bytes, BytesMut};
use milepost_store::{
    CollectionPath, ParentPath, ResourceKey, Timestamp, Version, backend::Lineage,
};
use tokio_postgres::{
    Row,
    types::{FromSql, IsNull, ToSql, Type, accepts, to_sql_checked},
};

use crate::trouble::Trouble;

/// How many bits of a row's number tell its place in the commit.
const PLACE_BITS: u32 = 20;
/// Where an entry of an index ends that stands.
pub(crate) const STANDS: i64 = i64::MAX;

/// Where a row of a table lies, as the database calls it: good as long as a transaction lasts in which
/// nobody else writes the row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place([u8; 6]);

impl<'a> FromSql<'a> for Place {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    accepts!(TID);
}

impl ToSql for Place {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(&self.0);
        Ok(IsNull::No)
    }

    accepts!(TID);
    to_sql_checked!();
}

/// The number of the version that is `place`-th in the commit `sequence`.
pub(crate) fn row_number(sequence: u64, place: usize) -> i64 {
    let sequence = i64::try_from(sequence).unwrap_or(i64::MAX >> PLACE_BITS);
    (sequence << PLACE_BITS) | i64::try_from(place).unwrap_or(0)
}

/// The commit that wrote a row.
pub(crate) fn sequence_of(row: i64) -> u64 {
    u64::try_from(row >> PLACE_BITS).unwrap_or(0)
}

/// The last row number that a commit may use.
pub(crate) fn last_row_of(sequence: u64) -> i64 {
    row_number(sequence, (1 << PLACE_BITS) - 1)
}

/// A number that is kept signed and used unsigned. Never negative in the database.
pub(crate) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The reverse of [`unsigned`].
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// As [`unsigned`], of a number that is kept in 32 bits.
pub(crate) fn size(number: Option<i32>) -> usize {
    number.map_or(0, |number| usize::try_from(number).unwrap_or(0))
}

/// Reads the columns `row`, `replaced`, `modified` and `body`, which begin at column `at`.
pub(crate) fn version(row: &Row, at: usize, lineage: &Lineage) -> Result<Version, Trouble> {
    let number: i64 = row.try_get(at)?;
    let replaced: Option<i64> = row.try_get(at + 1)?;
    let modified: i64 = row.try_get(at + 2)?;
    let body: Option<&[u8]> = row.try_get(at + 3)?;
    Ok(Version {
        position: lineage.position(sequence_of(number)),
        replaced: replaced.map(|replaced| lineage.position(sequence_of(replaced))),
        modified: Timestamp(unsigned(modified)),
        body: body.map(Bytes::copy_from_slice),
    })
}

/// A key from its columns; what was stored as an id is one.
pub(crate) fn key(
    collection: &CollectionPath,
    parent: &str,
    id: &str,
) -> Result<ResourceKey, Trouble> {
    let id = id.parse().map_err(|_malformed| Trouble::Malformed {
        what: format!("the id {id:?}"),
    })?;
    Ok(ResourceKey {
        collection: collection.clone(),
        parent: ParentPath::from_stored(parent),
        id,
    })
}
