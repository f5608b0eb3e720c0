//! The digests of whole collections: kept by every write, made anew where the positions they are made
//! of get other names, and compared with what is there.

use rusqlite::{Connection, params};

use super::{
    rows::{self, sequence_of},
    shared,
};
use crate::{CollectionPath, SetDigest, TRANSACTIONS, positions::Lineage};

/// A collection's number and name, and the digest that is stored for it.
struct Stored {
    collection: i64,
    path: CollectionPath,
    digest: SetDigest,
}

/// Makes every digest anew: the history has another name, and so has every entity tag.
pub(super) fn renew(db: &Connection) -> rusqlite::Result<()> {
    let lineage = shared::lineage(db)?;
    for stored in stored(db)? {
        let digest = digest(db, &lineage, &stored)?;
        db.execute(
            "UPDATE collections SET digest = ?2 WHERE collection = ?1",
            params![stored.collection, digest.to_bytes()],
        )?;
    }
    Ok(())
}

/// How many collections have another digest than what is there makes up.
pub(super) fn wrong(db: &Connection) -> rusqlite::Result<u64> {
    let lineage = shared::lineage(db)?;
    let mut wrong = 0;
    for stored in stored(db)? {
        let digest = digest(db, &lineage, &stored)?;
        wrong += u64::from(digest != stored.digest);
    }
    Ok(wrong)
}

/// Of the collections that have a feed.
fn stored(db: &Connection) -> rusqlite::Result<Vec<Stored>> {
    let mut statement =
        db.prepare("SELECT collection, name, digest FROM collections WHERE name <> ?1")?;
    let mut rows = statement.query([TRANSACTIONS])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        if let Some(path) = CollectionPath::parse(rows::text(row, 1)?) {
            found.push(Stored {
                collection: row.get(0)?,
                path,
                digest: SetDigest::from_bytes(row.get(2)?),
            });
        }
    }
    Ok(found)
}

fn digest(db: &Connection, lineage: &Lineage, stored: &Stored) -> rusqlite::Result<SetDigest> {
    let mut statement =
        db.prepare("SELECT parent, id, row FROM keys WHERE collection = ?1 AND live = 1")?;
    let mut rows = statement.query([stored.collection])?;
    let mut digest = SetDigest::default();
    while let Some(row) = rows.next()? {
        let key = rows::key(row, 0, &stored.path)?;
        digest.add(&key, lineage.position(sequence_of(row.get(2)?)));
    }
    Ok(digest)
}
